//! Services that fall and come back.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::{
    parts::Health,
    world::{WECHAT, World},
};

const PLACE: &str = "/consumer/orders/place";
const OPEN_FOR: Duration = Duration::from_secs(30);

#[tokio::test]
async fn a_fallen_service_gives_the_fallback_at_once_and_its_recovery_closes_the_breaker() {
    let world = World::new().await;
    for (place, metric, word) in [
        (
            &world.customer,
            "order_circuit_state{dependency=\"customer\"}",
            "地址簿",
        ),
        (
            &world.foundations,
            "order_circuit_state{dependency=\"foundations\"}",
            "服务目录",
        ),
    ] {
        assert_eq!(world.metric(metric).await, 0);
        place.set(Health::Silent);
        let booking = world.booking();
        for _ in 0..2 {
            let (status, message) = world.refused(Method::POST, PLACE, Some(&booking)).await;
            assert_eq!((status, message.contains(word)), (503, true), "{message}");
        }
        assert_eq!(
            world.metric(metric).await,
            2,
            "two requests, and a failure among them"
        );
        let asked = place.asked();
        let (status, _) = world.refused(Method::POST, PLACE, Some(&booking)).await;
        assert_eq!((status, place.asked()), (503, asked), "the service is left alone");

        // It is back, but nobody asks it before the thirty seconds are over.
        place.set(Health::Up);
        let (status, _) = world.refused(Method::POST, PLACE, Some(&booking)).await;
        assert_eq!((status, place.asked()), (503, asked));
        // The probe fails once.
        place.set(Health::Failing);
        world.clock.advance(OPEN_FOR);
        let (status, _) = world.refused(Method::POST, PLACE, Some(&booking)).await;
        assert_eq!((status, place.asked()), (503, asked + 1), "one probe");
        assert_eq!(world.metric(metric).await, 2);
        place.set(Health::Up);
        let (status, _) = world.refused(Method::POST, PLACE, Some(&booking)).await;
        assert_eq!((status, place.asked()), (503, asked + 1), "open again");

        world.clock.advance(OPEN_FOR);
        world.place().await;
        assert_eq!(world.metric(metric).await, 0, "closed");
        // What happened before is out of the next window.
        world.clock.advance(OPEN_FOR);
    }
    let orders = world.ok(Method::GET, "/operation/orders/page", None).await;
    assert_eq!(
        orders.as_array().unwrap().len(),
        2,
        "only what was answered was written"
    );
}

#[tokio::test]
async fn what_is_not_there_is_an_answer_and_opens_nothing() {
    let world = World::new().await;
    let mut booking = world.booking();
    booking["addressBookId"] = json!(999);
    for _ in 0..10 {
        let (status, _) = world.refused(Method::POST, PLACE, Some(&booking)).await;
        assert_eq!(status, 404);
    }
    assert_eq!(
        world.metric("order_circuit_state{dependency=\"customer\"}").await,
        0
    );
    world.place().await;
}

#[tokio::test]
async fn without_the_trade_server_nothing_is_lost_and_nothing_is_half_done() {
    let mut world = World::new().await;
    let waiting = world.place().await;
    let code = world.code(&waiting, WECHAT).await;
    let paid = world.paid().await;
    world.trade_down().await;

    // Booking goes on; paying and cancelling unpaid say what is wrong.
    let new = world.place().await;
    let pay = json!({"tradingChannel": WECHAT});
    let path = format!("/consumer/orders/pay/{new}");
    let (status, message) = world.refused(Method::PUT, &path, Some(&pay)).await;
    assert_eq!((status, message.contains("支付服务")), (503, true), "{message}");
    let body = json!({"id": waiting, "cancelReason": "不要了"});
    let (status, _) = world
        .refused(Method::PUT, "/consumer/orders/cancel", Some(&body))
        .await;
    assert_eq!(status, 503, "nobody can say whether it is being paid");
    let order = world.detail(&waiting).await;
    assert_eq!(
        (&order["ordersStatus"], order["canceled"].is_null()),
        (&json!(0), true)
    );
    let result = world
        .ok(
            Method::GET,
            &format!("/consumer/orders/pay/{waiting}/result"),
            None,
        )
        .await;
    assert_eq!(result["payStatus"], 2, "what is known is answered");

    // A paid order is closed at once; its refund waits, even for another process.
    world.cancel(&paid).await;
    assert_eq!(world.detail(&paid).await["refundStatus"], 1);
    world.restart().await;
    assert_eq!(world.metric("order_refunds_waiting").await, 1);

    world.pay(&code);
    world.trade_up().await;
    let step = Duration::from_secs(10);
    let order = world
        .until_in_time(&paid, step, |order| order["refundStatus"] == 2)
        .await;
    assert_eq!(order["ordersStatus"], 700);
    world
        .until_in_time(&waiting, step, |order| order["ordersStatus"] == 100)
        .await;
    world.code(&new, WECHAT).await;
}
