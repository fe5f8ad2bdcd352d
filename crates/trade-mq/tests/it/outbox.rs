//! The relay over the sink: what was not announced stays.

use std::time::Duration;

use trade_core::{RoutingKey, port::Outbox as _};
use trade_mq::declare_queue;

use crate::support::{Corner, Outbox};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_without_a_queue_is_kept_until_there_is_one() {
    let corner = Corner::new().await;
    let sink = corner.sink();
    let outbox = Outbox::with_events(1, 1).await;
    for attempt in 1..=3 {
        let report = outbox.relay(&sink, 10).await;
        assert_eq!((report.due, report.changed, report.failed), (1, 0, 1));
        outbox.clock.advance(Duration::from_secs(600));
        let kept = outbox.store.events_after(0, 1).await.unwrap();
        assert_eq!(kept[0].attempts, attempt);
    }
    declare_queue(
        &corner.settings(),
        &corner.queue,
        &[RoutingKey::UpdateStatus],
        None,
    )
    .await
    .unwrap();
    let report = outbox.relay(&sink, 10).await;
    assert_eq!((report.due, report.changed, report.failed), (1, 1, 0));
    assert_eq!(outbox.relay(&sink, 10).await.due, 0);
    assert_eq!(corner.drain(&corner.queue).await, outbox.bodies().await);
}
