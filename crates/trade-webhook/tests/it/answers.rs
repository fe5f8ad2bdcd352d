//! Receivers that do not take what they are sent.

use std::{sync::Arc, time::Duration};

use tokio::net::TcpListener;
use trade_core::{
    memory::ManualClock,
    port::{EventSink, SinkError, SinkFault},
};
use trade_testkit::fixture::{self, at};
use trade_webhook::{WebhookSettings, WebhookSink};

use crate::receiver::{Answer, Receiver};

/// A sink that waits no longer than a second, so that a test of silence does not.
fn hasty(receiver: &Receiver, clock: &Arc<ManualClock>) -> WebhookSink {
    let settings = WebhookSettings {
        timeout: Duration::from_secs(1),
        ..receiver.settings()
    };
    WebhookSink::new(settings, clock.clone()).unwrap()
}

async fn refusal(sink: &WebhookSink) -> SinkError {
    sink.publish(&fixture::paid_event(1, 1, 7)).await.unwrap_err()
}

#[tokio::test]
async fn two_hundreds_take_an_event_whatever_they_say() {
    let receiver = Receiver::start().await;
    let sink = receiver.sink(Arc::new(ManualClock::new(at(0))));
    for answer in [
        Answer::Status(200, "taken"),
        Answer::Status(201, ""),
        Answer::Status(299, "<html>"),
        Answer::Endless(200),
    ] {
        receiver.answer(answer);
        sink.publish(&fixture::paid_event(1, 1, 7)).await.unwrap();
    }
    assert_eq!(receiver.came().len(), 4);
}

#[tokio::test]
async fn all_else_is_a_refusal_that_says_what_and_what_to_do() {
    let receiver = Receiver::start().await;
    let clock = Arc::new(ManualClock::new(at(0)));
    let sink = hasty(&receiver, &clock);
    let table = [
        (
            Answer::Status(400, "no such app"),
            "answered 400 (\"no such app\"); look at its log",
        ),
        (Answer::Status(401, ""), "answered 401; it refuses the signature"),
        (Answer::Status(404, ""), "answered 404; nothing takes POST there"),
        (Answer::Status(429, ""), "answered 429; it is asked too often"),
        (Answer::Status(500, "a\nb\u{7}"), "answered 500 (\"a\\nb\\u{7}\")"),
        (
            Answer::Status(502, "<html>"),
            "answered 502 (\"<html>\"); the proxy before it",
        ),
        (Answer::Redirect, "answered 308; redirects are not followed"),
        (Answer::Endless(500), "answered 500 (\"xxx"),
        (Answer::Hang, "did not answer within 1 s"),
        (Answer::Close, "broke off without an answer"),
        (Answer::Garbage, "broke off without an answer"),
    ];
    for (number, (answer, words)) in table.into_iter().enumerate() {
        receiver.answer(answer);
        let error = refusal(&sink).await;
        assert_eq!(error.fault, SinkFault::Refused, "{answer:?}: {error}");
        assert!(error.reason.contains(words), "{answer:?}: {error}");
        assert!(error.reason.len() < 500, "{answer:?}: {}", error.reason.len());
        assert!(
            !error.reason.contains("shop=1"),
            "its query may be secret: {error}"
        );
        assert_eq!(receiver.came().len(), number + 1, "{answer:?} was not asked once");
        clock.advance(Duration::from_secs(60));
    }
}

#[tokio::test]
async fn a_receiver_that_is_not_there_is_away() {
    let closed = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let port = closed.local_addr().unwrap().port();
    drop(closed);
    let receiver = Receiver::start().await;
    for url in [
        format!("http://127.0.0.1:{port}/"),
        "https://no-such-host.invalid/".into(),
    ] {
        let settings = WebhookSettings {
            url: trade_core::Secret::new(&url),
            ..receiver.settings()
        };
        let sink = WebhookSink::new(settings, Arc::new(ManualClock::new(at(0)))).unwrap();
        let error = refusal(&sink).await;
        assert_eq!(error.fault, SinkFault::Away, "{url}: {error}");
        assert!(
            error.reason.contains("check that the order system runs"),
            "{error}"
        );
    }
}

#[tokio::test]
async fn one_that_says_nothing_is_left_alone_for_a_while() {
    let receiver = Receiver::start().await;
    let clock = Arc::new(ManualClock::new(at(0)));
    let sink = hasty(&receiver, &clock);
    receiver.answer(Answer::Hang);
    for (asked, wait) in [1, 2, 4].into_iter().enumerate() {
        assert_eq!(refusal(&sink).await.fault, SinkFault::Refused);
        assert_eq!(receiver.came().len(), asked + 1);
        clock.advance(Duration::from_millis(wait * 1000 - 1));
        let resting = refusal(&sink).await;
        assert_eq!(resting.fault, SinkFault::Away, "it says nothing about this event");
        assert!(resting.reason.contains("left alone for 1 s more"), "{resting}");
        assert!(resting.reason.contains("did not answer"), "{resting}");
        assert_eq!(receiver.came().len(), asked + 1, "nothing was sent");
        clock.advance(Duration::from_millis(1));
    }
    receiver.answer(Answer::Status(200, ""));
    for id in 1..=3 {
        sink.publish(&fixture::paid_event(1, 1, id)).await.unwrap();
    }
    // One that answers is not left alone, whatever it answers.
    receiver.answer(Answer::Status(500, ""));
    for _ in 0..3 {
        assert!(refusal(&sink).await.reason.contains("answered 500"));
    }
}

#[tokio::test]
async fn many_at_once_that_get_no_answer_are_one_failure() {
    let receiver = Receiver::start().await;
    let clock = Arc::new(ManualClock::new(at(0)));
    let sink = Arc::new(hasty(&receiver, &clock));
    receiver.answer(Answer::Hang);
    let tries: Vec<_> = (0..8)
        .map(|_| {
            let sink = Arc::clone(&sink);
            tokio::spawn(async move { refusal(&sink).await })
        })
        .collect();
    for tried in tries {
        assert!(tried.await.unwrap().reason.contains("did not answer"));
    }
    assert_eq!(receiver.came().len(), 8);
    clock.advance(Duration::from_millis(999));
    let resting = refusal(&sink).await;
    assert!(resting.reason.contains("left alone for 1 s more"), "{resting}");
    clock.advance(Duration::from_millis(1));
    receiver.answer(Answer::Status(200, ""));
    sink.publish(&fixture::paid_event(1, 1, 1)).await.unwrap();
}
