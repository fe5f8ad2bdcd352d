//! A broker that is short of memory takes no messages for a while.

use std::{collections::BTreeSet, time::Duration};

use trade_core::port::Census as _;
use trade_mq::{RabbitSettings, RabbitSink, declare_queue};
use trade_testkit::proxy::Proxy;

use crate::{
    recover::in_order,
    restart::drain,
    support::{BOTH, Broker, Outbox, PATIENCE, Signal},
};

const QUEUE: &str = "trade-alarm";

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn events_wait_for_a_broker_that_is_short_of_memory_and_go_out_once_it_is_not() {
    let mut broker = Broker::start().await;
    let proxy = Proxy::start(("127.0.0.1", broker.port())).await;
    let settings = RabbitSettings {
        exchange: "trade-alarm".into(),
        connect_timeout: PATIENCE,
        confirm_timeout: Duration::from_secs(3),
        ..RabbitSettings::new(format!("amqp://guest:guest@{}/%2f", proxy.address()))
    };
    let outbox = Outbox::with_events(4, 20).await;
    declare_queue(&settings, QUEUE, &BOTH, None).await.unwrap();
    let sink = RabbitSink::new(settings, outbox.clock.clone()).unwrap();
    assert_eq!(outbox.relay(&sink, 10).await.changed, 4);
    assert_eq!(sink.away(), None);

    broker.control(&["set_vm_memory_high_watermark", "0"]);
    let blocked = async { while outbox.relay(&sink, 10).await.failed == 0 {} };
    tokio::time::timeout(PATIENCE, blocked)
        .await
        .expect("it is blocked");
    let why = sink.away().unwrap();
    assert!(why.contains("short of memory or disk"), "{why}");
    let before = proxy.passed().connections;
    // Four days: nothing goes out, nothing is given up, and no connection after the other is opened.
    for _ in 0..96 {
        outbox.clock.advance(Duration::from_secs(3600));
        let report = outbox.relay(&sink, 10).await;
        assert_eq!((report.due, report.changed, report.failed), (4, 0, 4));
    }
    assert_eq!(outbox.store.counts().await.unwrap().stuck_events, 0);
    assert_eq!(proxy.passed().connections, before);

    broker.control(&["set_vm_memory_high_watermark", "0.6"]);
    let all_sent = async {
        while outbox.is_waiting().await {
            outbox.clock.advance(Duration::from_secs(300));
            outbox.relay(&sink, 10).await;
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    tokio::time::timeout(PATIENCE, all_sent)
        .await
        .expect("all are sent");
    assert_eq!(sink.away(), None);
    let arrived = drain(&broker.url(), QUEUE).await;
    let of = |bodies: &[String]| bodies.iter().cloned().collect::<BTreeSet<_>>();
    assert!(
        of(&arrived) == of(&outbox.bodies().await),
        "{} of 80",
        of(&arrived).len()
    );
    assert!(in_order(&arrived), "an event overtook another of its order");
    broker.down(Signal::Kill).await;
}
