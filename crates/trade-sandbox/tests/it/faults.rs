//! Faults of requests: what the client sees, and what has happened all the same.

use std::time::{Duration, Instant};

use trade_sandbox::{
    Channel::Wechat,
    faults::{Fault, FaultKind},
};

use crate::support::{WechatClient, sandbox};

const NATIVE: &str = "/v3/pay/transactions/native";

#[tokio::test]
async fn a_dropped_connection_may_or_may_not_have_had_an_effect() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    for (kind, number, effect) in [
        (FaultKind::DropBefore, "FLT00001", false),
        (FaultKind::DropAfter, "FLT00002", true),
    ] {
        sandbox.fault(Fault::new(kind).on("native"));
        let order = client.order(number, 1).to_string();
        let broken = client.try_send(client.request("POST", NATIVE, &order)).await;
        assert!(broken.unwrap_err().is_request(), "{kind:?}");
        assert_eq!(
            sandbox.ledger().order(Wechat, number).is_some(),
            effect,
            "{kind:?}"
        );
        // The same request again ends well either way.
        assert_eq!(client.call("POST", NATIVE, &order).await.status, 200);
    }
    assert_eq!(sandbox.ledger().orders.len(), 2);
}

#[tokio::test]
async fn a_status_may_or_may_not_have_had_an_effect() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let send = async |number: &str| {
        let order = client.order(number, 1).to_string();
        client.send(client.request("POST", NATIVE, &order)).await
    };
    let status = |status, effect| Fault::new(FaultKind::Status { status, effect });
    sandbox.fault(status(500, false));
    let reply = send("FLT00003").await;
    assert_eq!(reply.refusal(), (500, "SYSTEM_ERROR".to_owned()));
    client.verify(&reply.headers, &reply.body).unwrap();
    sandbox.fault(status(502, true));
    let reply = send("FLT00004").await;
    assert_eq!(reply.status, 502);
    assert!(!reply.is_signed());
    assert!(reply.body.starts_with(b"<html>"));
    sandbox.fault(Fault::new(FaultKind::RateLimit).times(2));
    for _ in 0..2 {
        let reply = send("FLT00005").await;
        assert_eq!(reply.refusal(), (429, "FREQUENCY_LIMITED".to_owned()));
        assert_eq!(reply.number(), "268447840");
    }
    sandbox.fault(Fault::new(FaultKind::Garbage));
    let reply = send("FLT00006").await;
    assert_eq!((reply.status, reply.json()), (200, serde_json::Value::Null));
    let snapshot = sandbox.ledger();
    let there = |number: &str| snapshot.order(Wechat, number).is_some();
    assert!(!there("FLT00003") && there("FLT00004") && !there("FLT00005") && there("FLT00006"));
}

#[tokio::test]
async fn spoilt_signatures_of_answers_do_not_verify() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    for (index, kind) in [
        FaultKind::BadSignature,
        FaultKind::ProbeSignature,
        FaultKind::Unsigned,
        FaultKind::WrongKey,
    ]
    .into_iter()
    .enumerate()
    {
        sandbox.fault(Fault::new(kind));
        let order = client.order(&format!("FLT1000{index}"), 1).to_string();
        let reply = client.send(client.request("POST", NATIVE, &order)).await;
        assert_eq!(reply.status, 200);
        client.verify(&reply.headers, &reply.body).unwrap_err();
        assert_eq!(reply.is_signed(), kind != FaultKind::Unsigned);
    }
    assert_eq!(sandbox.ledger().orders.len(), 4);
}

#[tokio::test]
async fn an_answer_can_be_late_and_wrong() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    client.create(&client.order("FLT00007", 100)).await;
    sandbox.pay(Wechat, "FLT00007").unwrap();
    sandbox.fault(Fault::new(FaultKind::Delay { delay_ms: 150 }).on("query"));
    sandbox.fault(Fault::new(FaultKind::WrongAmount { by_fen: 5 }).on("query"));
    let before = Instant::now();
    assert_eq!(client.query("FLT00007").await["amount"]["total"], 105);
    assert!(before.elapsed() >= Duration::from_millis(150));
    assert_eq!(client.query("FLT00007").await["amount"]["total"], 100);
}
