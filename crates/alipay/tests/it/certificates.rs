//! Certificate mode: whose certificate may sign, and when a new one is asked for.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use trade_alipay::{Alipay, AlipayConfig, VerifyKeys};
use trade_core::{
    Certainty::Unknown,
    ErrorKind as Kind,
    handler::{PayHandler, PaymentStatus},
};
use trade_crypto::PrivateKey;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::query_param};

use crate::support::{
    PAID, biz_content, certificate, certificates, clock, config, encode, field, is, sign, trading, vector,
};

const QUERY: &str = "alipay.trade.query";
const DOWNLOAD: &str = "alipay.open.app.alipaycert.download";
/// What `paid_by_*.signature` sign.
const ANSWER: &str = r#"{"code":"10000","out_trade_no":"7310000000000000001","trade_no":"T1","trade_status":"TRADE_SUCCESS","total_amount":"19.90"}"#;

/// Answers to queries that name this certificate and carry this signature.
fn answer(serial: &str, signature: &str) -> String {
    format!(r#"{{"alipay_trade_query_response":{ANSWER},"alipay_cert_sn":"{serial}","sign":"{signature}"}}"#)
}

/// The answer to a download: Base64 of PEM, unsigned.
fn download(pem: &str) -> String {
    let content = STANDARD.encode(pem);
    format!(
        r#"{{"alipay_open_app_alipaycert_download_response":{{"code":"10000","alipay_cert_content":"{content}"}}}}"#
    )
}

fn file(name: &str) -> String {
    std::fs::read_to_string(certificate(name)).unwrap()
}

/// A gateway that signs with the key of one certificate and hands out another, or the same.
async fn gateway(signed_by: &str, handed_out: &str) -> MockServer {
    let signature = match signed_by {
        "alipay" | "same_key" => sign(ANSWER.as_bytes()),
        name => vector(&format!("paid_by_{name}.signature")),
    };
    let serial = vector(&format!("certificates/{signed_by}.sn"));
    let server = MockServer::start().await;
    for (method, body) in [
        (QUERY, answer(&serial, &signature)),
        (DOWNLOAD, download(handed_out)),
    ] {
        Mock::given(query_param("method", method))
            .respond_with(ResponseTemplate::new(200).set_body_string(body))
            .mount(&server)
            .await;
    }
    server
}

fn config_of(server: &MockServer, check_chain: bool) -> AlipayConfig {
    let mut config = config(&server.uri());
    config.keys = VerifyKeys::Certificates {
        app: certificate("app.crt"),
        alipay: certificate("alipay.crt"),
        root: certificate("root.crt"),
        check_chain,
    };
    config
}

async fn downloads(server: &MockServer) -> usize {
    let requests = server.received_requests().await.unwrap();
    requests
        .iter()
        .filter(|request| field(request, "method").as_deref() == Some(DOWNLOAD))
        .count()
}

#[tokio::test]
async fn the_configured_certificate_needs_no_download() {
    let server = gateway("alipay", "").await;
    let alipay = Alipay::new(config_of(&server, true)).unwrap();
    assert!(alipay.query(trading()).await.is_ok());
    assert_eq!(downloads(&server).await, 0);
}

#[tokio::test]
async fn a_successor_is_taken_in_once_and_then_known() {
    for name in ["renewed", "same_key"] {
        let server = gateway(name, &file(&format!("{name}.crt"))).await;
        let alipay = Alipay::new(config_of(&server, true)).unwrap();
        for _ in 0..3 {
            let observed = alipay.query(trading()).await.unwrap();
            assert!(matches!(observed.status, PaymentStatus::Paid(_)), "{name}");
        }
        assert_eq!(downloads(&server).await, 1, "{name}");
        let requests = server.received_requests().await.unwrap();
        let asked = requests
            .iter()
            .find(|request| field(request, "method").as_deref() == Some(DOWNLOAD))
            .unwrap();
        let serial = vector(&format!("certificates/{name}.sn"));
        assert_eq!(
            biz_content(asked),
            serde_json::json!({ "alipay_cert_sn": serial })
        );
    }
}

#[tokio::test]
async fn a_new_certificate_for_the_same_key_verifies_even_when_it_cannot_be_had() {
    let server = gateway("same_key", "no certificate").await;
    let alipay = Alipay::new(config_of(&server, true)).unwrap();
    for _ in 0..3 {
        assert!(alipay.query(trading()).await.is_ok());
    }
    assert_eq!(downloads(&server).await, 1);
}

#[tokio::test]
async fn many_at_once_ask_once() {
    let server = gateway("renewed", &file("renewed.crt")).await;
    let alipay = std::sync::Arc::new(Alipay::new(config_of(&server, true)).unwrap());
    let queries: Vec<_> = (0..8)
        .map(|_| {
            let alipay = std::sync::Arc::clone(&alipay);
            tokio::spawn(async move { alipay.query(trading()).await.is_ok() })
        })
        .collect();
    for query in queries {
        assert!(query.await.unwrap());
    }
    assert_eq!(downloads(&server).await, 1);
}

#[tokio::test]
async fn notices_by_a_successor_are_believed_once_it_is_known() {
    let server = gateway("renewed", &file("renewed.crt")).await;
    let alipay = Alipay::new(config_of(&server, true)).unwrap();
    let message: Vec<_> = PAID
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let signature = PrivateKey::load(&certificate("renewed.key"))
        .unwrap()
        .sign_sha256(message.join("&").as_bytes())
        .unwrap();
    let mut pairs = PAID.to_vec();
    pairs.extend([("sign_type", "RSA2"), ("sign", signature.as_str())]);
    let notice = encode(&pairs);
    assert!(alipay.verify_notice(&notice).await.is_err());
    alipay.query(trading()).await.unwrap();
    assert!(alipay.verify_notice(&notice).await.is_ok());
}

#[tokio::test]
async fn what_cannot_be_taken_in_is_not_believed_and_not_asked_for_all_the_time() {
    // Another merchant's certificate leads to the same root: it is genuine, but it is not Alipay's.
    let merchant = file("merchant.crt");
    let other_than_asked = file("same_key.crt");
    let leaf_alone = file("renewed.crt")
        .split_inclusive("-----END CERTIFICATE-----")
        .next()
        .unwrap()
        .to_owned();
    for (signed_by, handed_out) in [
        ("merchant", merchant.as_str()),
        ("renewed", merchant.as_str()),
        ("renewed", other_than_asked.as_str()),
        ("renewed", leaf_alone.as_str()),
        ("renewed", "no certificate"),
        ("renewed", ""),
    ] {
        let server = gateway(signed_by, handed_out).await;
        let clock = clock();
        let mut config = config_of(&server, true);
        config.clock = clock.clone();
        let alipay = Alipay::new(config).unwrap();
        for _ in 0..3 {
            let error = alipay.query(trading()).await.unwrap_err();
            is(&error, Unknown, Kind::Unverifiable);
        }
        assert_eq!(downloads(&server).await, 1);
        // The wall clock may jump; only time that has really passed counts.
        clock.set(trade_core::Timestamp::from_ms(
            crate::support::NOW * 1000 + 3_600_000,
        ));
        alipay.query(trading()).await.unwrap_err();
        assert_eq!(downloads(&server).await, 1);
        clock.advance(Duration::from_secs(60));
        alipay.query(trading()).await.unwrap_err();
        assert_eq!(downloads(&server).await, 2);
    }
}

#[tokio::test]
async fn a_successor_outside_its_validity_is_refused() {
    let server = gateway("renewed", &file("renewed.crt")).await;
    let clock = clock();
    clock.set(trade_core::Timestamp::from_beijing_text("2038-03-01 00:00:00").unwrap());
    let mut config = config_of(&server, true);
    config.clock = clock;
    let error = Alipay::new(config).unwrap().query(trading()).await.unwrap_err();
    is(&error, Unknown, Kind::Unverifiable);
}

#[tokio::test]
async fn without_a_chain_the_certificate_asked_for_is_enough() {
    let server = gateway("merchant", &file("merchant.crt")).await;
    let alipay = Alipay::new(config_of(&server, false)).unwrap();
    assert!(alipay.query(trading()).await.is_ok());
    let server = gateway("merchant", &file("renewed.crt")).await;
    let alipay = Alipay::new(config_of(&server, false)).unwrap();
    is(
        &alipay.query(trading()).await.unwrap_err(),
        Unknown,
        Kind::Unverifiable,
    );
}

#[tokio::test]
async fn a_serial_that_is_none_is_not_asked_for() {
    let stranger = vector("paid_by_merchant.signature");
    for serial in [
        "x",
        "",
        "5dbd70a1747ee97507299e57a1af637",
        "../../../../etc/passwd/12345678",
    ] {
        let server = MockServer::start().await;
        Mock::given(query_param("method", QUERY))
            .respond_with(ResponseTemplate::new(200).set_body_string(answer(serial, &stranger)))
            .mount(&server)
            .await;
        let mut config = config(&server.uri());
        config.keys = certificates();
        let error = Alipay::new(config).unwrap().query(trading()).await.unwrap_err();
        is(&error, Unknown, Kind::Unverifiable);
        assert_eq!(downloads(&server).await, 0, "{serial}");
    }
}

#[tokio::test]
async fn in_key_mode_a_serial_means_nothing() {
    let server = gateway("alipay", "").await;
    let config = config(&server.uri());
    assert!(Alipay::new(config).unwrap().query(trading()).await.is_ok());
    let server = gateway("merchant", &file("merchant.crt")).await;
    let error = Alipay::new(crate::support::config(&server.uri()))
        .unwrap()
        .query(trading())
        .await
        .unwrap_err();
    is(&error, Unknown, Kind::Unverifiable);
    assert_eq!(downloads(&server).await, 0);
}
