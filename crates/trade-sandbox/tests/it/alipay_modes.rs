//! Certificates, content encryption, escaped slashes: the same life in other clothes.

use base64::{Engine, prelude::BASE64_STANDARD};
use serde_json::{Value, json};
use trade_sandbox::{AlipayKeyMode, Channel::Alipay, Sandbox};

use crate::{
    alipay_certificate::{cert_sn, certificates, signed_by},
    alipay_client::{AlipayClient, CERTIFICATE, PRECREATE, QUERY, REFUND_QUERY, order, text},
    support::{Listener, sandbox_with},
};

/// Creation, payment, refunds, notices. Every answer's signature is verified by the client.
async fn live(sandbox: &Sandbox, client: &AlipayClient) {
    let merchant = Listener::start().await;
    client
        .precreate(&order("T1", "10.00"), Some(merchant.url("pay")))
        .await;
    assert_eq!(client.state("T1").await, "ACQ.TRADE_NOT_EXIST");
    sandbox.pay(Alipay, "T1").unwrap();
    assert_eq!(client.state("T1").await, "TRADE_SUCCESS");
    assert_eq!(client.refund("T1", "R1", "4.00").await["fund_change"], "Y");
    let found = client
        .call(
            REFUND_QUERY,
            &json!({ "out_trade_no": "T1", "out_request_no": "R1" }),
        )
        .await;
    assert_eq!(found["refund_status"], "REFUND_SUCCESS");
    assert_eq!(client.refund("T1", "R2", "6.00").await["refund_fee"], "10.00");
    assert_eq!(client.state("T1").await, "TRADE_CLOSED");
    assert!(sandbox.quiet().await);
    let heard = merchant.heard();
    assert_eq!(heard.len(), 3);
    for heard in heard {
        assert_eq!(client.notice(&heard.body).unwrap()["out_trade_no"], "T1");
    }
}

#[tokio::test]
async fn with_plain_keys() {
    let sandbox = sandbox_with(|_config| {}).await;
    live(&sandbox, &AlipayClient::of(&sandbox)).await;
}

#[tokio::test]
async fn with_certificates() {
    let sandbox = sandbox_with(|config| config.alipay.key_mode = AlipayKeyMode::Cert).await;
    let mut client = AlipayClient::of(&sandbox);
    client.cert_mode = true;
    live(&sandbox, &client).await;
}

#[tokio::test]
async fn with_encrypted_contents() {
    let sandbox = sandbox_with(|config| config.alipay.encrypted = true).await;
    let mut client = AlipayClient::of(&sandbox);
    client.encrypted = true;
    live(&sandbox, &client).await;
    // On the wire the answer is a text of Base64, refusals of business included.
    let answer = client.send(QUERY, &json!({ "out_trade_no": "T9" })).await;
    assert!(answer.source().starts_with('"'));
    // A gateway's refusal is a plain object.
    for (encrypt_type, content, sub_code) in [
        ("", "{}".to_owned(), "isv.decryption-error-missing-encrypt-type"),
        ("SM4", client.encrypt("{}"), "isv.invalid-encrypt-type"),
        ("AES", "AAAA".to_owned(), "isv.decryption-error-unknown"),
        (
            "AES",
            r#"{"out_trade_no":"T1"}"#.to_owned(),
            "isv.decryption-error-unknown",
        ),
        ("AES", client.encrypt("{"), "isv.illegal-json"),
    ] {
        let mut params = client.params(QUERY, &json!({}));
        params.insert("encrypt_type".to_owned(), encrypt_type.to_owned());
        params.insert("biz_content".to_owned(), content);
        client.sign(&mut params);
        let answer = client.try_send(&params).await.unwrap();
        assert!(answer.source().starts_with('{'));
        assert_eq!(client.verified(&answer)["sub_code"], sub_code);
    }
}

#[tokio::test]
async fn with_everything_at_once() {
    let sandbox = sandbox_with(|config| {
        config.alipay.key_mode = AlipayKeyMode::Cert;
        config.alipay.encrypted = true;
        config.alipay.escaped_slashes = true;
    })
    .await;
    let mut client = AlipayClient::of(&sandbox);
    client.cert_mode = true;
    client.encrypted = true;
    live(&sandbox, &client).await;
}

#[tokio::test]
async fn escaped_slashes_are_signed_as_plain_ones() {
    let sandbox = sandbox_with(|config| config.alipay.escaped_slashes = true).await;
    let client = AlipayClient::of(&sandbox);
    live(&sandbox, &client).await;
    let answer = client.send(PRECREATE, &order("T2", "1.00")).await;
    let source = answer.source();
    assert!(source.contains(r"http:\/\/"), "{source}");
    let sign = answer.part("sign").unwrap();
    assert!(!client.verify(source.as_bytes(), &sign));
    assert!(client.verify(source.replace("\\/", "/").as_bytes(), &sign));
    let parsed: Value = serde_json::from_str(&source).unwrap();
    assert!(text(&parsed["qr_code"]).starts_with("http://"));
}

#[tokio::test]
async fn a_renewed_certificate_can_be_downloaded_by_its_number() {
    let sandbox = sandbox_with(|config| config.alipay.key_mode = AlipayKeyMode::Cert).await;
    let mut client = AlipayClient::of(&sandbox);
    client.cert_mode = true;
    let old = client.alipay_cert_sn();
    sandbox.rotate_keys(Alipay).unwrap();
    let answer = client.send(QUERY, &json!({ "out_trade_no": "T1" })).await;
    let new = answer.part("alipay_cert_sn").unwrap();
    assert_ne!(new, old);

    client.kit = sandbox.merchant().alipay;
    for number in [&old, &new] {
        let answer = client
            .call(CERTIFICATE, &json!({ "alipay_cert_sn": number }))
            .await;
        let pem = BASE64_STANDARD
            .decode(text(&answer["alipay_cert_content"]))
            .unwrap();
        let chain = certificates(std::str::from_utf8(&pem).unwrap());
        assert_eq!(&cert_sn(&chain[0]), number);
        assert!(signed_by(&chain[0], &chain[1]));
        let roots = certificates(&client.kit.alipay_root_certificates_pem);
        assert!(roots.iter().any(|root| signed_by(&chain[1], root)));
    }
    let answer = client.call(CERTIFICATE, &json!({ "alipay_cert_sn": "00" })).await;
    assert_eq!(answer["sub_code"], "isv.alipay-cert-not-exist");
    let answer = client.call(CERTIFICATE, &json!({})).await;
    assert_eq!(answer["sub_code"], "isv.invalid-parameter");
}
