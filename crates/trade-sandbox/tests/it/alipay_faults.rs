//! Faults of calls: what the client sees, and what has happened all the same.

use std::time::{Duration, Instant};

use serde_json::{Value, json};
use trade_sandbox::{
    Channel::Alipay,
    faults::{Fault, FaultKind},
};

use crate::{
    alipay_client::{AlipayClient, Answer, PRECREATE, QUERY, REFUND, order},
    support::{sandbox, sandbox_with},
};

#[tokio::test]
async fn a_dropped_connection_may_or_may_not_have_had_an_effect() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", None).await;
    for (kind, number, refunded_fen) in [
        (FaultKind::DropBefore, "R1", 0),
        (FaultKind::DropAfter, "R2", 300),
    ] {
        sandbox.fault(Fault::new(kind).at(Alipay).on("refund"));
        let wish = json!({ "out_trade_no": "T1", "out_request_no": number, "refund_amount": "3.00" });
        let mut params = client.params(REFUND, &wish);
        client.sign(&mut params);
        assert!(
            client.try_send(&params).await.unwrap_err().is_request(),
            "{kind:?}"
        );
        assert_eq!(sandbox.ledger().refunded_fen(Alipay), refunded_fen, "{kind:?}");
    }
    // The same request again tells whether money moved.
    assert_eq!(client.refund("T1", "R2", "3.00").await["fund_change"], "N");
    assert_eq!(client.refund("T1", "R1", "3.00").await["fund_change"], "Y");
}

#[tokio::test]
async fn an_error_of_the_gateway_may_or_may_not_have_had_an_effect() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    let status = |status, effect| Fault::new(FaultKind::Status { status, effect }).at(Alipay);
    for (fault, number, code, sub_code) in [
        (status(500, false), "T1", "20000", "aop.unknow-error"),
        (status(500, true), "T2", "20000", "aop.unknow-error"),
        (
            Fault::new(FaultKind::RateLimit),
            "T3",
            "40005",
            "isv.app-call-limited",
        ),
        (status(429, false), "T4", "40005", "isv.app-call-limited"),
    ] {
        sandbox.fault(fault);
        let answer = client.send(PRECREATE, &order(number, "1.00")).await;
        assert_eq!(answer.status, 200);
        let fields = client.verified(&answer);
        assert_eq!(
            (&fields["code"], &fields["sub_code"]),
            (&json!(code), &json!(sub_code))
        );
    }
    // A machine in front of the gateway answers in HTML.
    sandbox.fault(status(502, true));
    let page = client.send(PRECREATE, &order("T5", "1.00")).await;
    assert_eq!(page.status, 502);
    sandbox.fault(Fault::new(FaultKind::Garbage).at(Alipay));
    let garbage = client.send(PRECREATE, &order("T6", "1.00")).await;
    assert_eq!(garbage.status, 200);
    for answer in [page, garbage] {
        assert!(serde_json::from_str::<Value>(&answer.text).is_err());
        assert!(answer.text.starts_with("<html>"));
    }
    let ledger = sandbox.ledger();
    let made: Vec<_> = ledger
        .orders
        .iter()
        .map(|order| order.key.out_trade_no.as_str())
        .collect();
    assert_eq!(made, ["T2", "T5", "T6"]);
}

/// Whether the answer's signature is Alipay's.
fn is_signed(client: &AlipayClient, answer: &Answer) -> bool {
    let sign = answer.part("sign");
    sign.is_some_and(|sign| client.verify(answer.source().as_bytes(), &sign))
}

#[tokio::test]
async fn signatures_can_be_spoilt() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    for (kind, has_sign) in [
        (FaultKind::BadSignature, true),
        (FaultKind::ProbeSignature, true),
        (FaultKind::WrongKey, true),
        (FaultKind::Unsigned, false),
    ] {
        sandbox.fault(Fault::new(kind).at(Alipay).on("query"));
        let answer = client.send(QUERY, &json!({ "out_trade_no": "T1" })).await;
        assert_eq!(answer.part("sign").is_some(), has_sign, "{kind:?}");
        assert!(!is_signed(&client, &answer), "{kind:?}");
        let answer = client.send(QUERY, &json!({ "out_trade_no": "T1" })).await;
        assert!(is_signed(&client, &answer), "{kind:?}");
    }
}

#[tokio::test]
async fn contents_can_be_spoilt() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    client.paid(&sandbox, "T1", None).await;
    sandbox.fault(Fault::new(FaultKind::WrongAmount { by_fen: -900 }).at(Alipay));
    let answer = client.call(QUERY, &json!({ "out_trade_no": "T1" })).await;
    assert_eq!(answer["total_amount"], "1.00");
    sandbox.fault(Fault::new(FaultKind::Gbk).at(Alipay));
    let mut params = client.params(QUERY, &json!({ "out_trade_no": "T9" }));
    client.sign(&mut params);
    let request = client.http().get(&client.kit.gateway_url).query(&params);
    let response = request.send().await.unwrap();
    assert_eq!(response.headers()["content-type"], "text/html;charset=GBK");
    let bytes = response.bytes().await.unwrap();
    assert!(std::str::from_utf8(&bytes).is_err());
}

#[tokio::test]
async fn an_answer_can_come_late() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    sandbox.fault(
        Fault::new(FaultKind::Delay { delay_ms: 150 })
            .at(Alipay)
            .on("query"),
    );
    let started = Instant::now();
    client.send(QUERY, &json!({ "out_trade_no": "T1" })).await;
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn an_unsigned_error_stays_unsigned_with_certificates() {
    let sandbox = sandbox_with(|config| config.alipay.key_mode = trade_sandbox::AlipayKeyMode::Cert).await;
    let mut client = AlipayClient::of(&sandbox);
    client.kit.app_id = "2021000000000009".to_owned();
    let answer = client.send(QUERY, &json!({ "out_trade_no": "T1" })).await;
    assert_eq!(answer.part("sign"), None);
    assert_eq!(answer.part("alipay_cert_sn"), None);
}
