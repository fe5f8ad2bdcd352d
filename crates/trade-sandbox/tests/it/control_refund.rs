//! How refunds end, and refunds made in the merchant's console.

use serde_json::{Value, json};
use trade_sandbox::Channel::{Alipay, Wechat};

use crate::{
    alipay_client::AlipayClient,
    control_client::Script,
    support::{Listener, WechatClient, sandbox, sandbox_with},
};

#[tokio::test]
async fn a_refund_ends_as_it_is_told() {
    let sandbox = sandbox_with(|config| config.wechat.refund_spacing = false).await;
    let (script, client) = (Script::of(&sandbox), WechatClient::of(&sandbox));
    client.create(&client.order("CTL00004", 300)).await;
    script
        .done("/sandbox/orders/wechat/CTL00004/pay", &Value::Null)
        .await;
    for number in ["R1", "R2", "R3"] {
        let refund = client.refund("CTL00004", number, 100, 300);
        assert_eq!(
            client.post("/v3/refund/domestic/refunds", &refund).await.status,
            200
        );
    }
    let status = async |number: &str| {
        let target = format!("/v3/refund/domestic/refunds/{number}");
        client.get(&target).await.json()["status"].clone()
    };
    let settle = async |number: &str, outcome: &str| {
        let path = format!("/sandbox/refunds/wechat/{number}");
        script.post(&path, &json!({ "outcome": outcome })).await
    };
    assert_eq!(settle("R1", "success").await.json()["state"], "success");
    assert_eq!(settle("R2", "abnormal").await.json()["state"], "abnormal");
    assert_eq!(settle("R3", "processing").await.json()["state"], "processing");
    script
        .done("/sandbox/clock/advance", &json!({ "seconds": 60 }))
        .await;
    assert_eq!(
        [status("R1").await, status("R2").await, status("R3").await],
        ["SUCCESS", "ABNORMAL", "PROCESSING"]
    );
    assert_eq!(settle("R1", "closed").await.refusal().1, "refund_final");
    assert_eq!(settle("R2", "success").await.json()["state"], "success");
    assert_eq!(settle("R3", "closed").await.json()["state"], "closed");
    assert_eq!(settle("R4", "success").await.refusal().1, "refund_not_found");
    assert_eq!(settle("R3", "perhaps").await.wrong_field(), "outcome");
    assert_eq!(sandbox.ledger().refunded_fen(Wechat), 200);
}

#[tokio::test]
async fn an_alipay_refund_number_may_need_its_order() {
    let sandbox = sandbox().await;
    let (script, client) = (Script::of(&sandbox), AlipayClient::of(&sandbox));
    for number in ["CTL00005", "CTL00006"] {
        client.paid(&sandbox, number, None).await;
        let fault = json!({ "kind": "refund", "outcome": "processing", "channel": "alipay" });
        script.done("/sandbox/faults", &fault).await;
        let answer = client.refund(number, "R1", "3.00").await;
        assert_eq!(answer["fund_change"], "N", "{answer}");
    }
    let ambiguous = script
        .post("/sandbox/refunds/alipay/R1", &json!({ "outcome": "success" }))
        .await;
    assert_eq!(ambiguous.wrong_field(), "out_trade_no");
    let body = json!({ "outcome": "success", "out_trade_no": "CTL00006" });
    assert_eq!(
        script.done("/sandbox/refunds/alipay/R1", &body).await["state"],
        "success"
    );
    assert_eq!(sandbox.ledger().net_fen(Alipay, "CTL00005"), 1_000);
    assert_eq!(sandbox.ledger().net_fen(Alipay, "CTL00006"), 700);
}

#[tokio::test]
async fn a_refund_from_the_console_surprises_the_merchant() {
    let sandbox = sandbox_with(|config| config.wechat.refund_spacing = false).await;
    let listener = Listener::start().await;
    let script = Script::of(&sandbox);
    let wechat = WechatClient::of(&sandbox);
    let mut order = wechat.order("CTL00007", 300);
    order["notify_url"] = json!(listener.url("wechat"));
    wechat.create(&order).await;
    let path = "/sandbox/console-refund/wechat/CTL00007";
    let unpaid = script.post(path, &json!({ "amount_fen": 1 })).await;
    assert_eq!(unpaid.refusal().1, "not_refundable");
    sandbox.pay(Wechat, "CTL00007").unwrap();
    let refund = script
        .done(path, &json!({ "amount_fen": 200, "reason": "客服" }))
        .await;
    assert_eq!(refund["state"], "processing");
    assert_eq!(
        script
            .post(path, &json!({ "amount_fen": 101 }))
            .await
            .wrong_field(),
        "amount_fen"
    );
    // The merchant's own refund meets what is left.
    let own = wechat.refund("CTL00007", "R1", 200, 300);
    let refused = wechat.post("/v3/refund/domestic/refunds", &own).await;
    assert_eq!(refused.refusal(), (400, "INVALID_REQUEST".to_owned()));
    script
        .done("/sandbox/clock/advance", &json!({ "seconds": 5 }))
        .await;
    assert!(sandbox.quiet().await);
    assert_eq!(sandbox.ledger().net_fen(Wechat, "CTL00007"), 100);
    // Of the payment only: WeChat Pay does not tell of the console's refunds.
    assert_eq!(listener.heard().len(), 1);
}

#[tokio::test]
async fn alipay_tells_of_a_refund_from_the_console() {
    let sandbox = sandbox().await;
    let listener = Listener::start().await;
    let (script, client) = (Script::of(&sandbox), AlipayClient::of(&sandbox));
    client
        .paid(&sandbox, "CTL00008", Some(listener.url("alipay")))
        .await;
    let path = "/sandbox/console-refund/alipay/CTL00008";
    assert_eq!(
        script.done(path, &json!({ "amount_fen": 1_000 })).await["state"],
        "success"
    );
    assert_eq!(client.state("CTL00008").await, "TRADE_CLOSED");
    assert_eq!(
        script.post(path, &json!({ "amount_fen": 1 })).await.refusal().1,
        "not_refundable"
    );
    assert!(sandbox.quiet().await);
    let heard = listener.heard();
    assert_eq!(heard.len(), 2);
    assert!(
        heard
            .iter()
            .any(|heard| String::from_utf8_lossy(&heard.body).contains("refund_fee=10.00"))
    );
}
