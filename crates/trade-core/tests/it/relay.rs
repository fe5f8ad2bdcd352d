//! Events: in order within an order, kept while nobody takes them.

use std::{
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use trade_core::{
    Channel, Event, ProductAppId,
    job::{self, Work},
    memory::ManualClock,
    port::{Clock, EventSink, Shard, SinkError},
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
async fn what_a_tick_has_not_begun_in_its_first_seconds_is_left_to_the_next() {
    let world = world_with_events(4).await;
    let sink = Slow {
        world_clock: world.clock.clone(),
        takes: Duration::from_millis(1500),
        offered: AtomicU32::new(0),
    };
    let report = job::relay_events(&world.service, &sink, 10).await.unwrap();
    assert_eq!((report.due, report.changed), (3, 3));
    let next = job::relay_events(&world.service, &sink, 10).await.unwrap();
    assert_eq!((next.due, next.changed), (1, 1));
}

/// A sink that needs nine seconds for each event of one order system, and nothing for those of others.
#[derive(Debug)]
struct SlowFor {
    clock: Arc<ManualClock>,
    app: ProductAppId,
    took: Mutex<Vec<(ProductAppId, Duration)>>,
    at_once: AtomicU32,
    most_at_once: AtomicU32,
}

#[async_trait]
impl EventSink for SlowFor {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        let app = event.message.product_app_id.clone();
        let at_once = self.at_once.fetch_add(1, Ordering::SeqCst) + 1;
        self.most_at_once.fetch_max(at_once, Ordering::SeqCst);
        if app == self.app {
            self.clock.sleep(Duration::from_secs(9)).await;
        }
        self.at_once.fetch_sub(1, Ordering::SeqCst);
        self.took.lock().unwrap().push((app, self.clock.monotonic()));
        Ok(())
    }
}

/// Polls a tick to its end, with time passing whenever nothing else happens.
async fn while_time_passes(clock: &ManualClock, tick: impl Future<Output = job::Tick>) -> job::Report {
    let mut tick = std::pin::pin!(tick);
    loop {
        let polled = tokio::time::timeout(Duration::from_millis(50), &mut tick).await;
        match polled {
            Ok(done) => return done.unwrap(),
            Err(_elapsed) => clock.advance(Duration::from_secs(1)),
        }
    }
}

#[tokio::test]
async fn a_receiver_that_takes_its_time_holds_up_nobody_else() {
    let world = World::new().await;
    let (slow, quick) = (
        ProductAppId::new("slow.shop").unwrap(),
        ProductAppId::new("quick.shop").unwrap(),
    );
    // More than a tick claims, and those of the quick one are the last of them.
    for order in 1..=140 {
        let app = if order <= 120 { &slow } else { &quick };
        let trading = world.create_for(app, Channel::WechatPay, order).await;
        world.service.close(trading.trading_order_no).await.unwrap();
    }
    let sink = SlowFor {
        clock: world.clock.clone(),
        app: slow.clone(),
        took: Mutex::default(),
        at_once: AtomicU32::new(0),
        most_at_once: AtomicU32::new(0),
    };
    let relay = async || {
        let began = world.clock.monotonic();
        let tick = job::relay_events(&world.service, &sink, 100);
        let report = while_time_passes(&world.clock, tick).await;
        assert!(sink.most_at_once.load(Ordering::SeqCst) <= 32);
        let took = std::mem::take(&mut *sink.took.lock().unwrap());
        let of = |app: &ProductAppId| {
            let of_app = took.iter().filter(|(of, _)| of == app);
            of_app.map(|(_, at)| (*at - began).as_secs()).collect::<Vec<_>>()
        };
        (of(&quick), of(&slow), report)
    };
    let (quick_ones, slow_ones, report) = relay().await;
    assert_eq!((quick_ones, slow_ones), (vec![0; 20], vec![9; 16]));
    assert_eq!((report.due, report.changed, report.failed), (36, 36, 0));

    // What was committed meanwhile comes next, whatever still waits for the slow one.
    let trading = world.create_for(&quick, Channel::WechatPay, 141).await;
    world.service.close(trading.trading_order_no).await.unwrap();
    let (quick_ones, slow_ones, _) = relay().await;
    assert_eq!((quick_ones, slow_ones), (vec![0], vec![9; 16]));
    for left in [16, 16, 16, 16, 16, 8, 0] {
        let (_, slow_ones, report) = relay().await;
        assert_eq!(
            (slow_ones.len(), report.changed),
            (left, u32::try_from(left).unwrap())
        );
    }
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
