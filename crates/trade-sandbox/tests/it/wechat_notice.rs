//! Notices: what they say, who signs them, and how often they come.

use std::time::Duration;

use serde_json::{Value, json};
use trade_sandbox::{
    Channel::Wechat,
    Sandbox,
    faults::{Fault, FaultKind},
    ledger::RefundOutcome,
    notice::NoticeState,
};

use crate::support::{Heard, Listener, WechatClient, sandbox};

/// Creates and pays an order that notifies `listener`.
async fn paid(sandbox: &Sandbox, client: &WechatClient, listener: &Listener, number: &str) {
    let mut order = client.order(number, 8_888);
    order["notify_url"] = json!(listener.url("pay"));
    client.create(&order).await;
    sandbox.pay(Wechat, number).unwrap();
    assert!(sandbox.quiet().await);
}

fn envelope(heard: &Heard) -> Value {
    serde_json::from_slice(&heard.body).unwrap()
}

fn content(client: &WechatClient, heard: &Heard) -> Value {
    serde_json::from_slice(&client.open(&envelope(heard)["resource"])).unwrap()
}

#[tokio::test]
async fn a_payment_is_announced_encrypted_and_signed() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let listener = Listener::start().await;
    paid(&sandbox, &client, &listener, "NOT00001").await;
    let heard = listener.heard();
    assert_eq!(heard.len(), 1);
    client.verify(&heard[0].headers, &heard[0].body).unwrap();
    assert_eq!(heard[0].headers["user-agent"], "Mozilla/4.0");
    assert_eq!(heard[0].headers["content-type"], "application/json");
    assert!(!heard[0].headers.contains_key("request-id"));
    let envelope = envelope(&heard[0]);
    assert_eq!(envelope["event_type"], "TRANSACTION.SUCCESS");
    assert_eq!(envelope["resource_type"], "encrypt-resource");
    assert_eq!(envelope["resource"]["original_type"], "transaction");
    assert_eq!(envelope["create_time"], "2026-11-20T12:00:00+08:00");
    assert_eq!(content(&client, &heard[0]), client.query("NOT00001").await);
    let notices = sandbox.notices();
    assert_eq!(notices[0].state, NoticeState::Acknowledged);
    assert_eq!(notices[0].id, envelope["id"]);
    sandbox.advance(Duration::from_secs(86_400));
    assert!(sandbox.quiet().await);
    assert_eq!(listener.heard().len(), 1);
}

#[tokio::test]
async fn an_unanswered_notice_is_repeated_on_schedule_with_a_fresh_signature() {
    const WAITS_S: [u64; 15] = [
        15, 15, 30, 180, 600, 1_200, 1_800, 1_800, 1_800, 3_600, 10_800, 10_800, 10_800, 21_600, 21_600,
    ];
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let listener = Listener::start().await;
    for index in 0..16 {
        // Neither a redirect nor a wrong status with the right words is an acknowledgement.
        listener.answer([500, 302, 404][index % 3], "{\"code\":\"SUCCESS\"}");
    }
    paid(&sandbox, &client, &listener, "NOT00002").await;
    for (round, wait_s) in WAITS_S.into_iter().enumerate() {
        sandbox.advance(Duration::from_secs(wait_s - 1));
        assert!(sandbox.quiet().await);
        assert_eq!(listener.heard().len(), round + 1);
        sandbox.advance(Duration::from_secs(1));
        assert!(sandbox.quiet().await);
        assert_eq!(listener.heard().len(), round + 2);
    }
    let notices = sandbox.notices();
    assert_eq!(notices[0].state, NoticeState::GivenUp);
    assert_eq!(notices[0].attempts.len(), 16);
    assert_eq!(notices[0].attempts[1].status, Some(302));
    let heard = listener.heard();
    for pair in heard.windows(2) {
        assert_eq!(envelope(&pair[0])["id"], envelope(&pair[1])["id"]);
        for name in ["wechatpay-nonce", "wechatpay-signature", "wechatpay-timestamp"] {
            assert_ne!(pair[0].headers[name], pair[1].headers[name]);
        }
        client.verify(&pair[1].headers, &pair[1].body).unwrap();
    }
}

#[tokio::test]
async fn the_schedule_can_be_hurried_and_ends_with_204() {
    let sandbox = crate::support::sandbox_with(|config| config.notice_speed = 15).await;
    let client = WechatClient::of(&sandbox);
    let listener = Listener::start().await;
    listener.answer(500, "");
    listener.answer(204, "");
    paid(&sandbox, &client, &listener, "NOT00003").await;
    sandbox.advance(Duration::from_secs(1));
    assert!(sandbox.quiet().await);
    assert_eq!(listener.heard().len(), 2);
    assert_eq!(sandbox.notices()[0].state, NoticeState::Acknowledged);
}

#[tokio::test]
async fn refunds_announce_their_end() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let listener = Listener::start().await;
    paid(&sandbox, &client, &listener, "NOT00004").await;
    let cases = [
        (RefundOutcome::Abnormal, "REFUND.ABNORMAL", "ABNORMAL"),
        (RefundOutcome::Closed, "REFUND.CLOSED", "CLOSED"),
        (RefundOutcome::Success, "REFUND.SUCCESS", "SUCCESS"),
    ];
    for (index, (outcome, event_type, status)) in cases.into_iter().enumerate() {
        sandbox.fault(Fault::new(FaultKind::Refund { outcome }));
        let mut body = client.refund("NOT00004", &format!("r{index}"), 100, 8_888);
        body["notify_url"] = json!(listener.url("refund"));
        let accepted = client.post("/v3/refund/domestic/refunds", &body).await;
        assert_eq!(accepted.json()["status"], "PROCESSING");
        sandbox.advance(Duration::from_secs(60));
        assert!(sandbox.quiet().await);
        let last = listener.heard().pop().unwrap();
        assert_eq!(last.path, "/refund");
        client.verify(&last.headers, &last.body).unwrap();
        assert_eq!(envelope(&last)["event_type"], event_type);
        assert_eq!(envelope(&last)["resource"]["original_type"], "refund");
        let content = content(&client, &last);
        assert_eq!(content["refund_status"], status);
        assert!(content.get("status").is_none());
        assert_eq!(content["amount"]["refund"], 100);
        assert_eq!(content.get("success_time").is_some(), status == "SUCCESS");
    }
    assert_eq!(listener.heard().len(), 4);
}

#[tokio::test]
async fn spoilt_signatures_do_not_verify_and_the_repetition_does() {
    for kind in [
        FaultKind::BadSignature,
        FaultKind::ProbeSignature,
        FaultKind::Unsigned,
        FaultKind::WrongKey,
    ] {
        let sandbox = sandbox().await;
        let client = WechatClient::of(&sandbox);
        let listener = Listener::start().await;
        sandbox.fault(Fault::new(kind).on("notice.payment"));
        listener.answer(401, "");
        paid(&sandbox, &client, &listener, "NOT00005").await;
        sandbox.advance(Duration::from_secs(15));
        assert!(sandbox.quiet().await);
        let heard = listener.heard();
        assert_eq!(heard.len(), 2);
        client.verify(&heard[0].headers, &heard[0].body).unwrap_err();
        client.verify(&heard[1].headers, &heard[1].body).unwrap();
        if kind == FaultKind::ProbeSignature {
            let probe = heard[0].headers["wechatpay-signature"].to_str().unwrap();
            assert!(probe.starts_with("WECHATPAY/SIGNTEST/") && probe.len() % 4 != 0);
        }
    }
}

#[tokio::test]
async fn notices_can_be_doubled_overtaken_dropped_and_lie_about_the_amount() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let listener = Listener::start().await;
    let numbers = |listener: &Listener| -> Vec<String> {
        let heard = listener.heard();
        heard
            .iter()
            .map(|heard| {
                content(&client, heard)["out_trade_no"]
                    .as_str()
                    .unwrap()
                    .to_owned()
            })
            .collect()
    };
    sandbox.fault(Fault::new(FaultKind::Duplicate { copies: 2 }));
    paid(&sandbox, &client, &listener, "NOT00006").await;
    assert_eq!(numbers(&listener), ["NOT00006"; 3]);

    sandbox.fault(Fault::new(FaultKind::Reorder));
    paid(&sandbox, &client, &listener, "NOT00007").await;
    assert_eq!(listener.heard().len(), 3);
    paid(&sandbox, &client, &listener, "NOT00008").await;
    assert!(sandbox.quiet().await);
    assert_eq!(numbers(&listener)[3..], ["NOT00008", "NOT00007"]);

    // Dropped before: the merchant hears nothing. Dropped after: it answers, and hears it again.
    sandbox.fault(Fault::new(FaultKind::DropBefore).on("notice"));
    sandbox.fault(Fault::new(FaultKind::DropAfter).on("notice"));
    paid(&sandbox, &client, &listener, "NOT00009").await;
    assert_eq!(listener.heard().len(), 5);
    for heard in [6, 7, 7] {
        sandbox.advance(Duration::from_secs(15));
        assert!(sandbox.quiet().await);
        assert_eq!(listener.heard().len(), heard);
    }

    sandbox.fault(Fault::new(FaultKind::WrongAmount { by_fen: -1 }).on("notice.payment"));
    paid(&sandbox, &client, &listener, "NOT00010").await;
    let last = listener.heard().pop().unwrap();
    client.verify(&last.headers, &last.body).unwrap();
    assert_eq!(content(&client, &last)["amount"]["total"], 8_887);
    assert_eq!(sandbox.faults(), []);
}

#[tokio::test]
async fn a_merchant_that_is_not_there_gets_the_notice_when_it_is_sent_again() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    client.create(&client.order("NOT00011", 1)).await;
    sandbox.pay(Wechat, "NOT00011").unwrap();
    assert!(sandbox.quiet().await);
    let notice = sandbox.notices().pop().unwrap();
    assert_eq!(notice.attempts[0].status, None);
    assert!(!notice.attempts[0].answer.is_empty());
    assert!(sandbox.resend_notice(&notice.id));
    assert!(sandbox.quiet().await);
    assert_eq!(sandbox.notices()[0].attempts.len(), 2);
    assert!(!sandbox.resend_notice("nobody"));
}

#[tokio::test]
async fn a_fault_can_be_withdrawn() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let id = sandbox.fault(Fault::new(FaultKind::DropBefore));
    sandbox.fault(Fault::new(FaultKind::RateLimit));
    assert!(sandbox.withdraw_fault(id) && !sandbox.withdraw_fault(id));
    assert_eq!(sandbox.faults().len(), 1);
    sandbox.withdraw_faults();
    client.create(&client.order("NOT00012", 1)).await;
}
