//! The OpenAPI document tells the truth: every example in it is sent, and answered as the document says.

use serde_json::{Value, json};
use trade_sandbox::{Channel::Wechat, Sandbox};

use crate::{
    control_client::{Script, pay_path},
    support::{WechatClient, sandbox},
};

const ORDER: &str = "T20261120001";
const REFUND: &str = "R20261120001";

#[tokio::test]
async fn every_example_is_answered_as_documented() {
    let document = served().await;
    let mut answered = 0;
    for (path, methods) in document["paths"].as_object().unwrap() {
        for (method, operation) in methods.as_object().unwrap() {
            if method == "parameters" {
                continue;
            }
            let bodies = examples(
                &document,
                &operation["requestBody"]["content"]["application/json"],
            );
            let bodies = if bodies.is_empty() {
                vec![Value::Null]
            } else {
                bodies
            };
            for body in bodies {
                let place = format!("{method} {path} {body}");
                let sandbox = stage(path).await;
                let script = Script::of(&sandbox);
                let path = fill(path, &sandbox);
                let body = if body.is_null() {
                    String::new()
                } else {
                    body.to_string()
                };
                let said = script.send(method, &path, "application/json", &body).await;
                let responses = operation["responses"].as_object().unwrap();
                let (status, response) = responses
                    .iter()
                    .find(|(status, _)| *status < &"400".to_owned())
                    .unwrap();
                assert_eq!(said.status.to_string(), *status, "{place}: {}", said.text);
                let content = &resolve(&document, response)["content"]["application/json"];
                for mut example in examples(&document, content) {
                    if path == "/sandbox/faults" && method == "post" {
                        // A rule shows the fields of its kind.
                        let fields = serde_json::from_str::<Value>(&body).unwrap();
                        let fields = fields.as_object().unwrap().clone();
                        example.as_object_mut().unwrap().extend(fields);
                    }
                    assert_same_shape(&example, &said.json(), &place);
                }
                answered += 1;
            }
        }
    }
    assert!(answered >= 30, "{answered}");
}

#[tokio::test]
async fn every_documented_refusal_looks_like_its_example() {
    let document = served().await;
    let sandbox = stage("").await;
    let script = Script::of(&sandbox);
    sandbox.pay(Wechat, ORDER).unwrap();
    for (name, path) in [
        ("Invalid", "/sandbox/orders/visa/T20261120001/pay"),
        ("NotFound", "/sandbox/orders/wechat/T1/pay"),
        ("Conflict", "/sandbox/orders/wechat/T20261120001/pay"),
    ] {
        let content = &document["components"]["responses"][name]["content"]["application/json"];
        assert_eq!(
            script.post(path, &Value::Null).await.json(),
            content["example"],
            "{name}"
        );
    }
}

#[tokio::test]
async fn the_reference_page_shows_every_operation_and_the_orders() {
    let document = served().await;
    let sandbox = stage("").await;
    let script = Script::of(&sandbox);
    let home = script.browse("GET", "/").await;
    assert_eq!((home.status, home.header("location")), (303, "sandbox"));
    let page = script.browse("GET", "/sandbox").await;
    assert!(page.header("content-type").starts_with("text/html"));
    assert!(
        page.header("content-security-policy")
            .contains("default-src 'none'")
    );
    let text = page.text.replace("<wbr>", "");
    for (path, methods) in document["paths"].as_object().unwrap() {
        assert!(
            text.contains(&format!("<span class=\"path\">{path}</span>")),
            "{path}"
        );
        for operation in methods.as_object().unwrap().values() {
            let summary = operation["summary"]
                .as_str()
                .unwrap_or_default()
                .replace('\'', "&#39;");
            assert!(text.contains(&summary), "{summary}");
        }
    }
    assert!(text.contains("&lt;b&gt;两本书"));
    assert!(!text.contains("<b>两本书"));
    assert!(!text.contains("<script"));
    let link = pay_path(&sandbox, Wechat, ORDER);
    assert!(text.contains(&format!("href=\"{}\"", link.trim_start_matches('/'))));
}

async fn served() -> Value {
    let sandbox = sandbox().await;
    let said = Script::of(&sandbox).get("/sandbox/openapi.json").await;
    assert_eq!(said.header("content-type"), "application/json");
    assert!(said.json()["openapi"].as_str().unwrap().starts_with("3.1"));
    said.json()
}

/// A sandbox in which the example of `path` can succeed.
async fn stage(path: &str) -> Sandbox {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let mut order = client.order(ORDER, 1_990);
    order["description"] = json!("<b>两本书</b>");
    order["time_expire"] = json!("2026-11-20T12:30:00+08:00");
    client.create(&order).await;
    if path.contains("refund") || path.contains("ledger") || path.contains("notices") {
        sandbox.pay(Wechat, ORDER).unwrap();
    }
    if path.contains("refunds") || path.contains("ledger") {
        let refund = client.refund(ORDER, REFUND, 500, 1_990);
        assert_eq!(
            client.post("/v3/refund/domestic/refunds", &refund).await.status,
            200
        );
    }
    if path.contains("notices") {
        assert!(sandbox.quiet().await);
    }
    if path.contains("faults") {
        for _ in 0..2 {
            let fault = json!({ "kind": "delay", "delay_ms": 3_000, "operation": "query", "times": 3 });
            Script::of(&sandbox).done("/sandbox/faults", &fault).await;
        }
    }
    sandbox
}

fn fill(path: &str, sandbox: &Sandbox) -> String {
    let notices = sandbox.notices();
    let id = match notices.first() {
        Some(notice) if path.contains("notices") => notice.id.clone(),
        _ => "1".to_owned(),
    };
    let page = pay_path(sandbox, Wechat, ORDER);
    path.replace("{channel}", "wechat")
        .replace("{out_trade_no}", ORDER)
        .replace("{out_refund_no}", REFUND)
        .replace("{id}", &id)
        .replace("/pay/{token}", &page)
}

fn examples(document: &Value, content: &Value) -> Vec<Value> {
    if let Some(example) = content.get("example") {
        return vec![example.clone()];
    }
    let named = content["examples"].as_object().into_iter().flatten();
    named
        .map(|(_, example)| resolve(document, example)["value"].clone())
        .collect()
}

fn resolve<'value>(document: &'value Value, value: &'value Value) -> &'value Value {
    match value["$ref"].as_str() {
        Some(target) => document.pointer(target.trim_start_matches('#')).unwrap(),
        None => value,
    }
}

/// The same fields of the same types. Null fits anything; of lists the first items count.
fn assert_same_shape(example: &Value, actual: &Value, place: &str) {
    match (example, actual) {
        (Value::Object(example), Value::Object(actual)) => {
            let names = |object: &serde_json::Map<String, Value>| object.keys().cloned().collect::<Vec<_>>();
            assert_eq!(names(example), names(actual), "{place}");
            for (name, value) in example {
                assert_same_shape(value, &actual[name], &format!("{place}: {name}"));
            }
        }
        (Value::Array(example), Value::Array(actual)) => {
            if let (Some(example), Some(actual)) = (example.first(), actual.first()) {
                assert_same_shape(example, actual, place);
            }
        }
        (Value::Null, _) | (_, Value::Null) => {}
        (example, actual) => {
            let kind = std::mem::discriminant::<Value>;
            assert_eq!(kind(example), kind(actual), "{place}: {example} {actual}");
        }
    }
}
