//! The line to the broker breaks, and comes back.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use trade_core::{memory::ManualClock, port::EventSink};
use trade_mq::{RabbitSettings, RabbitSink};
use trade_testkit::fixture;

use crate::support::{BOTH, Corner, Line, Outbox, PATIENCE, event, line};

fn sink(settings: RabbitSettings) -> (RabbitSink, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(fixture::START));
    (RabbitSink::new(settings, clock.clone()).unwrap(), clock)
}

/// Back-off of the usual length, on a clock that moves when told.
fn usual_backoff(settings: RabbitSettings) -> RabbitSettings {
    let usual = RabbitSettings::new("amqp://127.0.0.1");
    RabbitSettings {
        backoff_first: usual.backoff_first,
        backoff_longest: usual.backoff_longest,
        ..settings
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_sink_away_from_its_broker_refuses_at_once_and_comes_back_by_itself() {
    let corner = Corner::with_queue(&BOTH).await;
    let (proxy, url) = line().await;
    let (sink, clock) = sink(usual_backoff(corner.settings_at(url)));
    sink.publish(&event(1)).await.unwrap();

    proxy.set(Line::Cut).await;
    sink.publish(&event(2)).await.unwrap_err();
    for (wait_s, until) in [(1_u64, "in 1 s"), (2, "in 2 s"), (4, "in 4 s")] {
        for _ in 0..3 {
            let error = sink.publish(&event(2)).await.unwrap_err().to_string();
            assert!(
                error.contains("the broker is not reachable, next try") && error.contains(until),
                "{error}"
            );
        }
        clock.advance(Duration::from_secs(wait_s));
        let error = sink.publish(&event(2)).await.unwrap_err().to_string();
        assert!(
            error.contains("no connection") && error.contains("check that the broker runs"),
            "{error}"
        );
        assert!(!error.contains("guest:guest"), "{error}");
    }

    proxy.set(Line::Open).await;
    sink.publish(&event(2)).await.unwrap_err();
    clock.advance(Duration::from_secs(8));
    sink.publish(&event(2)).await.unwrap();
    sink.publish(&event(3)).await.unwrap();
    assert_eq!(corner.drain(&corner.queue).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_connection_that_broke_while_idle_costs_no_event() {
    let corner = Corner::with_queue(&BOTH).await;
    let (proxy, url) = line().await;
    let (sink, _clock) = sink(usual_backoff(corner.settings_at(url)));
    sink.publish(&event(1)).await.unwrap();
    proxy.cut_once().await;
    tokio::time::sleep(Duration::from_millis(300)).await;
    sink.publish(&event(2)).await.unwrap();
    sink.close().await;
    sink.publish(&event(3)).await.unwrap();
    assert_eq!(corner.drain(&corner.queue).await.len(), 3);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_says_nothing_is_given_up_in_time() {
    let corner = Corner::with_queue(&BOTH).await;
    let (proxy, url) = line().await;
    let settings = RabbitSettings {
        confirm_timeout: Duration::from_millis(1500),
        ..usual_backoff(corner.settings_at(url))
    };
    let (sink, clock) = sink(settings);
    sink.publish(&event(1)).await.unwrap();
    proxy.set(Line::Silent).await;
    let error = sink.publish(&event(2)).await.unwrap_err().to_string();
    assert!(
        error.contains("did not answer within 2 s while we waited for a confirm"),
        "{error}"
    );
    let error = sink.publish(&event(2)).await.unwrap_err().to_string();
    assert!(error.contains("next try in 1 s"), "{error}");
    proxy.cut_once().await;
    clock.advance(Duration::from_secs(1));
    sink.publish(&event(2)).await.unwrap();
    assert_eq!(corner.drain(&corner.queue).await.len(), 2);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_line_that_keeps_breaking_loses_no_event_and_keeps_every_order() {
    let corner = Corner::with_queue(&BOTH).await;
    let (proxy, url) = line().await;
    let proxy = Arc::new(proxy);
    let outbox = Outbox::with_events(10, 5).await;
    let settings = RabbitSettings {
        connect_timeout: Duration::from_secs(2),
        ..usual_backoff(corner.settings_at(url))
    };
    let sink = RabbitSink::new(settings, outbox.clock.clone()).unwrap();
    let saboteur = tokio::spawn({
        let proxy = Arc::clone(&proxy);
        async move {
            for round in 0..12_u64 {
                tokio::time::sleep(Duration::from_millis(20 + 15 * (round % 4))).await;
                proxy.cut_once().await;
            }
        }
    });
    let mut failed = 0;
    let relayed = async {
        while outbox.is_waiting().await {
            failed += outbox.relay(&sink, 2).await.failed;
            outbox.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(2)).await;
        }
    };
    tokio::time::timeout(PATIENCE, relayed)
        .await
        .expect("all are announced");
    saboteur.await.unwrap();

    let arrived = corner.drain(&corner.queue).await;
    let expected = outbox.bodies().await;
    assert_eq!(expected.len(), 50);
    let of = |bodies: &[String]| bodies.iter().cloned().collect::<BTreeSet<_>>();
    assert!(
        of(&arrived) == of(&expected),
        "{} of {}",
        of(&arrived).len(),
        expected.len()
    );
    assert!(failed > 0, "the line never broke in use");
    assert!(in_order(&arrived), "an event overtook another of its order");
}

/// Every order's first deliveries count from 1 without a gap; repeats do no harm.
pub(crate) fn in_order(bodies: &[String]) -> bool {
    let mut seen = std::collections::HashMap::new();
    bodies.iter().all(|body| {
        let messages: Vec<trade_core::TradeStatusMsg> = serde_json::from_str(body).unwrap();
        let (order, seq) = (messages[0].product_order_no, messages[0].seq.unwrap());
        let judged = trade_mq::judge(seen.get(&order).copied(), seq);
        if judged == trade_mq::Judgement::New {
            seen.insert(order, seq);
        }
        judged != trade_mq::Judgement::Gap
    })
}
