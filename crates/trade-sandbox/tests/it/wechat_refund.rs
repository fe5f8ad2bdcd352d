//! The life of a refund, and its rules.

use std::time::Duration;

use base64::{Engine, prelude::BASE64_STANDARD};
use rsa::{Oaep, RsaPublicKey, pkcs8::DecodePublicKey, rand_core::OsRng};
use serde_json::{Value, json};
use sha1::Sha1;
use trade_sandbox::{
    Channel::Wechat,
    Sandbox,
    faults::{Fault, FaultKind},
    ledger::RefundOutcome,
};

use crate::support::{Reply, WechatClient, sandbox, sandbox_with};

const REFUNDS: &str = "/v3/refund/domestic/refunds";

async fn paid(sandbox: &Sandbox, client: &WechatClient, out_trade_no: &str, fen: i64) {
    client.create(&client.order(out_trade_no, fen)).await;
    sandbox.pay(Wechat, out_trade_no).unwrap();
}

async fn status(client: &WechatClient, number: &str) -> Value {
    let reply = client.get(&format!("{REFUNDS}/{number}")).await;
    assert_eq!(reply.status, 200);
    reply.json()["status"].clone()
}

fn message(reply: &Reply) -> String {
    assert_eq!(
        reply.refusal(),
        (400, "INVALID_REQUEST".to_owned()),
        "{}",
        reply.json()
    );
    reply.json()["message"].as_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_refund_is_processing_then_succeeds_and_repeats_answer_from_the_state() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    paid(&sandbox, &client, "REF00001", 1_000).await;
    let body = client.refund("REF00001", "R1@a", 400, 1_000);
    let accepted = client.post(REFUNDS, &body).await.json();
    assert_eq!(accepted["status"], "PROCESSING");
    assert_eq!(accepted["amount"]["refund"], 400);
    assert_eq!(accepted["amount"]["total"], 1_000);
    assert!(accepted.get("success_time").is_none());
    assert_eq!(client.query("REF00001").await["trade_state"], "REFUND");
    assert_eq!(sandbox.ledger().refunded_fen(Wechat), 0);

    sandbox.advance(Duration::from_secs(5));
    let done = client.get(&format!("{REFUNDS}/R1@a")).await.json();
    assert_eq!(done["status"], "SUCCESS");
    assert_eq!(done["success_time"], "2026-11-20T12:00:05+08:00");
    assert_eq!(done["refund_id"], accepted["refund_id"]);
    assert_eq!(client.post(REFUNDS, &body).await.json(), done);
    assert_eq!(sandbox.ledger().refunded_fen(Wechat), 400);
    assert_eq!(sandbox.ledger().net_fen(Wechat, "REF00001"), 600);

    let other = client.refund("REF00001", "R1@a", 401, 1_000);
    message(&client.post(REFUNDS, &other).await);
    let unknown = client.get(&format!("{REFUNDS}/nobody")).await;
    assert_eq!(unknown.refusal(), (404, "RESOURCE_NOT_EXISTS".to_owned()));
}

#[tokio::test]
async fn refunds_keep_to_the_rest_the_total_and_the_spacing() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    paid(&sandbox, &client, "REF00002", 1_000).await;
    let ask = async |number: &str, refund: i64, total: i64| {
        let body = client.refund("REF00002", number, refund, total);
        client.post(REFUNDS, &body).await
    };
    assert!(message(&ask("a", 1, 999).await).contains("订单金额不一致"));
    assert!(message(&ask("a", 1_001, 1_000).await).contains("超过订单可退金额"));
    assert_eq!(ask("a", 600, 1_000).await.status, 200);
    assert_eq!(
        ask("b", 300, 1_000).await.refusal(),
        (429, "FREQUENCY_LIMITED".to_owned())
    );
    // What is processing is reserved already.
    assert!(message(&ask("b", 401, 1_000).await).contains("超过订单可退金额"));
    sandbox.advance(Duration::from_secs(60));
    assert_eq!(ask("b", 400, 1_000).await.status, 200);
    sandbox.advance(Duration::from_secs(60));
    assert!(message(&ask("c", 1, 1_000).await).contains("已全额退款"));
    assert_eq!(sandbox.ledger().refunded_fen(Wechat), 1_000);
}

#[tokio::test]
async fn refunds_end_after_fifty_or_a_year_and_need_a_paid_order() {
    let sandbox = sandbox_with(|config| {
        config.wechat.refund_spacing = false;
        config.wechat.refund_delay_ms = 0;
    })
    .await;
    let mut client = WechatClient::of(&sandbox);
    paid(&sandbox, &client, "REF00003", 1_000).await;
    for index in 0..50 {
        let body = client.refund("REF00003", &format!("n{index}"), 1, 1_000);
        let reply = client.post(REFUNDS, &body).await;
        assert_eq!(reply.json()["status"], "SUCCESS", "{index}");
    }
    let body = client.refund("REF00003", "n50", 1, 1_000);
    assert!(message(&client.post(REFUNDS, &body).await).contains("50"));

    client.create(&client.order("REF00004", 1)).await;
    for number in ["REF00004", "NOBODY01"] {
        let reply = client.post(REFUNDS, &client.refund(number, "u1", 1, 1)).await;
        assert_eq!(reply.refusal(), (404, "RESOURCE_NOT_EXISTS".to_owned()));
    }
    paid(&sandbox, &client, "REF00005", 1_000).await;
    sandbox.advance(Duration::from_secs(365 * 86_400 + 1));
    client.now_s += 365 * 86_400 + 1;
    let body = client.refund("REF00005", "late", 1, 1_000);
    assert!(message(&client.post(REFUNDS, &body).await).contains("期限"));
}

#[tokio::test]
async fn refund_bodies_are_held_to_the_documentation() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    paid(&sandbox, &client, "REF00006", 100).await;
    let right = client.refund("REF00006", "r1", 100, 100);
    let mut extra = right.clone();
    extra["mchid"] = json!(client.kit.mchid);
    let reply = client.post(REFUNDS, &extra).await;
    assert_eq!(reply.refusal(), (400, "PARAM_ERROR".to_owned()));
    assert_eq!(reply.json()["detail"]["value"], json!(["/mchid"]));
    let mut neither = right.clone();
    neither.as_object_mut().unwrap().remove("out_trade_no");
    assert_eq!(client.post(REFUNDS, &neither).await.refusal().1, "PARAM_ERROR");
    let mut currency = right.clone();
    currency["amount"].as_object_mut().unwrap().remove("currency");
    let reply = client.post(REFUNDS, &currency).await;
    assert_eq!(reply.json()["detail"]["field"], "/amount/currency");
    let mut number = right.clone();
    number["out_refund_no"] = json!("r 1");
    assert_eq!(client.post(REFUNDS, &number).await.refusal().1, "PARAM_ERROR");
    // WeChat Pay's number wins over the merchant's.
    let transaction_id = client.query("REF00006").await["transaction_id"].clone();
    let mut both = right.clone();
    both["transaction_id"] = transaction_id;
    both["out_trade_no"] = json!("OTHER001");
    assert_eq!(client.post(REFUNDS, &both).await.status, 200);
}

#[tokio::test]
async fn a_refund_can_be_refused_for_balance_and_end_closed() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    paid(&sandbox, &client, "REF00007", 100).await;
    let body = client.refund("REF00007", "r1", 100, 100);
    let ends = |outcome| Fault::new(FaultKind::Refund { outcome }).at(Wechat);
    sandbox.fault(ends(RefundOutcome::NotEnough));
    let reply = client.post(REFUNDS, &body).await;
    assert_eq!(reply.refusal(), (403, "NOT_ENOUGH".to_owned()));
    // The same number works once the balance does.
    sandbox.fault(ends(RefundOutcome::Closed));
    assert_eq!(client.post(REFUNDS, &body).await.status, 200);
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(status(&client, "r1").await, "CLOSED");
    assert_eq!(sandbox.ledger().refunded_fen(Wechat), 0);
    // A closed refund gives its amount back; a new number is needed.
    sandbox.advance(Duration::from_secs(60));
    let body = client.refund("REF00007", "r2", 100, 100);
    assert_eq!(client.post(REFUNDS, &body).await.status, 200);
}

#[tokio::test]
async fn an_abnormal_refund_is_sent_to_another_card_with_encrypted_fields() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    paid(&sandbox, &client, "REF00008", 100).await;
    let outcome = RefundOutcome::Abnormal;
    sandbox.fault(Fault::new(FaultKind::Refund { outcome }));
    let body = client.refund("REF00008", "r1", 100, 100);
    let refund_id = client.post(REFUNDS, &body).await.json()["refund_id"].clone();
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(status(&client, "r1").await, "ABNORMAL");

    let target = format!("{REFUNDS}/{}/apply-abnormal-refund", refund_id.as_str().unwrap());
    let key = RsaPublicKey::from_public_key_pem(&client.kit.public_key_pem).unwrap();
    let encrypt = |text: &str| {
        let bytes = key.encrypt(&mut OsRng, Oaep::new::<Sha1>(), text.as_bytes());
        BASE64_STANDARD.encode(bytes.unwrap())
    };
    let mut body = json!({
        "out_refund_no": "r1",
        "type": "USER_BANK_CARD",
        "bank_type": "ICBC_DEBIT",
        "bank_account": "6222 plain",
        "real_name": encrypt("张三"),
    });
    let reply = client.post(&target, &body).await;
    assert_eq!(
        reply.refusal(),
        (400, "INVALID_REQUEST".to_owned()),
        "no Wechatpay-Serial"
    );
    let with_serial = async |body: &Value| {
        let request = client.request("POST", &target, &body.to_string());
        let request = request.header("Wechatpay-Serial", &client.kit.public_key_id);
        client.send(request).await
    };
    let reply = with_serial(&body).await;
    assert_eq!(reply.json()["detail"]["field"], "/bank_account");
    body["bank_account"] = json!(encrypt("6222000000000000000"));
    let reply = with_serial(&body).await;
    assert_eq!(reply.json()["status"], "PROCESSING", "{}", reply.json());
    sandbox.advance(Duration::from_secs(5));
    assert_eq!(status(&client, "r1").await, "SUCCESS");
    assert_eq!(sandbox.ledger().refunded_fen(Wechat), 100);
    assert_eq!(with_serial(&body).await.refusal().1, "INVALID_REQUEST");
}

#[tokio::test]
async fn a_refund_that_hangs_is_settled_by_hand() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    paid(&sandbox, &client, "REF00009", 100).await;
    let outcome = RefundOutcome::Processing;
    sandbox.fault(Fault::new(FaultKind::Refund { outcome }));
    let body = client.refund("REF00009", "r1", 100, 100);
    assert_eq!(client.post(REFUNDS, &body).await.status, 200);
    sandbox.advance(Duration::from_secs(240));
    assert_eq!(status(&client, "r1").await, "PROCESSING");
    sandbox
        .settle_refund(Wechat, "r1", RefundOutcome::Success)
        .unwrap();
    assert_eq!(status(&client, "r1").await, "SUCCESS");
    sandbox
        .settle_refund(Wechat, "r1", RefundOutcome::Closed)
        .unwrap_err();
    sandbox
        .settle_refund(Wechat, "r2", RefundOutcome::Success)
        .unwrap_err();
}
