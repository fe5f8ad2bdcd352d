//! The control API: what it makes happen, as the channels' own clients see it.

use serde_json::{Value, json};
use trade_sandbox::{
    Channel::{Alipay, Wechat},
    WechatKeyMode,
};

use crate::{
    alipay_client::{AlipayClient, order},
    control_client::Script,
    support::{Listener, START_MS, WechatClient, sandbox, sandbox_with},
};

#[tokio::test]
async fn the_state_tells_ids_and_modes_but_no_secrets() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    let said = script.get("/sandbox/state").await;
    let (state, kit) = (said.json(), sandbox.merchant());
    assert_eq!(state["clock"]["now_ms"], START_MS);
    assert_eq!(state["clock"]["now"], "2026-11-20T12:00:00+08:00");
    assert_eq!(state["urls"]["alipay"], kit.alipay.gateway_url);
    assert_eq!(state["wechat"]["mchid"], kit.wechat.mchid);
    assert_eq!(state["wechat"]["keys"]["mode"], "pubkey");
    assert_eq!(state["wechat"]["keys"]["public_key_id"], kit.wechat.public_key_id);
    assert_eq!(state["alipay"]["pid"], kit.alipay.seller_id);
    let pages = [
        said.text,
        script.get("/sandbox/ledger").await.text,
        script.get("/sandbox").await.text,
    ];
    for secret in [
        &kit.wechat.apiv3_key,
        &kit.alipay.encrypt_key,
        &kit.alipay.app_private_key,
    ] {
        assert!(pages.iter().all(|page| !page.contains(secret.as_str())));
    }
}

#[tokio::test]
async fn a_wechat_order_is_paid_by_anybody_from_anything_once() {
    let sandbox = sandbox().await;
    let (script, client) = (Script::of(&sandbox), WechatClient::of(&sandbox));
    client.create(&client.order("CTL00001", 1_990)).await;
    let path = "/sandbox/orders/wechat/CTL00001/pay";
    let body = json!({ "payer": "oSomebody", "bank_type": "ICBC_DEBIT", "coupon_fen": 90 });
    let paid = script.done(path, &body).await;
    assert_eq!(paid["state"], "paid");
    let seen = client.query("CTL00001").await;
    assert_eq!(seen["trade_state"], "SUCCESS");
    assert_eq!(
        (&seen["payer"]["openid"], &seen["bank_type"]),
        (&json!("oSomebody"), &json!("ICBC_DEBIT"))
    );
    assert_eq!(seen["amount"]["payer_total"], 1_900);
    assert_eq!(seen["transaction_id"], paid["transaction_id"]);
    for path in [
        path,
        "/sandbox/orders/wechat/CTL00001/scan",
        "/sandbox/orders/wechat/CTL00001/expire",
    ] {
        assert_eq!(script.post(path, &Value::Null).await.refusal().1, "already_paid");
    }
    let close = script
        .post("/sandbox/orders/wechat/CTL00001/close", &Value::Null)
        .await;
    assert_eq!(
        (close.refusal().0, close.refusal().1.as_str()),
        (409, "already_paid")
    );
    assert_eq!(sandbox.ledger().entries.len(), 1);
}

#[tokio::test]
async fn numbers_in_paths_are_decoded() {
    let sandbox = sandbox().await;
    let (script, client) = (Script::of(&sandbox), WechatClient::of(&sandbox));
    client.create(&client.order("CTL|a*2", 1)).await;
    script
        .done("/sandbox/orders/wechat/CTL%7Ca%2A2/pay", &Value::Null)
        .await;
    assert!(sandbox.ledger().order(Wechat, "CTL|a*2").unwrap().is_paid());
    let broken = script.post("/sandbox/orders/wechat/%FF/pay", &Value::Null).await;
    assert_eq!(broken.refusal().0, 400);
}

#[tokio::test]
async fn an_alipay_trade_exists_from_the_scan_on() {
    let sandbox = sandbox().await;
    let (script, client) = (Script::of(&sandbox), AlipayClient::of(&sandbox));
    client.precreate(&order("CTL00002", "10.00"), None).await;
    assert_eq!(client.state("CTL00002").await, "ACQ.TRADE_NOT_EXIST");
    script
        .done("/sandbox/orders/alipay/CTL00002/scan", &Value::Null)
        .await;
    assert_eq!(client.state("CTL00002").await, "WAIT_BUYER_PAY");
    let expired = script
        .done("/sandbox/orders/alipay/CTL00002/expire", &Value::Null)
        .await;
    assert_eq!(
        (&expired["state"], &expired["closed_ms"]),
        (&json!("closed"), &json!(START_MS))
    );
    assert_eq!(client.state("CTL00002").await, "TRADE_CLOSED");
    let pay = script
        .post("/sandbox/orders/alipay/CTL00002/pay", &Value::Null)
        .await;
    assert_eq!(pay.refusal().1, "closed");
    assert_eq!(sandbox.ledger().paid_fen(Alipay), 0);
}

#[tokio::test]
async fn an_order_expires_or_is_closed_without_the_clock_moving() {
    let sandbox = sandbox().await;
    let (script, client) = (Script::of(&sandbox), WechatClient::of(&sandbox));
    let mut body = client.order("CTL00003", 1);
    body["time_expire"] = json!("2026-11-20T12:30:00+08:00");
    client.create(&body).await;
    for _ in 0..2 {
        let expired = script
            .done("/sandbox/orders/wechat/CTL00003/expire", &Value::Null)
            .await;
        assert_eq!(expired["payable_until_ms"], START_MS);
    }
    // The deadline has passed, but WeChat Pay has not closed the order.
    assert_eq!(client.query("CTL00003").await["trade_state"], "NOTPAY");
    let pay = script
        .post("/sandbox/orders/wechat/CTL00003/pay", &Value::Null)
        .await;
    assert_eq!(pay.refusal().1, "expired");
    let closed = script
        .done("/sandbox/orders/wechat/CTL00003/close", &Value::Null)
        .await;
    assert_eq!(closed["state"], "closed");
    assert_eq!(client.query("CTL00003").await["trade_state"], "CLOSED");
    assert_eq!(sandbox.now_ms(), START_MS);
}

#[tokio::test]
async fn a_notice_is_listed_and_sent_again() {
    let sandbox = sandbox().await;
    let listener = Listener::start().await;
    let (script, client) = (Script::of(&sandbox), WechatClient::of(&sandbox));
    let mut order = client.order("CTL00009", 1);
    order["notify_url"] = json!(listener.url("wechat"));
    client.create(&order).await;
    script
        .done("/sandbox/orders/wechat/CTL00009/pay", &Value::Null)
        .await;
    assert!(sandbox.quiet().await);
    let listed = script.get("/sandbox/notices").await.json();
    let notice = &listed["notices"][0];
    assert_eq!(
        (&notice["state"], &notice["out_trade_no"]),
        (&json!("acknowledged"), &json!("CTL00009"))
    );
    let path = format!("/sandbox/notices/{}/resend", notice["id"].as_str().unwrap());
    script.done(&path, &Value::Null).await;
    assert!(sandbox.quiet().await);
    let heard = listener.heard();
    assert_eq!(heard.len(), 2);
    let id = |body: &[u8]| serde_json::from_slice::<Value>(body).unwrap()["id"].clone();
    let ids: Vec<Value> = heard.iter().map(|heard| id(&heard.body)).collect();
    assert_eq!(ids, [notice["id"].clone(), notice["id"].clone()]);
    let unknown = script.post("/sandbox/notices/none/resend", &Value::Null).await;
    assert_eq!(
        (unknown.refusal().0, unknown.refusal().1.as_str()),
        (404, "notice_not_found")
    );
}

#[tokio::test]
async fn rotated_keys_are_published() {
    let sandbox = sandbox_with(|config| config.wechat.key_mode = WechatKeyMode::Cert).await;
    let script = Script::of(&sandbox);
    let before = sandbox.merchant();
    for channel in ["wechat", "alipay"] {
        script
            .done("/sandbox/keys/rotate", &json!({ "channel": channel }))
            .await;
    }
    let after = sandbox.merchant();
    assert_ne!(before.wechat.platform_serial_no, after.wechat.platform_serial_no);
    assert_ne!(
        before.alipay.alipay_certificate_pem,
        after.alipay.alipay_certificate_pem
    );
    let state = script.get("/sandbox/state").await.json();
    let serials = [before.wechat.platform_serial_no, after.wechat.platform_serial_no];
    assert_eq!(state["wechat"]["keys"]["platform_serial_nos"], json!(serials));
    assert_eq!(
        state["alipay"]["keys"]["alipay_serial_nos"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert_eq!(
        script
            .post("/sandbox/keys/rotate", &json!({}))
            .await
            .wrong_field(),
        "channel"
    );
}

#[tokio::test]
async fn a_reset_forgets_everything_but_who_the_merchant_is() {
    let sandbox = sandbox().await;
    let (script, client) = (Script::of(&sandbox), WechatClient::of(&sandbox));
    client.create(&client.order("CTL00010", 1)).await;
    sandbox.pay(Wechat, "CTL00010").unwrap();
    script
        .done("/sandbox/faults", &json!({ "kind": "duplicate" }))
        .await;
    let state = script.done("/sandbox/reset", &Value::Null).await;
    assert_eq!(
        state["counts"],
        json!({ "orders": 0, "refunds": 0, "notices": 0, "faults": 0 })
    );
    assert!(sandbox.ledger().entries.is_empty());
    // The same number, signed with the same key, is new.
    client.create(&client.order("CTL00010", 2)).await;
    assert_eq!(client.query("CTL00010").await["trade_state"], "NOTPAY");
    assert_eq!(sandbox.ledger().order(Wechat, "CTL00010").unwrap().amount_fen, 2);
}
