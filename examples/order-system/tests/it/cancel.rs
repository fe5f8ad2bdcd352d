//! Cancelling: who may, when, and what becomes of the money.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{ALIPAY, OTHER_USER, WECHAT, World, number};

const HOUR: Duration = Duration::from_secs(3600);
const STEP: Duration = Duration::from_secs(10);

async fn operator_cancels(world: &World, id: &str) -> (u16, Value) {
    let body = json!({"id": id, "cancelReason": "客服取消"});
    let path = "/orders-manager/operation/orders/cancel";
    let (status, answer) = world.call(Method::PUT, path, None, Some(&body)).await;
    (status.as_u16(), answer)
}

#[tokio::test]
async fn an_unpaid_order_is_cancelled_and_its_code_is_dead() {
    let world = World::new().await;
    let id = world.place().await;
    let code = world.code(&id, WECHAT).await;
    world.cancel(&id).await;
    let order = world.detail(&id).await;
    assert_eq!(
        (&order["ordersStatus"], &order["payStatus"]),
        (&json!(600), &json!(2))
    );
    assert_eq!(
        (
            &order["canceled"]["cancelReason"],
            &order["canceled"]["cancellerType"]
        ),
        (&json!("计划有变"), &json!(1))
    );
    assert_eq!(order["canceled"]["cancellerId"], "1001");
    assert_eq!(order["refundStatus"], Value::Null);
    let trading = world.trading(&number(&code)).await;
    assert_eq!(
        (&trading["tradingState"], &trading["withdrawn"]),
        (&json!(5), &json!(true))
    );
    let bank = trade_sandbox::Channel::Wechat;
    assert!(
        world.sandbox.pay(bank, &number(&code)).is_err(),
        "nobody can pay it"
    );

    // One that never had a code is cancelled, too.
    let id = world.place().await;
    world.cancel(&id).await;
    assert_eq!(world.status(&id).await, 600);
}

#[tokio::test]
async fn a_paid_order_is_closed_and_its_money_goes_back() {
    let world = World::new().await;
    for channel in [WECHAT, ALIPAY] {
        let id = world.place().await;
        let code = world.code(&id, channel).await;
        world.pay(&code);
        world.until_status(&id, 100).await;
        world.cancel(&id).await;
        let order = world.detail(&id).await;
        assert_eq!(order["ordersStatus"], 700);
        let order = world
            .until_in_time(&id, STEP, |order| order["refundStatus"] == 2)
            .await;
        assert!(order["refundNo"].is_string(), "{order}");
        assert_eq!(
            order["refundId"].is_string(),
            channel == WECHAT,
            "Alipay has no number of its own"
        );
        assert_eq!(world.net_fen(channel, &number(&code)), 0);
        assert_eq!(world.metric("order_refunds_waiting").await, 0, "the row is gone");
        let ledger = world.sandbox.ledger();
        let of_order = number(&code);
        let refunds = ledger
            .refunds
            .iter()
            .filter(|refund| refund.order.out_trade_no == of_order);
        assert_eq!(refunds.count(), 1);
        let done = order["history"]
            .as_array()
            .unwrap()
            .iter()
            .filter(|line| line["event"] == "REFUND_SUCCESS");
        assert_eq!(done.count(), 1, "told by the event and by the job, done once");
    }
}

#[tokio::test]
async fn a_customer_cancels_a_taken_order_with_two_hours_notice_only() {
    let world = World::new().await;
    let booking = |hours: u32| {
        let mut booking = world.booking();
        booking["serveStartTime"] = json!(world.in_time(HOUR * hours));
        booking
    };
    let id = world.place_as(&booking(4)).await;
    let code = world.code(&id, WECHAT).await;
    world.pay(&code);
    world.until_status(&id, 100).await;
    world.step(&id, "take").await;
    world.advance(HOUR * 2 + Duration::from_secs(1));
    let body = json!({"id": id, "cancelReason": "晚了"});
    let (status, message) = world
        .refused(Method::PUT, "/consumer/orders/cancel", Some(&body))
        .await;
    assert_eq!((status, message.contains("两小时")), (409, true), "{message}");
    assert_eq!(world.status(&id).await, 200);
    // The platform may all the same.
    assert_eq!(operator_cancels(&world, &id).await.0, 200);
    assert_eq!(world.status(&id).await, 700);

    let id = world.place_as(&booking(4)).await;
    world.pay(&world.code(&id, WECHAT).await);
    world.until_status(&id, 100).await;
    world.step(&id, "take").await;
    world.cancel(&id).await;
    let order = world
        .until_in_time(&id, STEP, |order| order["refundStatus"] == 2)
        .await;
    assert_eq!(order["ordersStatus"], 700);
}

#[tokio::test]
async fn the_platform_closes_what_is_under_way_or_has_just_ended() {
    let world = World::new().await;
    let serving = world.paid().await;
    let finished = world.paid().await;
    let long_ago = world.paid().await;
    for (id, steps) in [
        (&serving, &["take", "start"][..]),
        (&finished, &["take", "start", "finish"]),
        (&long_ago, &["take", "start", "finish"]),
    ] {
        for step in steps {
            world.step(id, step).await;
        }
        let body = json!({"id": id, "cancelReason": "不要了"});
        let (status, message) = world
            .refused(Method::PUT, "/consumer/orders/cancel", Some(&body))
            .await;
        assert_eq!((status, message.contains("不支持取消")), (409, true), "{message}");
    }
    assert_eq!(operator_cancels(&world, &serving).await.0, 200);
    world.advance(Duration::from_secs(15 * 24 * 3600 - 10));
    assert_eq!(operator_cancels(&world, &finished).await.0, 200);
    world.advance(Duration::from_secs(10));
    let (status, answer) = operator_cancels(&world, &long_ago).await;
    assert_eq!((status, &answer["code"]), (409, &json!(607)), "{answer}");
    assert_eq!(world.status(&long_ago).await, 500);
    for id in [&serving, &finished] {
        let order = world
            .until_in_time(id, STEP, |order| order["refundStatus"] == 2)
            .await;
        assert_eq!(
            (&order["ordersStatus"], &order["canceled"]["cancellerType"]),
            (&json!(700), &json!(4))
        );
    }
}

#[tokio::test]
async fn cancelling_twice_at_once_refunds_once() {
    let world = World::new().await;
    let id = world.paid().await;
    let body = json!({"id": id, "cancelReason": "点了两下"});
    let path = "/orders-manager/consumer/orders/cancel";
    let clicks = (0..6).map(|_| world.call(Method::PUT, path, Some(1001), Some(&body)));
    let answers = futures_util::future::join_all(clicks).await;
    let done = answers.iter().filter(|(status, _)| status.is_success()).count();
    assert_eq!(done, 1, "{answers:?}");
    world
        .until_in_time(&id, STEP, |order| order["refundStatus"] == 2)
        .await;
    assert_eq!(world.sandbox.ledger().refunds.len(), 1);
}

#[tokio::test]
async fn a_stranger_cancels_nothing() {
    let world = World::new().await;
    let id = world.place().await;
    let body = json!({"id": id, "cancelReason": "捣乱"});
    let path = "/orders-manager/consumer/orders/cancel";
    let (status, _) = world.call(Method::PUT, path, Some(OTHER_USER), Some(&body)).await;
    assert_eq!(status.as_u16(), 403);
    assert_eq!(world.status(&id).await, 0);
}

#[tokio::test]
async fn an_order_that_nobody_takes_in_time_is_closed_by_the_system() {
    let world = World::new().await;
    let id = world.paid().await;
    world.advance(HOUR * 24 + Duration::from_secs(1));
    let order = world.until_status(&id, 700).await;
    assert_eq!(order["canceled"]["cancellerType"], 0);
    world
        .until_in_time(&id, STEP, |order| order["refundStatus"] == 2)
        .await;
}

#[tokio::test]
async fn a_refund_that_failed_is_seen_and_begun_again_by_the_operator() {
    use trade_sandbox::{Channel as Bank, ledger::RefundOutcome};
    let world = World::new().await;
    let id = world.paid().await;
    let trading = world.detail(&id).await["tradingOrderNo"]
        .as_str()
        .unwrap()
        .to_owned();
    world.cancel(&id).await;
    let order = world.until(&id, |order| order["refundNo"].is_string()).await;
    let refund = order["refundNo"].as_str().unwrap();
    world
        .sandbox
        .settle_refund(Bank::Wechat, refund, RefundOutcome::Closed)
        .unwrap();
    let order = world
        .until_in_time(&id, STEP, |order| order["refundStatus"] == 3)
        .await;
    assert_eq!(order["ordersStatus"], 700);
    assert_eq!(world.net_fen(WECHAT, &trading), 7980);
    let (_, page) = world.call(Method::GET, "/operator", None, None).await;
    assert!(
        page.as_str()
            .unwrap()
            .contains(&format!("/operator/orders/{id}/refund")),
        "{page}"
    );
    let path = format!("/operation/orders/{id}/refund");
    world.ok(Method::PUT, &path, None).await;
    let order = world
        .until_in_time(&id, Duration::from_secs(61), |order| order["refundStatus"] == 2)
        .await;
    assert_eq!(world.net_fen(WECHAT, &trading), 0);
    assert_ne!(
        order["refundNo"], refund,
        "another refund with a number of its own"
    );
    let (status, _) = world.refused(Method::PUT, &path, None).await;
    assert_eq!(status, 409, "what is done is not begun again");
}
