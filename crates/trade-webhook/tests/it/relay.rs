//! The relay over the sink: what fails for a while, what fails for a day.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use trade_core::{
    memory::ManualClock,
    port::{Census as _, Outbox as _},
};
use trade_testkit::{fixture, outbox::Outbox};
use trade_webhook::{WebhookSecret, WebhookSettings, WebhookSink};

use crate::receiver::{Answer, Receiver, SECRET};

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

fn sink(receiver: &Receiver, clock: &Arc<ManualClock>) -> WebhookSink {
    receiver.sink(clock.clone())
}

/// Ticks as time goes on, minute by minute.
async fn run(outbox: &Outbox, sink: &WebhookSink, how_long: Duration) {
    let mut left = how_long;
    while !left.is_zero() {
        outbox.relay(sink, 100).await;
        outbox.clock.advance(MINUTE);
        left = left.saturating_sub(MINUTE);
    }
    outbox.relay(sink, 100).await;
}

/// The ids that came, by order, in the order in which they came.
fn by_order(receiver: &Receiver, after: usize) -> BTreeMap<i64, Vec<i64>> {
    let mut orders = BTreeMap::<_, Vec<_>>::new();
    for request in &receiver.came()[after..] {
        let id: i64 = request.headers["webhook-id"].to_str().unwrap().parse().unwrap();
        orders.entry(id / 100).or_default().push(id);
    }
    orders
}

#[tokio::test]
async fn an_hour_of_failures_costs_no_event_and_no_order() {
    let receiver = Receiver::start().await;
    let outbox = Outbox::with_events(3, 3).await;
    let sink = sink(&receiver, &outbox.clock);
    receiver.answer(Answer::Status(503, "down"));
    run(&outbox, &sink, Duration::from_secs(3600)).await;
    let tried = receiver.came().len();
    assert!(
        (30..100).contains(&tried),
        "{tried} requests for three events in an hour"
    );
    assert_eq!(outbox.store.counts().await.unwrap().unsent_events, 9);
    receiver.answer(Answer::Status(204, ""));
    run(&outbox, &sink, 6 * MINUTE).await;
    let expected: BTreeMap<_, _> = (1..=3)
        .map(|order| (order, (1..=3).map(|index| order * 100 + index).collect()))
        .collect();
    assert_eq!(by_order(&receiver, tried), expected, "once, and in order");
    assert!(!outbox.is_waiting().await);
}

#[tokio::test]
async fn what_is_refused_for_a_day_is_stuck_until_somebody_sends_it_again() {
    let receiver = Receiver::start().await;
    let outbox = Outbox::with_events(2, 2).await;
    let sink = sink(&receiver, &outbox.clock);
    receiver.answer_once(Answer::Status(410, "gone"));
    receiver.answer_once(Answer::Status(200, ""));
    outbox.relay(&sink, 100).await;
    receiver.answer(Answer::Status(410, "gone"));
    run(&outbox, &sink, DAY - 10 * MINUTE).await;
    assert_eq!(outbox.store.counts().await.unwrap().stuck_events, 0, "not yet");
    run(&outbox, &sink, 20 * MINUTE).await;
    let stuck = outbox.store.waiting_events(true, 10).await.unwrap();
    let ids: Vec<_> = stuck.iter().map(|row| row.event.event_id.get()).collect();
    assert_eq!(ids, [101, 202], "{stuck:#?}");
    let reason = stuck[0].reason.as_deref().unwrap();
    assert!(reason.contains("answered 410 (\"gone\")"), "{reason}");

    // It is not offered any more, and what comes after it in its order waits.
    receiver.answer(Answer::Status(200, ""));
    let before = receiver.came().len();
    run(&outbox, &sink, DAY).await;
    assert_eq!(receiver.came().len(), before);
    assert_eq!(outbox.store.counts().await.unwrap().unsent_events, 3);

    for id in [101, 202] {
        outbox
            .service
            .resend(fixture::event_id(id), "test")
            .await
            .unwrap();
    }
    run(&outbox, &sink, MINUTE).await;
    let expected = BTreeMap::from([(1, vec![101, 102]), (2, vec![202])]);
    assert_eq!(by_order(&receiver, before), expected);
    assert!(!outbox.is_waiting().await);
}

#[tokio::test]
async fn one_order_that_is_refused_keeps_back_no_other() {
    let receiver = Receiver::start().await;
    let outbox = Outbox::with_events(3, 2).await;
    let sink = sink(&receiver, &outbox.clock);
    receiver.answer_once(Answer::Status(500, ""));
    outbox.relay(&sink, 100).await;
    outbox.relay(&sink, 100).await;
    assert_eq!(
        by_order(&receiver, 0),
        BTreeMap::from([(1, vec![101]), (2, vec![201, 202]), (3, vec![301, 302])])
    );
    run(&outbox, &sink, 2 * MINUTE).await;
    assert_eq!(by_order(&receiver, 0)[&1], [101, 101, 102]);
}

#[tokio::test]
async fn a_receiver_that_is_away_for_days_needs_nobody_once_it_is_back() {
    let receiver = Receiver::start().await;
    let outbox = Outbox::with_events(3, 2).await;
    let nowhere = WebhookSettings::new("http://127.0.0.1:1/", WebhookSecret::new(SECRET).unwrap());
    let away = WebhookSink::new(nowhere, outbox.clock.clone()).unwrap();
    run(&outbox, &away, 3 * DAY).await;
    let counts = outbox.store.counts().await.unwrap();
    assert_eq!((counts.unsent_events, counts.stuck_events), (6, 0));
    let sink = sink(&receiver, &outbox.clock);
    run(&outbox, &sink, 6 * MINUTE).await;
    assert!(!outbox.is_waiting().await);
    assert_eq!(receiver.came().len(), 6);
}

/// A day without a line is no day of refusals: the first refusal after it is the first.
#[tokio::test]
async fn only_the_time_since_a_refusal_counts() {
    let receiver = Receiver::start().await;
    let outbox = Outbox::with_events(1, 1).await;
    let nowhere = WebhookSettings::new("http://127.0.0.1:1/", WebhookSecret::new(SECRET).unwrap());
    let away = WebhookSink::new(nowhere, outbox.clock.clone()).unwrap();
    run(&outbox, &away, 2 * DAY).await;
    let sink = sink(&receiver, &outbox.clock);
    receiver.answer(Answer::Status(404, ""));
    run(&outbox, &sink, DAY - 10 * MINUTE).await;
    assert_eq!(outbox.store.counts().await.unwrap().stuck_events, 0);
    run(&outbox, &sink, 20 * MINUTE).await;
    assert_eq!(outbox.store.counts().await.unwrap().stuck_events, 1);
}
