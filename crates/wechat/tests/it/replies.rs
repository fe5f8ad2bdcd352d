//! Authentic replies that say something else than was asked, or nothing at all.

use serde_json::{Value, json};
use trade_core::{
    Certainty, ErrorKind, Timestamp, TransactionId,
    handler::{PayHandler, PaymentStatus, RefundStatus},
};

use crate::support::{
    NOW, answering, assert_error, place_content, refund_body, refund_query, refund_request, signed, trading,
    transaction, wechat,
};

/// `body` with the value at `pointer` replaced; `None` takes it away.
fn with(mut body: Value, pointer: &str, value: Option<Value>) -> Value {
    let (parent, name) = pointer.rsplit_once('/').unwrap();
    let parent = body.pointer_mut(parent).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => parent.insert(name.to_owned(), value),
        None => parent.remove(name),
    };
    body
}

#[tokio::test]
async fn every_trade_state_is_understood() {
    for (state, expected) in [
        ("NOTPAY", PaymentStatus::Waiting),
        ("USERPAYING", PaymentStatus::Waiting),
        ("ACCEPT", PaymentStatus::Waiting),
        ("CLOSED", PaymentStatus::Closed),
        ("REVOKED", PaymentStatus::Closed),
        ("PAYERROR", PaymentStatus::Failed),
    ] {
        // Unpaid orders have little more than their state.
        let body = json!({"appid": transaction()["appid"], "mchid": transaction()["mchid"],
            "out_trade_no": transaction()["out_trade_no"], "trade_state": state, "payer": {}});
        let server = answering(signed(200, &body)).await;
        assert_eq!(
            wechat(&server).query(trading()).await.unwrap().status,
            expected,
            "{state}"
        );
    }
    for state in ["SUCCESS", "REFUND"] {
        let body = with(transaction(), "/trade_state", Some(json!(state)));
        let server = answering(signed(200, &body)).await;
        let PaymentStatus::Paid(payment) = wechat(&server).query(trading()).await.unwrap().status else {
            panic!("{state} is paid");
        };
        assert_eq!(payment.paid_at, Some(Timestamp::from_ms((NOW - 2) * 1_000)));
    }
}

#[tokio::test]
async fn a_foreign_currency_is_told_and_not_taken_for_yuan() {
    let body = with(transaction(), "/amount/currency", Some(json!("USD")));
    let server = answering(signed(200, &body)).await;
    let PaymentStatus::Paid(payment) = wechat(&server).query(trading()).await.unwrap().status else {
        panic!("paid");
    };
    assert_eq!(payment.currency, "USD");
}

#[tokio::test]
async fn a_query_answered_for_somebody_else_is_nonsense() {
    for (pointer, value) in [
        ("/out_trade_no", Some(json!("7310000000000000009"))),
        ("/out_trade_no", None),
        ("/mchid", Some(json!("1900000002"))),
        ("/mchid", None),
        ("/appid", Some(json!("wx0000000000000002"))),
        ("/appid", None),
        ("/trade_state", Some(json!("SETTLED"))),
        ("/trade_state", None),
        ("/amount", None),
        ("/amount/total", None),
        ("/amount/total", Some(json!(-1))),
        ("/amount/total", Some(json!("1990"))),
        ("/amount/total", Some(json!(19.9))),
        ("/transaction_id", None),
        ("/transaction_id", Some(json!(""))),
    ] {
        let server = answering(signed(200, &with(transaction(), pointer, value.clone()))).await;
        let error = wechat(&server).query(trading()).await.unwrap_err();
        assert_error(
            &error,
            Certainty::Unknown,
            ErrorKind::Nonsense,
            &format!("{pointer} {value:?}"),
        );
    }
    let server = answering(signed(200, &transaction())).await;
    let other = TransactionId::new("4200002026092100000000000002");
    let error = wechat(&server).query_by_transaction_id(&other).await.unwrap_err();
    assert_error(
        &error,
        Certainty::Unknown,
        ErrorKind::Nonsense,
        "another transaction_id",
    );
}

#[tokio::test]
async fn every_refund_status_is_understood_and_no_other() {
    for (word, expected) in [
        ("SUCCESS", RefundStatus::Success),
        ("PROCESSING", RefundStatus::Processing),
        ("ABNORMAL", RefundStatus::Abnormal),
        ("CLOSED", RefundStatus::Closed),
    ] {
        let server = answering(signed(200, &refund_body(word))).await;
        let wechat = wechat(&server);
        assert_eq!(
            wechat.query_refund(&refund_query()).await.unwrap().status,
            expected
        );
        let content = wechat.prepare_refund(&refund_request()).unwrap();
        assert_eq!(wechat.refund(&content).await.unwrap().status, expected);
    }
    for (pointer, value) in [
        ("/status", Some(json!("FAIL"))),
        ("/status", None),
        ("/out_refund_no", Some(json!("7310000000000000009"))),
        ("/out_trade_no", Some(json!("7310000000000000009"))),
        ("/amount/refund", Some(json!(-500))),
        ("/amount/refund", None),
        ("/amount/currency", Some(json!("USD"))),
        ("/refund_id", None),
    ] {
        let body = with(refund_body("SUCCESS"), pointer, value.clone());
        let server = answering(signed(200, &body)).await;
        let wechat = wechat(&server);
        let what = format!("{pointer} {value:?}");
        let error = wechat.query_refund(&refund_query()).await.unwrap_err();
        assert_error(&error, Certainty::Unknown, ErrorKind::Nonsense, &what);
        let content = wechat.prepare_refund(&refund_request()).unwrap();
        let error = wechat.refund(&content).await.unwrap_err();
        assert_error(&error, Certainty::Unknown, ErrorKind::Nonsense, &what);
    }
}

#[tokio::test]
async fn a_place_without_a_code_is_nonsense() {
    for body in [
        json!({}),
        json!({"code_url": ""}),
        json!({"code_url": null}),
        json!([]),
        json!("weixin://x"),
    ] {
        let server = answering(signed(200, &body)).await;
        let wechat = wechat(&server);
        let error = wechat.place(&place_content(&wechat)).await.unwrap_err();
        assert_error(&error, Certainty::Unknown, ErrorKind::Nonsense, &body.to_string());
    }
}
