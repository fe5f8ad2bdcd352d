//! The broker itself is stopped, or dies, and starts again: what it confirmed is there, what it did not is
//! still in the outbox.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use lapin::{
    Connection, ConnectionProperties,
    options::{BasicAckOptions, BasicGetOptions},
};
use trade_core::{SystemClock, port::EventSink};
use trade_mq::{DeadLetter, ListenError, RabbitSettings, RabbitSink, declare_queue};

use crate::{
    recover::in_order,
    support::{BOTH, Broker, Heard, Outbox, PATIENCE, Signal, consumer, event, start, until},
};

const QUEUE: &str = "trade-restart";

/// Takes everything out of a queue.
pub(crate) async fn drain(url: &str, queue: &str) -> Vec<String> {
    let connection = Connection::connect(url, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut bodies = Vec::new();
    let options = BasicGetOptions::default();
    while let Some(message) = channel.basic_get(queue.into(), options).await.unwrap() {
        message.acker.ack(BasicAckOptions::default()).await.unwrap();
        bodies.push(String::from_utf8(message.delivery.data).unwrap());
    }
    connection.close(200, "done".into()).await.unwrap();
    bodies
}

/// Announces until `enough` more events are taken for announced; how many are.
async fn relay(outbox: &Outbox, sink: &RabbitSink, enough: usize) -> usize {
    let relayed = async {
        let mut sent = 0;
        while sent < enough {
            sent += usize::try_from(outbox.relay(sink, 3).await.changed).unwrap();
            outbox.clock.advance(Duration::from_secs(1));
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
        sent
    };
    let relayed = tokio::time::timeout(PATIENCE, relayed).await;
    relayed.expect("they are announced")
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_stops_or_dies_costs_no_event_and_no_order() {
    let mut broker = Broker::start().await;
    let settings = RabbitSettings {
        exchange: "trade-restart".into(),
        connect_timeout: Duration::from_secs(5),
        confirm_timeout: PATIENCE,
        ..RabbitSettings::new(broker.url())
    };
    declare_queue(&settings, QUEUE, &BOTH, None).await.unwrap();
    let outbox = Outbox::with_events(6, 6).await;
    let total = 36;
    let sink = RabbitSink::new(settings, outbox.clock.clone()).unwrap();

    let (mut sent, mut arrived) = (0, Vec::new());
    for signal in [Signal::Term, Signal::Kill] {
        sent += relay(&outbox, &sink, 9).await;
        broker.down(signal).await;
        // An hour without it: nothing is announced, nothing is taken for announced.
        for _ in 0..60 {
            assert_eq!(outbox.relay(&sink, 10).await.changed, 0);
            outbox.clock.advance(Duration::from_secs(60));
        }
        broker.up().await;
        arrived.extend(drain(&broker.url(), QUEUE).await);
        let there = arrived.iter().collect::<BTreeSet<_>>().len();
        assert!(
            there >= sent,
            "{sent} events are taken for announced, {there} are there"
        );
    }
    relay(&outbox, &sink, total - sent).await;
    assert!(!outbox.is_waiting().await);

    arrived.extend(drain(&broker.url(), QUEUE).await);
    let expected = outbox.bodies().await;
    let of = |bodies: &[String]| bodies.iter().cloned().collect::<BTreeSet<_>>();
    assert_eq!(of(&expected).len(), total);
    assert!(of(&arrived) == of(&expected), "{} of {total}", of(&arrived).len());
    assert!(in_order(&arrived), "an event overtook another of its order");
    broker.down(Signal::Term).await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_declared_survives_a_restart_of_the_broker() {
    let mut broker = Broker::start().await;
    let settings = RabbitSettings {
        connect_timeout: PATIENCE,
        confirm_timeout: PATIENCE,
        // Nobody declares it again.
        declare: false,
        ..RabbitSettings::new(broker.url())
    };
    let dead = DeadLetter::of(QUEUE);
    declare_queue(&settings, QUEUE, &BOTH, Some(&dead)).await.unwrap();
    broker.down(Signal::Term).await;
    broker.up().await;

    let sink = RabbitSink::new(settings.clone(), Arc::new(SystemClock::new())).unwrap();
    sink.publish(&event(1)).await.unwrap();
    let heard = Heard::new(|_| Err(ListenError::reject("no such order")));
    let running = start(consumer(settings, QUEUE), &heard);
    until("it is heard", || heard.count() == 1).await;
    running.stop().await;
    assert_eq!(
        drain(&broker.url(), &dead.queue).await,
        [event(1).body().unwrap()]
    );
    broker.down(Signal::Kill).await;
}
