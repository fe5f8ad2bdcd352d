//! Closing and expiry.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;

use crate::world::{World, bank};

#[tokio::test]
async fn an_unpaid_trading_is_closed_once() {
    let world = World::new().await;
    for (channel, order) in ["WECHAT_PAY", "ALI_PAY"].into_iter().zip(1..) {
        let created = world.create(channel, order).await;
        let number = created["tradingOrderNo"].as_str().unwrap();
        for _ in 0..2 {
            let (status, row) = world
                .post_empty(&format!("/trade/inner/tradings/{number}/close"))
                .await;
            assert_eq!(
                (status, &row["tradingState"]),
                (StatusCode::OK, &json!(5)),
                "{row}"
            );
        }
    }
    assert!(
        world
            .sandbox
            .pay(bank("WECHAT_PAY"), &first(&world, 1).await)
            .is_err(),
        "a closed order takes no money"
    );
    let states: Vec<_> = world
        .announced()
        .await
        .iter()
        .map(|event| event.message.status_code)
        .collect();
    assert_eq!(states, [5, 5]);
}

async fn first(world: &World, order: i64) -> String {
    let (_, rows) = world
        .get(&format!("/trade/inner/tradings?productOrderNo={order}"))
        .await;
    rows[0]["tradingOrderNo"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_paid_trading_is_not_closed_but_settled() {
    let world = World::new().await;
    world.hold_notices();
    let created = world.create("WECHAT_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    world.pay("WECHAT_PAY", number);
    let (status, problem) = world
        .post_empty(&format!("/trade/inner/tradings/{number}/close"))
        .await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!(1023)),
        "{problem}"
    );
    assert_eq!(world.row(number).await["tradingState"], 4);
}

#[tokio::test]
async fn twenty_minutes_end_an_unpaid_trading() {
    let world = World::new().await;
    let mut numbers = Vec::new();
    for (channel, order) in ["WECHAT_PAY", "ALI_PAY"].into_iter().zip(1..) {
        let created = world.create(channel, order).await;
        numbers.push(created["tradingOrderNo"].as_str().unwrap().to_owned());
    }
    world.advance(Duration::from_secs(19 * 60));
    for number in &numbers {
        assert_eq!(world.row(number).await["tradingState"], 2);
    }
    world.advance(Duration::from_secs(61));
    for number in &numbers {
        world.until_state_in_time(number, "cancelled").await;
    }
}

#[tokio::test]
async fn an_alipay_code_paid_after_its_close_is_not_lost() {
    let world = World::new().await;
    let created = world.create("ALI_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    let (status, _) = world
        .post_empty(&format!("/trade/inner/tradings/{number}/close"))
        .await;
    assert_eq!(status, StatusCode::OK);
    world.pay("ALI_PAY", number);
    world.until_state(number, "settled").await;
}
