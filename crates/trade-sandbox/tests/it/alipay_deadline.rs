//! How long codes and trades live.

use std::time::Duration;

use serde_json::json;
use trade_sandbox::Channel::Alipay;

use crate::{
    alipay_client::{AlipayClient, PRECREATE, order},
    support::sandbox,
};

const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3_600);

#[tokio::test]
async fn a_code_dies_before_its_order_and_is_renewed() {
    let sandbox = sandbox().await;
    let mut client = AlipayClient::of(&sandbox);
    let mut wish = order("T1", "1.00");
    wish["time_expire"] = json!("2026-11-20 18:00:00");
    let first = client.precreate(&wish, None).await;
    sandbox.advance(2 * HOUR - MINUTE);
    client.now_ms = sandbox.now_ms();
    assert_eq!(client.precreate(&wish, None).await, first);
    sandbox.advance(MINUTE);
    client.now_ms = sandbox.now_ms();
    assert!(sandbox.pay(Alipay, "T1").is_err());
    let second = client.precreate(&wish, None).await;
    assert_ne!(second, first);
    // Once scanned, the trade outlives its code.
    sandbox.scan(Alipay, "T1").unwrap();
    sandbox.advance(3 * HOUR);
    sandbox.pay(Alipay, "T1").unwrap();
}

#[tokio::test]
async fn each_deadline_ends_the_payment() {
    let sandbox = sandbox().await;
    let mut client = AlipayClient::of(&sandbox);
    let deadlines = [
        ("T1", json!({}), 2 * HOUR),
        ("T2", json!({ "qr_code_timeout_express": "5h" }), 3 * HOUR),
        ("T3", json!({ "timeout_express": "30m" }), 30 * MINUTE),
        (
            "T4",
            json!({ "time_expire": "2026-11-20 12:45:00", "timeout_express": "5m" }),
            45 * MINUTE,
        ),
        ("T5", json!({ "qr_code_timeout_express": "10m" }), 10 * MINUTE),
        (
            "T6",
            json!({ "timeout_express": "1c", "qr_code_timeout_express": "15d" }),
            12 * HOUR,
        ),
    ];
    for (number, deadline, length) in &deadlines {
        let mut wish = order(number, "1.00");
        for (name, value) in deadline.as_object().unwrap() {
            wish[name] = value.clone();
        }
        client.precreate(&wish, None).await;
        let ledger = sandbox.ledger();
        let known = ledger.order(Alipay, number).unwrap();
        let ends_ms = known.payable_until_ms.min(known.code_until_ms);
        assert_eq!(
            ends_ms - sandbox.now_ms(),
            i64::try_from(length.as_millis()).unwrap(),
            "{number}"
        );
    }
    // A scanned trade is closed by time; an order nobody scanned never was a trade.
    client.precreate(&order("T7", "1.00"), None).await;
    sandbox.scan(Alipay, "T7").unwrap();
    sandbox.advance(3 * HOUR);
    client.now_ms = sandbox.now_ms();
    assert!(sandbox.pay(Alipay, "T7").is_err());
    assert_eq!(client.state("T7").await, "TRADE_CLOSED");
    assert_eq!(client.state("T1").await, "ACQ.TRADE_NOT_EXIST");
    assert_eq!(
        client.refused(PRECREATE, &order("T1", "1.00")).await,
        "ACQ.TRADE_HAS_CLOSE"
    );
    let mut late = order("T4", "1.00");
    late["time_expire"] = json!("2026-11-20 12:45:00");
    late["timeout_express"] = json!("5m");
    let sub_code = client.refused(PRECREATE, &late).await;
    assert_eq!(sub_code, "ACQ.NOW_TIME_AFTER_EXPIRE_TIME_ERROR");
}
