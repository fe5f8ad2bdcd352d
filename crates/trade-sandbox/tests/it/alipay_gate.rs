//! What the gateway checks before it looks at the business, and in which order.

use serde_json::json;

use crate::{
    alipay_client::{AlipayClient, Params, QUERY, order, text},
    support::{sandbox, sandbox_with},
};

/// Sends a query that `spoil` has changed, signed after the change. Returns code, `sub_code`, `sub_msg`.
async fn refusal(client: &AlipayClient, spoil: impl FnOnce(&mut Params)) -> (String, String, String) {
    let mut params = client.params(QUERY, &json!({ "out_trade_no": "T1" }));
    spoil(&mut params);
    client.sign(&mut params);
    let answer = client.verified(&client.try_send(&params).await.unwrap());
    (
        text(&answer["code"]),
        text(&answer["sub_code"]),
        text(&answer["sub_msg"]),
    )
}

#[tokio::test]
async fn each_missing_or_wrong_parameter_has_its_code() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    let long_url = format!("https://example.com/{}", "a".repeat(256));
    for (name, value, code, sub_code) in [
        ("method", "", "40001", "isv.missing-method"),
        ("method", "alipay.trade.pay", "40002", "isv.invalid-method"),
        ("version", "", "40001", "isv.missing-version"),
        ("version", "2.0", "40002", "isv.invalid-parameter"),
        ("charset", "", "40002", "isv.invalid-charset"),
        ("charset", "GBK", "40002", "isv.invalid-charset"),
        ("format", "XML", "40002", "isv.invalid-format"),
        ("sign_type", "", "40001", "isv.missing-signature-type"),
        ("sign_type", "RSA", "40002", "isv.invalid-signature-type"),
        ("timestamp", "", "40001", "isv.missing-timestamp"),
        (
            "timestamp",
            "2026-11-20T12:00:00",
            "40002",
            "isv.invalid-timestamp",
        ),
        (
            "timestamp",
            "2026-11-20 12:10:01",
            "40002",
            "isv.invalid-timestamp",
        ),
        (
            "timestamp",
            "2026-11-20 11:49:59",
            "40002",
            "isv.invalid-timestamp",
        ),
        (
            "timestamp",
            "2026-11-20 04:00:00",
            "40002",
            "isv.invalid-timestamp",
        ),
        ("notify_url", "notify", "40002", "isv.invalid-parameter"),
        ("notify_url", &long_url, "40002", "isv.invalid-parameter"),
        ("app_auth_token", "token", "20001", "aop.invalid-app-auth-token"),
        ("encrypt_type", "AES", "40001", "isv.missing-encrypt-key"),
        ("biz_content", "{", "40002", "isv.illegal-json"),
        ("biz_content", "[]", "40002", "isv.illegal-json"),
        ("biz_content", r#"{"a":"1","a":"1"}"#, "40002", "isv.illegal-json"),
        ("biz_content", "", "40004", "ACQ.INVALID_PARAMETER"),
    ] {
        let spoil = |params: &mut Params| {
            params.insert(name.to_owned(), value.to_owned());
        };
        let refusal = refusal(&client, spoil).await;
        assert_eq!(
            (refusal.0.as_str(), refusal.1.as_str()),
            (code, sub_code),
            "{name}={value}"
        );
        assert!(!refusal.2.is_empty());
    }
    // Ten minutes are close enough.
    for timestamp in ["2026-11-20 12:10:00", "2026-11-20 11:50:00"] {
        let spoil = |params: &mut Params| {
            params.insert("timestamp".to_owned(), timestamp.to_owned());
        };
        assert_eq!(refusal(&client, spoil).await.1, "ACQ.TRADE_NOT_EXIST");
    }
}

#[tokio::test]
async fn the_app_is_looked_at_before_the_signature_and_its_refusal_is_unsigned() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    for (app_id, sub_code) in [
        ("", "isv.missing-app-id"),
        ("2021000000000009", "isv.invalid-app-id"),
    ] {
        let mut params = client.params(QUERY, &json!({ "out_trade_no": "T1" }));
        params.insert("app_id".to_owned(), app_id.to_owned());
        params.insert("version".to_owned(), "9".to_owned());
        let answer = client.try_send(&params).await.unwrap();
        assert_eq!(answer.root_key(), "alipay_trade_query_response");
        assert_eq!(answer.part("sign"), None);
        let source: serde_json::Value = serde_json::from_str(&answer.source()).unwrap();
        assert_eq!(source["sub_code"], sub_code);
    }
    // The method comes first of all.
    let mut params = client.params("alipay.no.such", &json!({}));
    params.remove("app_id");
    let answer = client.try_send(&params).await.unwrap();
    assert_eq!(answer.root_key(), "error_response");
    assert!(answer.source().contains("isv.invalid-method"));
    assert_eq!(answer.part("sign"), None);
}

#[tokio::test]
async fn a_wrong_signature_is_answered_with_the_text_that_was_verified() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    let mut params = client.params(QUERY, &json!({ "out_trade_no": "T1" }));
    client.sign(&mut params);
    let right = params["sign"].clone();
    params.insert("timestamp".to_owned(), "2026-11-20 12:00:01".to_owned());
    let answer = client.verified(&client.try_send(&params).await.unwrap());
    assert_eq!(answer["code"], "40002");
    assert_eq!(answer["msg"], "Invalid Arguments");
    assert_eq!(answer["sub_code"], "isv.invalid-signature");
    let verified = format!(
        "app_id={}&amp;biz_content={{&quot;out_trade_no&quot;:&quot;T1&quot;}}&amp;charset=utf-8&amp;\
         format=JSON&amp;method={QUERY}&amp;sign_type=RSA2&amp;timestamp=2026-11-20 12:00:01&amp;version=1.0",
        client.kit.app_id
    );
    assert!(text(&answer["sub_msg"]).ends_with(&verified), "{answer}");

    // Neither nonsense nor somebody else's signature passes.
    for sign in ["!", "", &right[4..], &"A".repeat(344)] {
        params.insert("sign".to_owned(), sign.to_owned());
        let answer = client.verified(&client.try_send(&params).await.unwrap());
        let expected = if sign.is_empty() {
            "isv.missing-signature"
        } else {
            "isv.invalid-signature"
        };
        assert_eq!(answer["sub_code"], expected, "{sign}");
    }
    // The signature covers sign_type, unlike that of notices.
    let mut params = client.params(QUERY, &json!({ "out_trade_no": "T1" }));
    params.remove("sign_type");
    client.sign(&mut params);
    params.insert("sign_type".to_owned(), "RSA2".to_owned());
    let answer = client.verified(&client.try_send(&params).await.unwrap());
    assert_eq!(answer["sub_code"], "isv.invalid-signature");
}

#[tokio::test]
async fn parameters_may_travel_anywhere_but_only_once() {
    let sandbox = sandbox().await;
    let client = AlipayClient::of(&sandbox);
    let mut params = client.params(QUERY, &json!({ "out_trade_no": "茶 +&=%/" }));
    // An extra parameter is signed like any other, an empty one is not there.
    params.insert("alipay_sdk".to_owned(), "test-1.0".to_owned());
    params.insert("notify_url".to_owned(), String::new());
    client.sign(&mut params);
    let url = &client.kit.gateway_url;
    let everywhere = [
        client.http().get(url).query(&params),
        client.http().post(url).query(&params),
        client.http().post(url).form(&params),
    ];
    for request in everywhere {
        let answer = client.read(request).await.unwrap();
        assert_eq!(answer.status, 200);
        assert_eq!(answer.headers["content-type"], "text/html;charset=utf-8");
        assert!(answer.headers["trace_id"].len() >= 16);
        assert_eq!(client.verified(&answer)["sub_code"], "ACQ.TRADE_NOT_EXIST");
    }
    let twice = client
        .http()
        .post(url)
        .query(&[("charset", "utf-8")])
        .form(&params);
    let json = client.http().post(url).json(&params);
    for request in [twice, json] {
        let answer = client.verified(&client.read(request).await.unwrap());
        assert_eq!(answer["sub_code"], "isv.invalid-parameter");
    }
}

#[tokio::test]
async fn an_app_with_certificates_must_send_their_numbers() {
    let sandbox = sandbox_with(|config| config.alipay.key_mode = trade_sandbox::AlipayKeyMode::Cert).await;
    let mut client = AlipayClient::of(&sandbox);
    client.cert_mode = true;
    assert_eq!(refusal(&client, |_params| {}).await.1, "ACQ.TRADE_NOT_EXIST");
    for (name, value, code, sub_code) in [
        ("app_cert_sn", "", "40001", "isv.missing-app-cert-sn"),
        ("app_cert_sn", "00", "40002", "isv.app-cert-not-exist"),
        (
            "alipay_root_cert_sn",
            "",
            "40001",
            "isv.missing-alipay-root-cert-sn",
        ),
        (
            "alipay_root_cert_sn",
            "00_11",
            "40002",
            "isv.invalid-alipay-root-cert-sn",
        ),
    ] {
        let spoil = |params: &mut Params| {
            params.insert(name.to_owned(), value.to_owned());
        };
        let refusal = refusal(&client, spoil).await;
        assert_eq!((refusal.0.as_str(), refusal.1.as_str()), (code, sub_code));
    }
    // The numbers are looked at before the signature.
    let mut params = client.params(QUERY, &order("T1", "1.00"));
    params.remove("app_cert_sn");
    let answer = client.verified(&client.try_send(&params).await.unwrap());
    assert_eq!(answer["sub_code"], "isv.missing-app-cert-sn");
}
