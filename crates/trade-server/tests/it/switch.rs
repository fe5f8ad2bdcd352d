//! Changing the channel: what is no change, and what is refused.

use axum::http::StatusCode;
use serde_json::json;

use crate::world::{World, payment};

#[tokio::test]
async fn a_switch_to_the_same_channel_is_no_switch() {
    let world = World::new().await;
    let first = world.create("ALI_PAY", 1).await;
    let mut request = payment("ALI_PAY", 1);
    request["changeChannel"] = json!(true);
    let (status, again) = world.post("/trade/inner/native", &request).await;
    assert_eq!((status, &again), (StatusCode::OK, &first));
    let (_, listed) = world.get("/trade/inner/tradings?productOrderNo=1").await;
    assert_eq!(listed.as_array().unwrap().len(), 1);
}

#[tokio::test]
async fn a_switch_that_cannot_be_leaves_the_live_trading_alone() {
    let world = World::new().await;
    let created = world.create("ALI_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    for (field, value, status, code) in [
        ("tradingChannel", json!("CASH_PAY"), StatusCode::BAD_REQUEST, 1003),
        (
            "tradingChannel",
            json!("wechat_pay"),
            StatusCode::BAD_REQUEST,
            1003,
        ),
        ("tradingAmount", json!("19.91"), StatusCode::CONFLICT, 1007),
        ("enterpriseId", json!("9"), StatusCode::BAD_REQUEST, 1008),
    ] {
        let mut request = payment("ALI_PAY", 1);
        request["changeChannel"] = json!(true);
        request[field] = value.clone();
        let (got, problem) = world.post("/trade/inner/native", &request).await;
        assert_eq!(
            (got, &problem["code"]),
            (status, &json!(code)),
            "{field}={value}: {problem}"
        );
    }
    assert_eq!(world.row(number).await["state"], "paying.placed");
    assert_eq!(world.sandbox.ledger().orders.len(), 1, "nothing else was placed");
}

#[tokio::test]
async fn a_paid_order_is_not_switched() {
    let world = World::new().await;
    let number = world.paid("ALI_PAY", 1).await;
    let mut request = payment("WECHAT_PAY", 1);
    request["changeChannel"] = json!(true);
    let (status, problem) = world.post("/trade/inner/native", &request).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!(1006)),
        "{problem}"
    );
    assert!(problem["detail"].as_str().unwrap().contains(&number), "{problem}");
    assert_eq!(world.sandbox.ledger().orders.len(), 1, "nothing was placed");
}

#[tokio::test]
async fn a_switch_of_a_trading_just_paid_finds_the_payment() {
    let world = World::new().await;
    world.hold_notices();
    let created = world.create("WECHAT_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    world.pay("WECHAT_PAY", number);
    let mut request = payment("ALI_PAY", 1);
    request["changeChannel"] = json!(true);
    let (status, problem) = world.post("/trade/inner/native", &request).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!(1006)),
        "{problem}"
    );
    assert_eq!(world.row(number).await["tradingState"], 4);
}
