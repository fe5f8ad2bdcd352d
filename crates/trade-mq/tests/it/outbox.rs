//! The relay over the sink: what was not announced stays.

use std::time::Duration;

use trade_core::{
    RoutingKey,
    port::{Census as _, Outbox as _},
};
use trade_mq::declare_queue;

use crate::support::{Corner, Outbox};

/// The order system declares its queue.
async fn listen(corner: &Corner) {
    let (settings, keys) = (corner.settings(), [RoutingKey::UpdateStatus]);
    let declared = declare_queue(&settings, &corner.queue, &keys, None).await;
    declared.unwrap();
}

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
    listen(&corner).await;
    let report = outbox.relay(&sink, 10).await;
    assert_eq!((report.due, report.changed, report.failed), (1, 1, 0));
    assert_eq!(outbox.relay(&sink, 10).await.due, 0);
    assert_eq!(corner.drain(&corner.queue).await, outbox.bodies().await);
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_without_a_queue_for_a_day_is_stuck_and_goes_out_when_sent_again() {
    let corner = Corner::new().await;
    let sink = corner.sink();
    let outbox = Outbox::with_events(1, 2).await;
    for hours in [0, 23, 1] {
        outbox.clock.advance(Duration::from_secs(hours * 3600));
        assert_eq!(outbox.store.counts().await.unwrap().stuck_events, 0);
        assert_eq!(outbox.relay(&sink, 10).await.failed, 1);
    }
    let stuck = outbox.store.waiting_events(true, 10).await.unwrap();
    assert_eq!(stuck.len(), 1);
    let reason = stuck[0].reason.as_deref().unwrap();
    assert!(reason.contains("no queue is bound"), "{reason}");
    listen(&corner).await;
    outbox.clock.advance(Duration::from_secs(3600));
    assert_eq!(outbox.relay(&sink, 10).await.due, 0, "the second waits behind it");
    let id = stuck[0].event.event_id;
    outbox.service.resend(id, "test").await.unwrap();
    for _ in 0..2 {
        assert_eq!(outbox.relay(&sink, 10).await.changed, 1);
    }
    assert_eq!(corner.drain(&corner.queue).await, outbox.bodies().await);
}
