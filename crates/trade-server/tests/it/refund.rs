//! Refunds as the replaced service's callers ask for them.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::{Value, json};

use crate::world::World;

async fn refund(world: &World, number: &str, yuan: &str) -> (StatusCode, Value) {
    let path = format!("/trade/inner/refund-record/refund?tradingOrderNo={number}&refundAmount={yuan}");
    world.post_empty(&path).await
}

#[tokio::test]
async fn a_refund_goes_through_once_at_both_channels() {
    let world = World::new().await;
    for (channel, order) in ["WECHAT_PAY", "ALI_PAY"].into_iter().zip(1..) {
        let number = world.paid(channel, order).await;
        let (status, first) = refund(&world, &number, "19.90").await;
        assert_eq!(status, StatusCode::OK, "{first}");
        let (_, again) = refund(&world, &number, "19.90").await;
        assert_eq!(first["refundNo"], again["refundNo"]);
        let refund_no = first["refundNo"].as_str().unwrap();
        world.advance(Duration::from_secs(60));
        let mut shown = Value::Null;
        for _ in 0..500 {
            shown = world
                .get(&format!("/trade/inner/refund-record/{refund_no}"))
                .await
                .1;
            if shown["refundStatus"] == 2 {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert_eq!(shown["refundStatus"], 2, "{shown}");
        assert_eq!(
            (&shown["refundAmount"], &shown["total"]),
            (&json!("19.90"), &json!("19.90"))
        );
        let row = world.row(&number).await;
        assert_eq!(
            (&row["isRefund"], &row["refunded"]),
            (&json!("YES"), &json!("19.90"))
        );
        assert_eq!(
            world
                .sandbox
                .ledger()
                .net_fen(crate::world::bank(channel), &number),
            0
        );
        let (_, records) = world
            .get(&format!("/trade/inner/refund/records?productOrderNo={order}"))
            .await;
        assert_eq!(records.as_array().unwrap().len(), 1);
    }
}

#[tokio::test]
async fn what_cannot_be_refunded_is_a_clear_refusal() {
    let world = World::new().await;
    let unpaid = world.create("WECHAT_PAY", 1).await["tradingOrderNo"]
        .as_str()
        .unwrap()
        .to_owned();
    let number = world.paid("ALI_PAY", 2).await;
    for (number, yuan, status, code) in [
        (unpaid.as_str(), "1.00", StatusCode::CONFLICT, 1016),
        ("5", "1.00", StatusCode::NOT_FOUND, 1022),
        (&number, "19.91", StatusCode::CONFLICT, 1024),
        (&number, "0", StatusCode::BAD_REQUEST, 1003),
        (&number, "-1", StatusCode::BAD_REQUEST, 1003),
        (&number, "0.001", StatusCode::BAD_REQUEST, 1003),
        (&number, "", StatusCode::BAD_REQUEST, 1003),
        ("x", "1", StatusCode::BAD_REQUEST, 1003),
    ] {
        let (got, problem) = refund(&world, number, yuan).await;
        assert_eq!(
            (got, &problem["code"]),
            (status, &json!(code)),
            "{number} {yuan}: {problem}"
        );
    }
    assert!(
        world
            .sandbox
            .ledger()
            .refunded_fen(trade_sandbox::Channel::Alipay)
            == 0
    );
}
