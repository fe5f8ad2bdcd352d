//! The fifteen minutes: an order ends only when nobody can pay it any more, and money that comes late goes
//! back.

use std::time::Duration;

use serde_json::json;

use crate::world::{ALIPAY, WECHAT, World, number};

const MINUTE: Duration = Duration::from_secs(60);
const STEP: Duration = Duration::from_secs(10);

#[tokio::test]
async fn an_order_that_nobody_pays_ends_after_fifteen_minutes() {
    let world = World::new().await;
    let without_code = world.place().await;
    let id = world.place().await;
    let code = world.code(&id, WECHAT).await;
    world.advance(MINUTE * 15 - Duration::from_secs(1));
    assert_eq!(world.status(&id).await, 0);
    world.advance(Duration::from_secs(1));
    for id in [&id, &without_code] {
        let order = world.until_status(id, 600).await;
        assert_eq!(order["canceled"]["cancelReason"], "订单超时支付,自动取消");
        assert_eq!(order["canceled"]["cancellerType"], 0);
    }
    let trading = world.trading(&number(&code)).await;
    assert_eq!(
        trading["tradingState"], 5,
        "closed before the order was cancelled"
    );
    let bank = trade_sandbox::Channel::Wechat;
    assert!(world.sandbox.pay(bank, &number(&code)).is_err());
}

#[tokio::test]
async fn a_payment_in_the_last_second_counts() {
    let mut world = World::new().await;
    let id = world.place().await;
    let code = world.code(&id, WECHAT).await;
    world.advance(MINUTE * 15 - Duration::from_secs(1));
    // Nobody hears of it: the trade server is away.
    world.trade_down().await;
    world.pay(&code);
    world.advance(Duration::from_secs(2));
    // The order is not ended while nobody can say whether it was paid.
    tokio::time::sleep(Duration::from_millis(500)).await;
    assert_eq!(world.status(&id).await, 0);
    world.trade_up().await;
    let order = world
        .until_in_time(&id, STEP, |order| order["ordersStatus"] != 0)
        .await;
    assert_eq!(
        (&order["ordersStatus"], &order["payStatus"]),
        (&json!(100), &json!(4))
    );
}

#[tokio::test]
async fn a_late_payment_of_a_withdrawn_code_goes_back_and_is_shown() {
    let world = World::new().await;
    let id = world.place().await;
    // Nobody has scanned this Alipay code, so it stays payable for a while after it is closed.
    let code = world.code(&id, ALIPAY).await;
    world.cancel(&id).await;
    assert_eq!(world.status(&id).await, 600);
    world.pay(&code);
    let order = world
        .until_in_time(&id, STEP, |order| order["returned"][0]["refundStatus"] == 2)
        .await;
    assert_eq!(order["ordersStatus"], 600, "it stays cancelled");
    assert_eq!(
        (
            &order["returned"][0]["origin"],
            &order["returned"][0]["refundAmount"]
        ),
        (&json!("SURPLUS"), &json!("79.80"))
    );
    assert_eq!(world.net_fen(ALIPAY, &number(&code)), 0);
}

#[tokio::test]
async fn a_payment_of_a_cancelled_order_that_the_trade_server_took_goes_back_all_the_same() {
    let world = World::new().await;
    let id = world.place().await;
    let deadline = world.detail(&id).await["payDeadline"].clone();
    world.cancel(&id).await;
    // As when a click on "pay" was on its way while the order was cancelled, and this system fell over
    // before it could take the code back.
    let code = world.unknown_trading(&id, &deadline).await;
    world.pay_at(WECHAT, &number(&code));
    let order = world
        .until_in_time(&id, STEP, |order| order["refundStatus"] == 2)
        .await;
    assert_eq!(
        (&order["ordersStatus"], &order["payStatus"]),
        (&json!(600), &json!(4))
    );
    assert_eq!(order["tradingOrderNo"], code["tradingOrderNo"]);
    let events: Vec<_> = order["history"]
        .as_array()
        .unwrap()
        .iter()
        .map(|line| &line["event"])
        .collect();
    assert_eq!(events, ["PLACE", "CANCEL", "LATE_PAYMENT", "REFUND_SUCCESS"]);
    assert_eq!(world.net_fen(WECHAT, &number(&code)), 0);
}

#[tokio::test]
async fn a_payment_beside_the_cancellation_is_not_cancelled_unnoticed() {
    let world = World::new().await;
    let id = world.place().await;
    let code = world.code(&id, WECHAT).await;
    world.pay(&code);
    let body = json!({"id": id, "cancelReason": "不要了"});
    let path = "/orders-manager/consumer/orders/cancel";
    let (status, answer) = world
        .call(reqwest::Method::PUT, path, Some(1001), Some(&body))
        .await;
    if status.is_success() {
        // The payment was known already: it is closed with its refund.
        assert_eq!(world.status(&id).await, 700);
    } else {
        assert_eq!(status.as_u16(), 409, "{answer}");
        assert!(
            answer["msg"].as_str().unwrap().contains("刚刚支付成功"),
            "{answer}"
        );
        assert_eq!(world.status(&id).await, 100);
        world.cancel(&id).await;
    }
    world
        .until_in_time(&id, STEP, |order| order["refundStatus"] == 2)
        .await;
    assert_eq!(world.net_fen(WECHAT, &number(&code)), 0);
}
