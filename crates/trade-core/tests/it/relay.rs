//! Events: in order within an order, kept while nobody takes them.

use trade_core::{Channel, job};

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
