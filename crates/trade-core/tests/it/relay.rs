//! Events: in order within an order, kept while nobody takes them.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use trade_core::{
    Channel, Event,
    job::{self, Work},
    memory::ManualClock,
    port::{EventSink, Shard, SinkError},
};

use crate::support::World;

#[tokio::test]
async fn nothing_is_lost_while_the_sink_is_down() {
    let world = World::new().await;
    world.sink.set_down(true);
    for order in 1..=3 {
        let trading = world.create(Channel::WechatPay, order).await.unwrap();
        world.wechat.pay(trading.trading_order_no);
    }
    world.run(30).await;
    assert!(world.sink.published().is_empty());
    world.sink.set_down(false);
    world.run(300).await;
    let mut orders: Vec<_> = world
        .sink
        .published()
        .iter()
        .map(|event| event.message.product_order_no.get())
        .collect();
    orders.sort_unstable();
    assert_eq!(orders, [1, 2, 3]);
}

#[tokio::test]
async fn events_of_an_order_keep_their_order() {
    let world = World::new().await;
    let trading = world.create(Channel::AliPay, 1).await.unwrap();
    world.service.close(trading.trading_order_no).await.unwrap();
    world.alipay.pay(trading.trading_order_no);
    world.sink.set_down(true);
    world.run(70).await;
    world.sink.set_down(false);
    world.run(300).await;
    let seen: Vec<_> = world
        .sink
        .published()
        .iter()
        .map(|event| (event.message.seq, event.message.status_code))
        .collect();
    // Closed by its caller, then the return of the late payment.
    assert_eq!(seen, [(Some(1), 5), (Some(2), 0), (Some(3), 1), (Some(4), 2)]);
}

#[tokio::test]
async fn a_tick_is_bounded() {
    let world = World::new().await;
    for order in 1..=5 {
        let trading = world.create(Channel::WechatPay, order).await.unwrap();
        world.service.close(trading.trading_order_no).await.unwrap();
    }
    let report = job::relay_events(&world.service, &world.sink, 2).await.unwrap();
    assert_eq!((report.due, report.changed), (2, 2));
    assert!(report.is_full(2));
}

/// A sink that takes its time, and counts what it is offered.
#[derive(Debug)]
struct Slow {
    world_clock: Arc<ManualClock>,
    takes: Duration,
    offered: AtomicU32,
}

#[async_trait]
impl EventSink for Slow {
    async fn publish(&self, _event: &Event) -> Result<(), SinkError> {
        self.offered.fetch_add(1, Ordering::SeqCst);
        self.world_clock.advance(self.takes);
        Ok(())
    }
}

async fn world_with_events(orders: i64) -> World {
    let world = World::new().await;
    for order in 1..=orders {
        let trading = world.create(Channel::WechatPay, order).await.unwrap();
        world.service.close(trading.trading_order_no).await.unwrap();
    }
    world
}

#[tokio::test]
async fn told_to_stop_it_ends_after_the_event_in_hand_and_gives_the_others_back() {
    let world = world_with_events(4).await;
    let sink = Slow {
        world_clock: world.clock.clone(),
        takes: Duration::ZERO,
        offered: AtomicU32::new(0),
    };
    let is_over = || sink.offered.load(Ordering::SeqCst) > 0;
    let work = Work::of(10).until(&is_over);
    let report = job::relay_events(&world.service, &sink, work).await.unwrap();
    assert_eq!((report.due, report.changed), (1, 1));
    let next = job::relay_events(&world.service, &sink, 10).await.unwrap();
    assert_eq!(next.changed, 3, "the others were not given back");
}

#[tokio::test]
async fn what_is_left_when_the_claim_is_nearly_over_is_left_to_the_next_tick() {
    let world = world_with_events(4).await;
    let sink = Slow {
        world_clock: world.clock.clone(),
        takes: Duration::from_secs(8),
        offered: AtomicU32::new(0),
    };
    let report = job::relay_events(&world.service, &sink, 10).await.unwrap();
    assert_eq!((report.due, report.changed), (3, 3));
    let next = job::relay_events(&world.service, &sink, 10).await.unwrap();
    assert_eq!((next.due, next.changed), (1, 1));
}

#[tokio::test]
async fn told_to_stop_the_other_jobs_begin_no_further_row() {
    let world = World::new().await;
    for order in 1..=3 {
        world.create(Channel::WechatPay, order).await.unwrap();
    }
    world.clock.advance(Duration::from_secs(3600));
    let over = || true;
    for _ in 0..2 {
        let report = job::close_expired(&world.service, Work::of(10).until(&over));
        assert_eq!(report.await.unwrap(), job::Report::default());
    }
    let report = job::close_expired(&world.service, Work::of(10).on(Shard::new(0, 1).unwrap()));
    assert_eq!(report.await.unwrap().due, 3);
}
