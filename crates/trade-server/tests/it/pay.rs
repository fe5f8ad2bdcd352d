//! Creating and settling.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use trade_sandbox::SandboxConfig;

use crate::world::{World, bank, payment};

const BOTH: [&str; 2] = ["WECHAT_PAY", "ALI_PAY"];

#[tokio::test]
async fn a_payment_gives_a_code_and_its_repeat_the_same() {
    let world = World::new().await;
    for (channel, order) in BOTH.into_iter().zip(1..) {
        let first = world.create(channel, order).await;
        assert_eq!(first["productOrderNo"], order.to_string());
        assert_eq!(first["tradingChannel"], channel);
        assert!(
            first["qrCode"]
                .as_str()
                .unwrap()
                .starts_with("data:image/png;base64,")
        );
        // Longs as numbers and yuan as a number are read as well.
        let mut numbers = payment(channel, order);
        numbers["productOrderNo"] = json!(order);
        numbers["tradingAmount"] = json!(19.90);
        numbers["changeChannel"] = json!(false);
        let (status, again) = world.post("/trade/inner/native", &numbers).await;
        assert_eq!(status, StatusCode::OK, "{again}");
        assert_eq!(first, again);
        let number = first["tradingOrderNo"].as_str().unwrap();
        let ledger = world.sandbox.ledger();
        assert_eq!(ledger.order(bank(channel), number).unwrap().amount_fen, 1990);
    }
}

#[tokio::test]
async fn a_notice_settles() {
    let world = World::new().await;
    for (channel, order) in BOTH.into_iter().zip(1..) {
        let created = world.create(channel, order).await;
        let number = created["tradingOrderNo"].as_str().unwrap();
        world.pay(channel, number);
        let row = world.until_state(number, "settled").await;
        assert_eq!(row["tradingState"], 4);
        assert_eq!(row["tradingAmount"], "19.90");
        assert_eq!(row["qrCode"], json!(null));
        assert!(!row["transactionId"].as_str().unwrap().is_empty());
        assert!(world.sandbox.quiet().await);
        let (status, history) = world
            .get(&format!("/trade/inner/tradings/{number}/history"))
            .await;
        assert_eq!(status, StatusCode::OK);
        assert_eq!(history[2]["toState"], "settled");
    }
    let states: Vec<_> = world
        .announced()
        .await
        .iter()
        .map(|event| event.message.status_code)
        .collect();
    assert_eq!(states, [4, 4]);
}

#[tokio::test]
async fn a_poll_settles_with_every_notice_held_back() {
    let world = World::new().await;
    world.hold_notices();
    for (channel, order) in BOTH.into_iter().zip(1..) {
        let created = world.create(channel, order).await;
        let number = created["tradingOrderNo"].as_str().unwrap();
        world.pay(channel, number);
        world.advance(Duration::from_secs(6));
        world.until_state(number, "settled").await;
        let (_, history) = world
            .get(&format!("/trade/inner/tradings/{number}/history"))
            .await;
        assert_eq!(history[2]["cause"], "query");
    }
}

#[tokio::test]
async fn the_result_route_asks_the_channel() {
    let world = World::new().await;
    world.hold_notices();
    let created = world.create("ALI_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    let path = format!("/trade/inner/tradings/findTradResultByTradingOrderNo?tradingOrderNo={number}");
    let (status, pending) = world.get(&path).await;
    assert_eq!(
        (status, &pending["tradingState"]),
        (StatusCode::OK, &json!(2)),
        "unscanned is waiting, no error"
    );
    world.pay("ALI_PAY", number);
    assert_eq!(world.get(&path).await.1["tradingState"], 4);
    let unknown = "/trade/inner/tradings/findTradResultByTradingOrderNo?tradingOrderNo=5";
    assert_eq!(
        world.get(unknown).await,
        (StatusCode::OK, json!("")),
        "unknown is an empty answer to old callers"
    );
    let (status, _) = world
        .post_empty(&format!("/trade/inner/basic/query/{number}"))
        .await;
    assert_eq!(status, StatusCode::OK);
}

#[tokio::test]
async fn a_paid_order_refuses_a_second_payment_and_its_code() {
    let world = World::new().await;
    let created = world.create("WECHAT_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    let svg = world
        .http
        .get(format!("{}/trade/inner/tradings/{number}/qr.svg", world.base))
        .send()
        .await
        .unwrap();
    assert!(svg.text().await.unwrap().starts_with("<svg "));
    world.pay("WECHAT_PAY", number);
    world.until_state(number, "settled").await;
    for channel in BOTH {
        let (status, problem) = world.post("/trade/inner/native", &payment(channel, 1)).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::CONFLICT, &json!(1006)),
            "{problem}"
        );
    }
    let (status, problem) = world.get(&format!("/trade/inner/native/qrcode/{number}")).await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!(1006)));
}

#[tokio::test]
async fn a_switch_needs_the_word_and_closes_the_old() {
    let world = World::new().await;
    let old = world.create("WECHAT_PAY", 1).await;
    let (status, problem) = world.post("/trade/inner/native", &payment("ALI_PAY", 1)).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!(1007)),
        "{problem}"
    );
    let mut switch = payment("ALI_PAY", 1);
    switch["changeChannel"] = json!(true);
    let (status, new) = world.post("/trade/inner/native", &switch).await;
    assert_eq!(status, StatusCode::OK, "{new}");
    assert_eq!(
        world.row(old["tradingOrderNo"].as_str().unwrap()).await["state"],
        "cancelled"
    );
    let (_, listed) = world.get("/trade/inner/tradings?productOrderNo=1").await;
    assert_eq!(listed.as_array().unwrap().len(), 2);
}

#[tokio::test]
async fn both_other_key_modes_work_as_well() {
    let mut config = SandboxConfig::default();
    config.alipay.escaped_slashes = true;
    let world = World::with(config).await;
    let created = world.create("ALI_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    world.pay("ALI_PAY", number);
    world.until_state(number, "settled").await;
}
