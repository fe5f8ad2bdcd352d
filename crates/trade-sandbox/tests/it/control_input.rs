//! What the control API refuses, and that it says why. Also: faults ordered over it strike.

use serde_json::{Value, json};

use crate::{
    control_client::Script,
    support::{WechatClient, sandbox},
};

const NATIVE: &str = "/v3/pay/transactions/native";

#[tokio::test]
async fn a_wrong_field_is_named_with_its_rule() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    let client = WechatClient::of(&sandbox);
    client.create(&client.order("INP00001", 100)).await;
    let pay = "/sandbox/orders/wechat/INP00001/pay";
    let refund = "/sandbox/console-refund/wechat/INP00001";
    for (path, body, field) in [
        ("/sandbox/orders/unionpay/INP00001/pay", json!({}), "channel"),
        (pay, json!({ "payer": "" }), "payer"),
        (pay, json!({ "payer": 7 }), "payer"),
        (pay, json!({ "payer": "x".repeat(129) }), "payer"),
        (pay, json!({ "coupon_fen": 101 }), "coupon_fen"),
        (pay, json!({ "coupon_fen": -1 }), "coupon_fen"),
        (pay, json!({ "openid": "o" }), "openid"),
        (
            "/sandbox/orders/wechat/INP00001/scan",
            json!({ "payer": "o" }),
            "payer",
        ),
        ("/sandbox/refunds/wechat/R1", json!({}), "outcome"),
        (
            "/sandbox/refunds/wechat/R1",
            json!({ "outcome": "not_enough" }),
            "outcome",
        ),
        (refund, json!({}), "amount_fen"),
        (refund, json!({ "amount_fen": 0 }), "amount_fen"),
        (refund, json!({ "amount_fen": 1.5 }), "amount_fen"),
        (refund, json!({ "amount_fen": "1" }), "amount_fen"),
        ("/sandbox/clock/advance", json!({}), "seconds"),
        ("/sandbox/clock/advance", json!({ "seconds": 0 }), "seconds"),
        (
            "/sandbox/clock/advance",
            json!({ "seconds": 34_560_001 }),
            "seconds",
        ),
        ("/sandbox/keys/rotate", json!({ "channel": "both" }), "channel"),
        ("/sandbox/reset", json!({ "all": true }), "all"),
    ] {
        assert_eq!(
            script.post(path, &body).await.wrong_field(),
            field,
            "{path} {body}"
        );
    }
    assert_eq!(sandbox.ledger().entries.len(), 0);
}

#[tokio::test]
async fn a_fault_that_could_not_strike_is_refused() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    for (body, field) in [
        (json!({}), "kind"),
        (json!({ "kind": "earthquake" }), "kind"),
        (json!({ "kind": "delay" }), "delay_ms"),
        (json!({ "kind": "delay", "delay_ms": 0 }), "delay_ms"),
        (json!({ "kind": "status", "status": 200 }), "status"),
        (json!({ "kind": "status", "status": 500, "effect": 1 }), "effect"),
        (json!({ "kind": "garbage", "status": 500 }), "status"),
        (json!({ "kind": "garbage", "times": 0 }), "times"),
        (json!({ "kind": "garbage", "operation": "precreat" }), "operation"),
        (
            json!({ "kind": "garbage", "operation": "native", "channel": "alipay" }),
            "operation",
        ),
        (json!({ "kind": "duplicate", "operation": "native" }), "operation"),
        (json!({ "kind": "duplicate", "copies": 21 }), "copies"),
        (json!({ "kind": "gbk", "channel": "wechat" }), "channel"),
        (json!({ "kind": "refund", "outcome": "lost" }), "outcome"),
    ] {
        let said = script.post("/sandbox/faults", &body).await;
        assert_eq!(said.wrong_field(), field, "{body}");
    }
    assert!(sandbox.faults().is_empty());
}

#[tokio::test]
async fn a_body_that_is_none_is_refused() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    let send = async |body: &str| {
        let said = script.send("POST", "/sandbox/clock/advance", "*/*", body).await;
        let (status, code, _) = said.refusal();
        (status, code)
    };
    for body in ["{", "[]", "7", "seconds=7200", "{\"seconds\": 1} {}"] {
        assert_eq!(send(body).await, (400, "invalid_body".to_owned()), "{body}");
    }
    let long = format!("{{\"seconds\": {}}}", " ".repeat(70_000));
    assert_eq!(send(&long).await, (413, "body_too_large".to_owned()));
}

#[tokio::test]
async fn unknown_things_are_named() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    for (method, path, refusal) in [
        (
            "POST",
            "/sandbox/orders/wechat/NONE/pay",
            (404, "order_not_found"),
        ),
        (
            "POST",
            "/sandbox/orders/alipay/NONE/scan",
            (404, "order_not_found"),
        ),
        (
            "POST",
            "/sandbox/orders/alipay/NONE/expire",
            (404, "order_not_found"),
        ),
        (
            "POST",
            "/sandbox/orders/alipay/NONE/close",
            (404, "order_not_found"),
        ),
        ("DELETE", "/sandbox/faults/7", (404, "fault_not_found")),
        ("DELETE", "/sandbox/faults/seven", (400, "invalid_field")),
        ("GET", "/sandbox/none", (404, "unknown_address")),
        (
            "POST",
            "/sandbox/orders/wechat/T1/refund",
            (404, "unknown_address"),
        ),
        ("GET", "/sandbox/reset", (405, "wrong_method")),
        ("DELETE", "/sandbox/state", (405, "wrong_method")),
    ] {
        let said = script.send(method, path, "*/*", "").await;
        let (status, code, _) = said.refusal();
        assert_eq!((status, code.as_str()), refusal, "{method} {path}");
    }
    let body = json!({ "amount_fen": 1 });
    let said = script.post("/sandbox/console-refund/alipay/NONE", &body).await;
    assert_eq!(said.refusal().1, "order_not_found");
}

#[tokio::test]
async fn faults_are_ordered_listed_and_withdrawn() {
    let sandbox = sandbox().await;
    let (script, client) = (Script::of(&sandbox), WechatClient::of(&sandbox));
    let list = async || script.get("/sandbox/faults").await.json()["faults"].clone();
    let slow = json!({ "kind": "delay", "delay_ms": 1, "operation": "query", "times": 2 });
    let lost = json!({ "kind": "status", "status": 502, "effect": true, "channel": "wechat", "operation": "native" });
    assert_eq!(script.done("/sandbox/faults", &slow).await["id"], 1);
    let rule = script.done("/sandbox/faults", &lost).await;
    assert_eq!((&rule["id"], &rule["times"]), (&json!(2), &json!(1)));
    assert_eq!(list().await.as_array().unwrap().len(), 2);
    let order = client.order("INP00002", 100).to_string();
    assert_eq!(
        client.send(client.request("POST", NATIVE, &order)).await.status,
        502
    );
    assert_eq!(client.query("INP00002").await["trade_state"], "NOTPAY");
    let left = list().await;
    assert_eq!(
        (&left[0]["id"], &left[0]["times"], &left[1]),
        (&json!(1), &json!(1), &Value::Null)
    );
    let removed = script.send("DELETE", "/sandbox/faults/1", "*/*", "").await;
    assert_eq!((removed.status, removed.json()), (200, json!({ "faults": [] })));
    script.done("/sandbox/faults", &slow).await;
    let cleared = script.send("DELETE", "/sandbox/faults", "*/*", "").await;
    assert_eq!((cleared.status, cleared.json()), (200, json!({ "faults": [] })));
    assert_eq!(client.query("INP00002").await["trade_state"], "NOTPAY");
}
