//! The notices: signed forms on a schedule.

use std::time::Duration;

use serde_json::{Value, json};
use trade_sandbox::{
    Channel::Alipay,
    Sandbox,
    faults::{Fault, FaultKind},
    notice::NoticeState,
};

use crate::{
    alipay_client::{AlipayClient, CLOSE, Params, order},
    support::{Listener, sandbox},
};

/// Waits for the notices that are due, and verifies all that have arrived.
async fn heard(sandbox: &Sandbox, client: &AlipayClient, merchant: &Listener) -> Vec<Params> {
    assert!(sandbox.quiet().await);
    let arrived = merchant.heard();
    arrived
        .iter()
        .map(|heard| client.notice(&heard.body).unwrap())
        .collect()
}

#[tokio::test]
async fn a_payment_is_told_with_a_signed_form() {
    let (sandbox, merchant) = (sandbox().await, Listener::start().await);
    let client = AlipayClient::of(&sandbox);
    let mut wish = order("T1", "10.00");
    wish["body"] = json!("一杯 + 半杯");
    wish["passback_params"] = json!("a%3Db%26c");
    client.precreate(&wish, Some(merchant.url("notify"))).await;
    sandbox.scan(Alipay, "T1").unwrap();
    assert!(heard(&sandbox, &client, &merchant).await.is_empty());
    sandbox.advance(Duration::from_secs(5));
    let paid = sandbox.pay(Alipay, "T1").unwrap();
    let notices = heard(&sandbox, &client, &merchant).await;
    let notice = &notices[0];
    for (name, value) in [
        ("notify_type", "trade_status_sync"),
        ("charset", "utf-8"),
        ("version", "1.0"),
        ("app_id", client.kit.app_id.as_str()),
        ("auth_app_id", client.kit.app_id.as_str()),
        ("seller_id", client.kit.seller_id.as_str()),
        ("out_trade_no", "T1"),
        ("trade_no", paid.transaction_id.as_deref().unwrap()),
        ("trade_status", "TRADE_SUCCESS"),
        ("total_amount", "10.00"),
        ("receipt_amount", "10.00"),
        ("buyer_pay_amount", "10.00"),
        ("subject", "红茶 + 绿茶 <大>"),
        ("body", "一杯 + 半杯"),
        ("passback_params", "a%3Db%26c"),
        ("buyer_id", "2088000000000042"),
        ("gmt_create", "2026-11-20 12:00:00"),
        ("gmt_payment", "2026-11-20 12:00:05"),
        ("notify_time", "2026-11-20 12:00:05"),
        (
            "fund_bill_list",
            r#"[{"amount":"10.00","fundChannel":"ALIPAYACCOUNT"}]"#,
        ),
    ] {
        assert_eq!(notice.get(name).map(String::as_str), Some(value), "{name}");
    }
    assert_eq!(notice.get("refund_fee"), None);
    assert_eq!(notices.len(), 1);
    let arrived = &merchant.heard()[0];
    assert_eq!(arrived.path, "/notify");
    let content_type = &arrived.headers["content-type"];
    assert_eq!(content_type, "application/x-www-form-urlencoded; charset=utf-8");
    assert_eq!(sandbox.notices()[0].state, NoticeState::Acknowledged);
    assert_eq!(sandbox.notices()[0].id, notice["notify_id"]);
}

#[tokio::test]
async fn nothing_but_the_word_success_ends_the_schedule() {
    let (sandbox, merchant) = (sandbox().await, Listener::start().await);
    let client = AlipayClient::of(&sandbox);
    for (status, body) in [
        (500, "success"),
        (200, "fail"),
        (200, "success\n"),
        (302, ""),
        (200, "\"success\""),
    ] {
        merchant.answer(status, body);
    }
    client.paid(&sandbox, "T1", Some(merchant.url("notify"))).await;
    for (attempts, wait_minutes) in [(1, 4), (2, 10), (3, 10), (4, 60), (5, 120)] {
        assert_eq!(heard(&sandbox, &client, &merchant).await.len(), attempts);
        sandbox.advance(Duration::from_secs(60 * wait_minutes) - Duration::from_millis(1));
        assert_eq!(heard(&sandbox, &client, &merchant).await.len(), attempts);
        sandbox.advance(Duration::from_millis(1));
    }
    let notices = heard(&sandbox, &client, &merchant).await;
    assert_eq!(notices.len(), 6);
    // One event, one id; each attempt is signed anew for its time.
    assert!(
        notices
            .iter()
            .all(|notice| notice["notify_id"] == notices[0]["notify_id"])
    );
    assert_ne!(notices[0]["notify_time"], notices[5]["notify_time"]);
    assert_eq!(sandbox.notices()[0].state, NoticeState::Acknowledged);
}

#[tokio::test]
async fn a_merchant_that_never_answers_is_given_up_after_eight_attempts() {
    let (sandbox, merchant) = (sandbox().await, Listener::start().await);
    let client = AlipayClient::of(&sandbox);
    for _ in 0..9 {
        merchant.answer(200, "no");
    }
    client.paid(&sandbox, "T1", Some(merchant.url("notify"))).await;
    for minutes in [4, 10, 10, 60, 120, 360, 900, 10_000] {
        assert!(sandbox.quiet().await);
        sandbox.advance(Duration::from_secs(60 * minutes));
    }
    assert_eq!(heard(&sandbox, &client, &merchant).await.len(), 8);
    assert_eq!(sandbox.notices()[0].state, NoticeState::GivenUp);
}

#[tokio::test]
async fn refunds_are_told_at_the_address_of_the_payment() {
    let (sandbox, merchant) = (sandbox().await, Listener::start().await);
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", Some(merchant.url("pay"))).await;
    client.refund("T1", "R1", "3.00").await;
    client.refund("T1", "R1", "3.00").await;
    assert_eq!(heard(&sandbox, &client, &merchant).await.len(), 2);
    client.refund("T1", "R2", "7.00").await;
    let notices = heard(&sandbox, &client, &merchant).await;
    assert_eq!(notices.len(), 3);
    let of = |number: &str| {
        notices
            .iter()
            .find(|notice| notice.get("out_biz_no").is_some_and(|no| no == number))
    };
    let (part, rest) = (of("R1").unwrap(), of("R2").unwrap());
    for (notice, status, refunded) in [(part, "TRADE_SUCCESS", "3.00"), (rest, "TRADE_CLOSED", "10.00")] {
        assert_eq!(notice["trade_status"], status);
        assert_eq!(notice["refund_fee"], refunded);
        assert_eq!(notice["total_amount"], "10.00");
        assert_eq!(notice["gmt_refund"], "2026-11-20 12:00:00.000");
        assert_eq!(notice["gmt_payment"], "2026-11-20 12:00:00");
    }
    assert_eq!(part.get("gmt_close"), None);
    assert_eq!(rest["gmt_close"], "2026-11-20 12:00:00");
    assert!(merchant.heard().iter().all(|heard| heard.path == "/pay"));
}

#[tokio::test]
async fn a_close_is_told_only_where_it_asks_to_be() {
    let (sandbox, merchant) = (sandbox().await, Listener::start().await);
    let client = AlipayClient::of(&sandbox);
    for number in ["T1", "T2", "T3"] {
        client
            .precreate(&order(number, "1.00"), Some(merchant.url("pay")))
            .await;
        sandbox.scan(Alipay, number).unwrap();
    }
    client.call(CLOSE, &json!({ "out_trade_no": "T1" })).await;
    let mut params = client.params(CLOSE, &json!({ "out_trade_no": "T2" }));
    params.insert("notify_url".to_owned(), merchant.url("close"));
    client.sign(&mut params);
    assert_eq!(
        client.verified(&client.try_send(&params).await.unwrap())["code"],
        "10000"
    );
    // T3 is closed by time.
    sandbox.advance(Duration::from_secs(3 * 3_600));
    let notices = heard(&sandbox, &client, &merchant).await;
    assert_eq!(notices.len(), 1);
    assert_eq!(notices[0]["out_trade_no"], "T2");
    assert_eq!(notices[0]["trade_status"], "TRADE_CLOSED");
    assert_eq!(notices[0]["gmt_close"], "2026-11-20 12:00:00");
    assert_eq!(notices[0].get("gmt_payment"), None);
    assert_eq!(merchant.heard()[0].path, "/close");
}

#[tokio::test]
async fn faults_spoil_notices_in_every_way() {
    let (sandbox, merchant) = (sandbox().await, Listener::start().await);
    let client = AlipayClient::of(&sandbox);
    let faults = [
        FaultKind::BadSignature,
        FaultKind::WrongKey,
        FaultKind::Unsigned,
        FaultKind::ProbeSignature,
        FaultKind::WrongAmount { by_fen: 1 },
        FaultKind::Gbk,
        FaultKind::Duplicate { copies: 2 },
    ];
    for (round, kind) in faults.into_iter().enumerate() {
        let number = format!("T{round}");
        sandbox.fault(Fault::new(kind).at(Alipay).on("notice"));
        let before = merchant.heard().len();
        client.paid(&sandbox, &number, Some(merchant.url("pay"))).await;
        assert!(sandbox.quiet().await);
        let arrived = merchant.heard().split_off(before);
        let read = client.notice(&arrived[0].body);
        match kind {
            FaultKind::Unsigned => {
                let params = read.unwrap_err();
                assert_eq!((params.get("sign"), params.get("sign_type")), (None, None));
            }
            // Validly signed, and not what was ordered: authentic is not yet right.
            FaultKind::WrongAmount { .. } => assert_eq!(read.unwrap()["total_amount"], "10.01"),
            FaultKind::Gbk => {
                assert!(
                    arrived[0].headers["content-type"]
                        .to_str()
                        .unwrap()
                        .ends_with("GBK")
                );
                assert!(!arrived[0].body.windows(3).any(|part| part == "%E7".as_bytes()));
                assert!(
                    std::str::from_utf8(&arrived[0].body)
                        .unwrap()
                        .contains("charset=GBK")
                );
            }
            FaultKind::Duplicate { .. } => {
                assert_eq!(arrived.len(), 3);
                assert!(arrived.iter().all(|heard| client.notice(&heard.body).is_ok()));
            }
            _ => assert!(read.is_err(), "{kind:?}"),
        }
    }
}

#[tokio::test]
async fn an_order_without_an_address_is_told_nowhere() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", None).await;
    client.refund("T1", "R1", "10.00").await;
    assert_eq!(sandbox.notices().len(), 0);
    let empty: Vec<Value> = Vec::new();
    assert_eq!(json!(sandbox.notices()), json!(empty));
}
