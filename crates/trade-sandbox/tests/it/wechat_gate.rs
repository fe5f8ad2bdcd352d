//! What the gate refuses, and how.

use serde_json::{Value, json};

use crate::support::{START_MS, WechatClient, sandbox};

const NATIVE: &str = "/v3/pay/transactions/native";

#[tokio::test]
async fn a_request_without_accept_or_user_agent_is_refused_first() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    for name in ["User-Agent", "Accept"] {
        let mut request = client.request("POST", NATIVE, "{}").header(name, "");
        // Even before the signature is looked at.
        request.signature = Some("bm8=".to_owned());
        if name == "Accept" {
            // reqwest adds its own unless there is one.
            request = request.header("Accept", " ");
        }
        let reply = client.send(request).await;
        assert_eq!(reply.refusal(), (400, "INVALID_REQUEST".to_owned()), "{name}");
        assert!(reply.json()["message"].as_str().unwrap().contains("User-Agent"));
        assert!(!reply.is_signed());
    }
}

#[tokio::test]
async fn a_wrong_identity_clock_or_signature_is_refused_unsigned() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let body = client.order("GATE0001", 100).to_string();
    let fresh = || client.request("POST", NATIVE, &body);

    let mut cases = Vec::new();
    let mut absent = fresh();
    absent.authorization = Some(String::new());
    cases.push((absent, 401, "SIGN_ERROR"));
    let mut scheme = fresh();
    scheme.authorization = Some("Basic abc".to_owned());
    cases.push((scheme, 401, "SIGN_ERROR"));
    let mut malformed = fresh();
    malformed.authorization = Some("WECHATPAY2-SHA256-RSA2048 mchid=1".to_owned());
    cases.push((malformed, 400, "INVALID_REQUEST"));
    let mut stranger = fresh();
    stranger.mchid = "1900000002".to_owned();
    cases.push((stranger, 401, "SIGN_ERROR"));
    let mut serial = fresh();
    serial.serial_no = client.kit.platform_serial_no.clone();
    cases.push((serial, 401, "SIGN_ERROR"));
    let mut public_key_id = fresh();
    public_key_id.serial_no = client.kit.public_key_id.clone();
    cases.push((public_key_id, 401, "SIGN_ERROR"));
    for seconds in [-301, 301] {
        let mut stale = fresh();
        stale.timestamp = (START_MS / 1_000 + seconds).to_string();
        cases.push((stale, 401, "SIGN_ERROR"));
    }
    let mut changed = fresh();
    changed.signature = Some(client.sign(b"something else"));
    cases.push((changed, 401, "SIGN_ERROR"));
    let mut undecodable = fresh();
    undecodable.signature = Some("not base64".to_owned());
    cases.push((undecodable, 401, "SIGN_ERROR"));

    for (index, (request, status, code)) in cases.into_iter().enumerate() {
        let reply = client.send(request).await;
        assert_eq!(reply.refusal(), (status, code.to_owned()), "case {index}");
        assert!(!reply.is_signed(), "case {index}");
        assert_ne!(reply.number(), "0", "case {index}");
        assert_eq!(reply.header("Cache-Control"), "no-cache, must-revalidate");
    }
    assert!(sandbox.ledger().orders.is_empty());
}

#[tokio::test]
async fn the_edges_of_the_clock_and_the_serials_spelling_are_accepted() {
    let sandbox = sandbox().await;
    let mut client = WechatClient::of(&sandbox);
    client.now_s = START_MS / 1_000 - 300;
    let mut request = client.request("POST", NATIVE, &client.order("GATE0002", 1).to_string());
    request.serial_no = format!("00{}", client.kit.serial_no.to_lowercase());
    let reply = client.send(request).await;
    assert_eq!(reply.status, 200, "{}", reply.json());
}

#[tokio::test]
async fn a_signature_error_shows_what_was_verified() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let target = "/v3/pay/transactions/out-trade-no/GATE0003?mchid=1900000001";
    let mut request = client.request("GET", target, "");
    request.signature = Some(client.sign(b"something else"));
    let detail = client.send(request).await.json()["detail"].clone();
    assert_eq!(detail["detail"]["issue"], "sign not match");
    assert_eq!(detail["field"], "signature");
    assert_eq!(detail["location"], "authorization");
    let shown = &detail["sign_information"];
    let expected = format!(
        "GET\n{target}\n{}\n593BEC0C930BF1AFEB40B4A08C8FB242\n\n",
        START_MS / 1_000
    );
    assert_eq!(shown["method"], "GET");
    assert_eq!(shown["url"], target);
    assert_eq!(shown["truncated_sign_message"], expected);
    assert_eq!(shown["sign_message_length"], expected.len());
}

#[tokio::test]
async fn the_body_is_verified_as_sent_with_a_trailing_line_feed() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let body = format!("{}\n", client.order("GATE0004", 1));
    assert_eq!(client.call("POST", NATIVE, &body).await.status, 200);
}

#[tokio::test]
async fn bodies_outside_the_documentation_are_refused_with_a_signature() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let right = client.order("GATE0005", 100);
    let with = |pointer: &str, value: Value| {
        let mut body = right.clone();
        let (parent, name) = pointer.rsplit_once('/').unwrap();
        body.pointer_mut(parent)
            .unwrap()
            .as_object_mut()
            .unwrap()
            .insert(name.to_owned(), value);
        body
    };
    let long = "字".repeat(128);
    let cases = [
        ("/extra", json!(1)),
        ("/attach", Value::Null),
        ("/description", json!("书😀")),
        ("/description", json!(long)),
        ("/out_trade_no", json!("SHORT")),
        ("/out_trade_no", json!("GATE0005 ")),
        ("/out_trade_no", json!("订单00001")),
        ("/amount/total", json!(0)),
        ("/amount/total", json!(1.5)),
        ("/amount/total", json!("100")),
        ("/amount/currency", json!("USD")),
        ("/notify_url", json!("https://example.com/?a=1")),
        ("/notify_url", json!("example.com/notify")),
        ("/time_expire", json!("2026-11-20 12:00:00")),
        ("/mchid", json!("1900000002")),
    ];
    for (pointer, value) in cases {
        let reply = client.post(NATIVE, &with(pointer, value.clone())).await;
        assert_eq!(
            reply.refusal(),
            (400, "PARAM_ERROR".to_owned()),
            "{pointer} {value}"
        );
        let detail = &reply.json()["detail"];
        match pointer {
            "/extra" => {
                assert_eq!(detail["value"], json!(["/extra"]));
                assert_eq!(reply.number(), "270924358");
            }
            "/mchid" => assert_eq!(detail["value"], "1900000002"),
            _ => {
                assert_eq!(detail["field"], pointer);
                assert_eq!(detail["value"], value);
                assert_eq!(detail["location"], "body");
            }
        }
    }
    let mut missing = right.clone();
    missing.as_object_mut().unwrap().remove("amount");
    let reply = client.post(NATIVE, &missing).await;
    assert_eq!(reply.json()["detail"]["field"], "/amount");
    let reply = client.call("POST", NATIVE, "{\"appid\":").await;
    assert_eq!(reply.refusal(), (400, "PARAM_ERROR".to_owned()));
    let reply = client
        .post(NATIVE, &with("/appid", json!("wx0000000000000000")))
        .await;
    assert_eq!(reply.refusal(), (400, "APPID_MCHID_NOT_MATCH".to_owned()));
    let target = "/v3/pay/transactions/out-trade-no/GATE0005?mchid=1900000002";
    let reply = client.get(target).await;
    assert_eq!(reply.refusal(), (400, "PARAM_ERROR".to_owned()));
    assert!(sandbox.ledger().orders.is_empty());
}

#[tokio::test]
async fn answers_carry_the_headers_of_wechat_pay() {
    let sandbox = sandbox().await;
    let client = WechatClient::of(&sandbox);
    let reply = client.post(NATIVE, &client.order("GATE0006", 1)).await;
    assert_eq!(reply.number(), "0");
    assert_eq!(reply.header("Server"), "nginx");
    assert_eq!(reply.header("Content-Type"), "application/json; charset=utf-8");
    assert_eq!(reply.header("Keep-Alive"), "timeout=8");
    assert_eq!(reply.header("Content-Language"), "zh-CN");
    assert_eq!(reply.header("Wechatpay-Serial"), client.kit.public_key_id);
    assert_eq!(reply.header("Cache-Control"), "");
    let timestamp: i64 = reply.header("Wechatpay-Timestamp").parse().unwrap();
    assert_eq!(timestamp, START_MS / 1_000);
}
