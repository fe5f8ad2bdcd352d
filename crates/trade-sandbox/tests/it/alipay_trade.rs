//! The life of a precreated order up to its payment.

use std::time::Duration;

use serde_json::{Value, json};
use trade_sandbox::Channel::Alipay;

use crate::{
    alipay_client::{AlipayClient, CANCEL, CLOSE, PRECREATE, QUERY, order, text},
    support::{sandbox, sandbox_with},
};

const MINUTE: Duration = Duration::from_secs(60);

#[tokio::test]
async fn a_trade_exists_from_the_scan_on() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    let qr_code = client.precreate(&order("T1", "88.8"), None).await;
    assert!(
        qr_code.starts_with(&format!("{}/pay/", sandbox.public_url())),
        "{qr_code}"
    );

    // The answer to a query before the scan: zero amounts, and no trade.
    let missing = client.call(QUERY, &json!({ "out_trade_no": "T1" })).await;
    assert_eq!(missing["code"], "40004");
    assert_eq!(missing["sub_code"], "ACQ.TRADE_NOT_EXIST");
    assert_eq!(missing["out_trade_no"], "T1");
    assert_eq!(missing["receipt_amount"], "0.00");
    assert_eq!(client.state("T9").await, "ACQ.TRADE_NOT_EXIST");

    sandbox.scan(Alipay, "T1").unwrap();
    let waiting = client.call(QUERY, &json!({ "out_trade_no": "T1" })).await;
    let trade_no = text(&waiting["trade_no"]);
    assert_eq!(trade_no.len(), 28);
    assert!(trade_no.starts_with("2026112022"));
    assert_eq!(waiting["trade_status"], "WAIT_BUYER_PAY");
    assert_eq!(waiting["total_amount"], "88.80");
    assert_eq!(waiting["buyer_pay_amount"], "0.00");
    assert_eq!(waiting.get("send_pay_date"), None);

    sandbox.advance(MINUTE);
    sandbox.pay(Alipay, "T1").unwrap();
    let both = json!({
        "trade_no": trade_no, "out_trade_no": "other", "query_options": ["fund_bill_list"],
    });
    let paid = client.call(QUERY, &both).await;
    assert_eq!(paid["trade_no"], trade_no);
    assert_eq!(paid["out_trade_no"], "T1");
    assert_eq!(paid["trade_status"], "TRADE_SUCCESS");
    assert_eq!(paid["buyer_pay_amount"], "88.80");
    assert_eq!(paid["send_pay_date"], "2026-11-20 12:01:00");
    assert_eq!(paid["buyer_logon_id"], "138****0042");
    assert_eq!(
        paid["fund_bill_list"],
        json!([{ "fund_channel": "ALIPAYACCOUNT", "amount": "88.80" }])
    );
    assert_eq!(sandbox.ledger().paid_fen(Alipay), 8_880);
}

#[tokio::test]
async fn codes_may_look_like_alipays_own() {
    let sandbox = sandbox_with(|config| config.real_qr_shape = true).await;
    let client = AlipayClient::of(&sandbox);
    let qr_code = client.precreate(&order("T1", "0.01"), None).await;
    assert!(qr_code.starts_with("https://qr.alipay.com/bax"), "{qr_code}");
}

#[tokio::test]
async fn contents_that_the_documentation_does_not_allow_are_refused() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    let cases = [
        (json!({ "unknown": "1" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "body": Value::Null }), "ACQ.INVALID_PARAMETER"),
        (json!({ "body": "" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "body": "茶".repeat(129) }), "ACQ.INVALID_PARAMETER"),
        (json!({ "out_trade_no": "a".repeat(65) }), "ACQ.INVALID_PARAMETER"),
        (json!({ "out_trade_no": "T-1" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "out_trade_no": 1 }), "ACQ.INVALID_PARAMETER"),
        (json!({ "subject": Value::Null }), "ACQ.INVALID_PARAMETER"),
        (json!({ "subject": "a/b" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "subject": "a=b" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "subject": "a&b" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "subject": "茶".repeat(257) }), "ACQ.INVALID_PARAMETER"),
        (json!({ "total_amount": 1 }), "ACQ.INVALID_PARAMETER"),
        (json!({ "total_amount": "0" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "total_amount": "-1" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "total_amount": "1.001" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "total_amount": "1e3" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "total_amount": "100000000.1" }), "ACQ.TOTAL_FEE_EXCEED"),
        (
            json!({ "discountable_amount": "0.50", "undiscountable_amount": "0.40" }),
            "ACQ.INVALID_PARAMETER",
        ),
        (
            json!({ "enable_pay_channels": "balance", "disable_pay_channels": "pcredit" }),
            "ACQ.INVALID_PARAMETER",
        ),
        (json!({ "goods_detail": {} }), "ACQ.INVALID_PARAMETER"),
        (json!({ "extend_params": "{}" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "timeout_express": "1.5h" }), "ACQ.INVALID_PARAMETER"),
        (json!({ "timeout_express": "16d" }), "ACQ.INVALID_PARAMETER"),
        (
            json!({ "qr_code_timeout_express": "30s" }),
            "ACQ.INVALID_PARAMETER",
        ),
        (
            json!({ "time_expire": "2026-11-20 12:30" }),
            "ACQ.INVALID_PARAMETER",
        ),
        (
            json!({ "time_expire": "2026-11-20 11:59:59" }),
            "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR",
        ),
        (json!({ "seller_id": "2088000000000002" }), "ACQ.SELLER_NOT_EXIST"),
        (
            json!({ "product_code": "FAST_INSTANT_TRADE_PAY" }),
            "ACQ.ACCESS_FORBIDDEN",
        ),
    ];
    for (change, sub_code) in cases {
        let mut content = order("T1", "1.00");
        for (name, value) in change.as_object().unwrap() {
            content[name] = value.clone();
        }
        assert_eq!(client.refused(PRECREATE, &content).await, sub_code, "{change}");
    }
    let missing = json!({ "out_trade_no": "T1", "subject": "茶" });
    assert_eq!(client.refused(PRECREATE, &missing).await, "ACQ.INVALID_PARAMETER");
    assert!(sandbox.ledger().orders.is_empty());

    let full = json!({
        "out_trade_no": "T_1", "total_amount": "100000000", "subject": "茶".repeat(256),
        "product_code": "QR_CODE_OFFLINE", "seller_id": client.kit.seller_id, "body": "杯",
        "goods_detail": [{ "goods_id": "1" }], "operator_id": "op", "store_id": "s1", "terminal_id": "t1",
        "timeout_express": "90m", "qr_code_timeout_express": "1c", "time_expire": "2026-11-20 12:30:00",
        "discountable_amount": "60000000", "undiscountable_amount": "40000000.00",
        "extend_params": {}, "passback_params": "a%3Db",
    });
    client.precreate(&full, None).await;
}

#[tokio::test]
async fn the_same_request_is_the_same_order() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    let wish = order("T1", "1.00");
    let qr_code = client.precreate(&wish, None).await;
    assert_eq!(client.precreate(&wish, None).await, qr_code);
    for changed in [
        order("T1", "1.01"),
        json!({ "out_trade_no": "T1", "total_amount": "1.00", "subject": "水" }),
    ] {
        assert_eq!(
            client.refused(PRECREATE, &changed).await,
            "ACQ.CONTEXT_INCONSISTENT"
        );
    }
    sandbox.scan(Alipay, "T1").unwrap();
    assert_eq!(client.precreate(&wish, None).await, qr_code);
    sandbox.pay(Alipay, "T1").unwrap();
    assert_eq!(client.refused(PRECREATE, &wish).await, "ACQ.TRADE_HAS_SUCCESS");

    let wish = order("T2", "1.00");
    client.precreate(&wish, None).await;
    sandbox.scan(Alipay, "T2").unwrap();
    client.call(CLOSE, &json!({ "out_trade_no": "T2" })).await;
    assert_eq!(client.refused(PRECREATE, &wish).await, "ACQ.TRADE_HAS_CLOSE");
}

#[tokio::test]
async fn neither_close_nor_cancel_kills_a_code_that_nobody_scanned() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.precreate(&order("T1", "1.00"), None).await;
    let number = json!({ "out_trade_no": "T1" });
    assert_eq!(client.refused(CLOSE, &number).await, "ACQ.TRADE_NOT_EXIST");
    let cancelled = client.call(CANCEL, &number).await;
    assert_eq!(cancelled["code"], "10000");
    assert_eq!(cancelled["retry_flag"], "N");
    assert_eq!(cancelled.get("trade_no"), None);
    assert_eq!(cancelled.get("action"), None);
    // The user pays in spite of both.
    sandbox.pay(Alipay, "T1").unwrap();
    assert_eq!(client.state("T1").await, "TRADE_SUCCESS");
}

#[tokio::test]
async fn only_a_trade_that_waits_can_be_closed() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.precreate(&order("T1", "1.00"), None).await;
    let trade_no = sandbox.scan(Alipay, "T1").unwrap().transaction_id.unwrap();
    let closed = client
        .call(CLOSE, &json!({ "trade_no": trade_no, "operator_id": "op" }))
        .await;
    assert_eq!(closed["code"], "10000");
    assert_eq!(closed["out_trade_no"], "T1");
    assert_eq!(client.state("T1").await, "TRADE_CLOSED");
    assert!(sandbox.pay(Alipay, "T1").is_err());
    client.paid(&sandbox, "T2", None).await;
    for number in ["T1", "T2"] {
        let sub_code = client.refused(CLOSE, &json!({ "out_trade_no": number })).await;
        assert_eq!(sub_code, "ACQ.TRADE_STATUS_ERROR");
    }
    for content in [json!({}), json!({ "out_trade_no": "T1", "reason": "x" })] {
        assert_eq!(client.refused(CLOSE, &content).await, "ACQ.INVALID_PARAMETER");
    }
}

#[tokio::test]
async fn a_cancel_closes_the_unpaid_and_refunds_the_paid() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.precreate(&order("T1", "1.00"), None).await;
    sandbox.scan(Alipay, "T1").unwrap();
    client.paid(&sandbox, "T2", None).await;
    client.refund("T2", "T2", "4.00").await;
    for (number, action) in [("T1", "close"), ("T2", "refund")] {
        for round in 0..2 {
            let answer = client.call(CANCEL, &json!({ "out_trade_no": number })).await;
            assert_eq!(answer["code"], "10000");
            assert_eq!(answer["action"], action);
            assert_eq!(answer["retry_flag"], "N");
            let moved = action == "refund" && round == 0;
            assert_eq!(answer.get("gmt_refund_pay").is_some(), moved);
        }
        assert_eq!(client.state(number).await, "TRADE_CLOSED");
    }
    assert_eq!(sandbox.ledger().net_fen(Alipay, "T2"), 0);
    let unknown = json!({ "trade_no": "2026112022000000000000000000" });
    assert_eq!(client.refused(CANCEL, &unknown).await, "ACQ.TRADE_NOT_EXIST");
}
