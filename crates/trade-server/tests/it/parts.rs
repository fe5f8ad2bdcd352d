//! Refunds under the order system's own numbers: in parts, one after the other, never too much.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::{World, bank};

const MINUTE: Duration = Duration::from_secs(60);

async fn part(world: &World, name: &str, number: &str, yuan: &str) -> (StatusCode, Value) {
    world
        .post("/trade/inner/refunds", &World::part(name, number, yuan))
        .await
}

fn path(name: &str) -> String {
    format!("/trade/inner/refunds/{name}?productAppId=jzo2o.orders")
}

/// Minute by minute, as time goes on, until the refund is done.
async fn until_done(world: &World, name: &str) -> Value {
    for _ in 0..10 {
        for _ in 0..100 {
            let (_, shown) = world.get(&path(name)).await;
            if shown["refundStatus"] == 2 {
                return shown;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        world.advance(Duration::from_secs(61));
    }
    panic!(
        "{name} is not done in ten minutes: {}",
        world.get(&path(name)).await.1
    );
}

#[tokio::test]
async fn parts_at_wechat_wait_a_minute_for_each_other_until_nothing_is_left() {
    let world = World::new().await;
    let number = world.paid("WECHAT_PAY", 1).await;
    let (status, first) = part(&world, "r-1", &number, "5.00").await;
    assert_eq!(status, StatusCode::OK, "{first}");
    assert_eq!(
        (&first["origin"], &first["productRefundNo"], &first["state"]),
        (&json!("CALLER"), &json!("r-1"), &json!("sending.accepted"))
    );
    assert_eq!(first["outRefundNo"], first["refundNo"]);
    let (status, second) = part(&world, "r-2", &number, "5.00").await;
    assert_eq!((status, &second["state"]), (StatusCode::OK, &json!("applied")));
    let action = second["action"].as_str().unwrap();
    assert!(
        action.contains("waiting its turn") && action.contains(second["sendAt"].as_str().unwrap()),
        "{action}"
    );
    let (status, third) = part(&world, "r-3", &number, "9.90").await;
    assert_eq!(status, StatusCode::OK);
    assert!(
        third["sendAt"].as_str() > second["sendAt"].as_str(),
        "{second} {third}"
    );
    let (status, problem) = part(&world, "r-4", &number, "0.01").await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::CONFLICT, &json!(1024)),
        "all is reserved: {problem}"
    );
    assert_eq!(
        world.sandbox.ledger().refunds.len(),
        1,
        "the second and third have not been sent"
    );
    world.advance(MINUTE);
    until_done(&world, "r-2").await;
    for name in ["r-1", "r-3"] {
        until_done(&world, name).await;
    }
    let row = world.row(&number).await;
    assert_eq!(
        (&row["refunded"], &row["isRefund"]),
        (&json!("19.90"), &json!("YES"))
    );
    let ledger = world.sandbox.ledger();
    assert_eq!(
        (ledger.net_fen(bank("WECHAT_PAY"), &number), ledger.refunds.len()),
        (0, 3)
    );
    let (status, problem) = part(&world, "r-5", &number, "0.01").await;
    assert_eq!((status, &problem["code"]), (StatusCode::CONFLICT, &json!(1024)));
    // A repeat of what is done is what is done.
    let (status, again) = part(&world, "r-2", &number, "5.00").await;
    assert_eq!((status, &again["refundStatus"]), (StatusCode::OK, &json!(2)));
    assert_eq!(again["refundNo"], second["refundNo"]);
}

#[tokio::test]
async fn a_number_used_again_with_another_amount_or_trading_is_refused() {
    let world = World::new().await;
    let number = world.paid("ALI_PAY", 1).await;
    let other = world.paid("ALI_PAY", 2).await;
    let (status, first) = part(&world, "r-1", &number, "5.00").await;
    assert_eq!(status, StatusCode::OK, "{first}");
    let (status, again) = part(&world, "r-1", &number, "5").await;
    assert_eq!((status, &again["refundNo"]), (StatusCode::OK, &first["refundNo"]));
    for (number, yuan) in [(&number, "5.01"), (&number, "4.99"), (&other, "5.00")] {
        let (status, problem) = part(&world, "r-1", number, yuan).await;
        assert_eq!(
            (status, &problem["code"]),
            (StatusCode::UNPROCESSABLE_ENTITY, &json!(1016)),
            "{yuan}: {problem}"
        );
        assert!(problem["detail"].as_str().unwrap().contains("r-1"), "{problem}");
    }
    assert_eq!(world.sandbox.ledger().refunded_fen(bank("ALI_PAY")), 500);
    assert_eq!(world.row(&other).await["isRefund"], "NO");
}

#[tokio::test]
async fn what_cannot_be_refunded_reserves_and_sends_nothing() {
    let world = World::new().await;
    let number = world.paid("WECHAT_PAY", 1).await;
    let unpaid = world.create("WECHAT_PAY", 2).await["tradingOrderNo"]
        .as_str()
        .unwrap()
        .to_owned();
    let foreign = ("productAppId", json!("someone.else"));
    let cases = [
        (("tradingOrderNo", json!("5")), StatusCode::NOT_FOUND, 1022),
        (("tradingOrderNo", json!(unpaid)), StatusCode::CONFLICT, 1016),
        (foreign, StatusCode::NOT_FOUND, 1022),
        (("refundAmount", json!("19.91")), StatusCode::CONFLICT, 1024),
        (("refundAmount", json!("99999.99")), StatusCode::CONFLICT, 1024),
        (("refundAmount", json!("0")), StatusCode::BAD_REQUEST, 1003),
        (("refundAmount", json!("0.00")), StatusCode::BAD_REQUEST, 1003),
        (("refundAmount", json!(-1)), StatusCode::BAD_REQUEST, 1003),
        (("refundAmount", json!("-1.00")), StatusCode::BAD_REQUEST, 1003),
        (("refundAmount", json!("1.001")), StatusCode::BAD_REQUEST, 1003),
        (("refundAmount", json!(1.001)), StatusCode::BAD_REQUEST, 1003),
        (
            ("refundAmount", json!("99999999999999999999")),
            StatusCode::BAD_REQUEST,
            1003,
        ),
        (("refundAmount", json!("1e2")), StatusCode::BAD_REQUEST, 1003),
        (("refundAmount", json!(null)), StatusCode::BAD_REQUEST, 1003),
        (("tradingOrderNo", json!(null)), StatusCode::BAD_REQUEST, 1003),
        (("tradingOrderNo", json!("x")), StatusCode::BAD_REQUEST, 1003),
        (("tradingOrderNo", json!(0)), StatusCode::BAD_REQUEST, 1003),
        (("productRefundNo", json!(null)), StatusCode::BAD_REQUEST, 1003),
        (("productRefundNo", json!("退款")), StatusCode::BAD_REQUEST, 1003),
        (("productRefundNo", json!("a b")), StatusCode::BAD_REQUEST, 1003),
        (
            ("productRefundNo", json!("x".repeat(65))),
            StatusCode::BAD_REQUEST,
            1003,
        ),
        (("productRefundNo", json!(7)), StatusCode::BAD_REQUEST, 1003),
        (("productAppId", json!("")), StatusCode::BAD_REQUEST, 1003),
        (("productAppId", json!("订单")), StatusCode::BAD_REQUEST, 1003),
        (("reason", json!("长".repeat(300))), StatusCode::BAD_REQUEST, 1003),
        (("reason", json!(5)), StatusCode::BAD_REQUEST, 1003),
    ];
    for ((field, value), status, code) in cases {
        let mut request = World::part("r-1", &number, "1.00");
        request[field] = value.clone();
        let (got, problem) = world.post("/trade/inner/refunds", &request).await;
        assert_eq!(
            (got, &problem["code"]),
            (status, &json!(code)),
            "{field}={value}: {problem}"
        );
    }
    let row = world.row(&number).await;
    assert_eq!((&row["isRefund"], &row["refund"]), (&json!("NO"), &Value::Null));
    assert!(world.sandbox.ledger().refunds.is_empty(), "nothing is sent");
    assert_eq!(
        world.get(&path("r-1")).await.0,
        StatusCode::NOT_FOUND,
        "nothing is stored"
    );
    // Nothing of it stands in the way of the right one.
    let (status, refund) = part(&world, "r-1", &number, "19.90").await;
    assert_eq!(status, StatusCode::OK, "{refund}");
}

fn texts(list: &Value, field: &str) -> Vec<String> {
    let items = list.as_array().unwrap_or_else(|| panic!("{list}"));
    items
        .iter()
        .map(|item| item[field].as_str().unwrap().to_owned())
        .collect()
}

#[tokio::test]
async fn refunds_are_found_by_their_names() {
    let world = World::new().await;
    let number = world.paid("ALI_PAY", 7).await;
    let (_, first) = part(&world, "r-1", &number, "1.00").await;
    until_done(&world, "r-1").await;
    world.advance(Duration::from_secs(4));
    let (_, second) = part(&world, "r-2", &number, "2.00").await;
    let newest_first = vec![
        second["refundNo"].as_str().unwrap().to_owned(),
        first["refundNo"].as_str().unwrap().to_owned(),
    ];
    for filter in [
        format!("tradingOrderNo={number}"),
        "productOrderNo=7".into(),
        "productAppId=jzo2o.orders".into(),
    ] {
        let (status, list) = world.get(&format!("/trade/inner/refunds?{filter}")).await;
        assert_eq!(
            (status, texts(&list, "refundNo")),
            (StatusCode::OK, newest_first.clone()),
            "{filter}"
        );
    }
    let (_, page) = world.get("/trade/inner/refunds?productOrderNo=7&limit=1").await;
    assert_eq!(texts(&page, "refundNo"), &newest_first[..1]);
    let before = format!("/trade/inner/refunds?productOrderNo=7&before={}", newest_first[0]);
    assert_eq!(texts(&world.get(&before).await.1, "refundNo"), &newest_first[1..]);

    let history = format!("/trade/inner/refund-record/{}/history", newest_first[1]);
    let (status, lines) = world.get(&history).await;
    assert_eq!(status, StatusCode::OK);
    let states = texts(&lines, "toState");
    assert_eq!(
        (states[0].as_str(), states[states.len() - 1].as_str()),
        ("applied", "success")
    );
}

#[tokio::test]
async fn refunds_asked_for_wrongly_are_refused() {
    let world = World::new().await;
    let number = world.paid("ALI_PAY", 7).await;
    let (status, _) = part(&world, "r-1", &number, "1.00").await;
    assert_eq!(status, StatusCode::OK);
    for (path, status, code) in [
        ("/trade/inner/refunds", StatusCode::BAD_REQUEST, 1029),
        ("/trade/inner/refunds?stuck=true", StatusCode::NOT_FOUND, 1025),
        (
            "/trade/inner/refunds?productOrderNo=8",
            StatusCode::NOT_FOUND,
            1025,
        ),
        (
            "/trade/inner/refunds?productOrderNo=x",
            StatusCode::BAD_REQUEST,
            1003,
        ),
        (
            "/trade/inner/refunds?productOrderNo=7&limit=201",
            StatusCode::BAD_REQUEST,
            1003,
        ),
        ("/trade/inner/refunds/r-1", StatusCode::BAD_REQUEST, 1003),
        (
            "/trade/inner/refunds/r-1?productAppId=someone.else",
            StatusCode::NOT_FOUND,
            1025,
        ),
        (
            "/trade/inner/refunds/r%201?productAppId=a",
            StatusCode::BAD_REQUEST,
            1003,
        ),
        (
            "/trade/inner/refund-record/5/history",
            StatusCode::NOT_FOUND,
            1025,
        ),
        (
            "/trade/inner/refund-record/x/history",
            StatusCode::BAD_REQUEST,
            1003,
        ),
    ] {
        let (got, problem) = world.get(path).await;
        assert_eq!(
            (got, &problem["code"]),
            (status, &json!(code)),
            "{path}: {problem}"
        );
    }
}
