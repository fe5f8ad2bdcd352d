//! Replies that must not be believed.

use std::time::Duration;

use trade_alipay::{Alipay, VerifyKeys};
use trade_core::{
    Certainty::{NotSent, Unknown},
    ErrorKind as Kind,
    handler::PayHandler,
};
use trade_crypto::PrivateKey;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::support::{alipay, answering, config, is, key_file, sign, signed, trading};

const QUERY: &str = "alipay.trade.query";
const PAID: &str = r#"{"code":"10000","out_trade_no":"7310000000000000001","trade_no":"T1","trade_status":"TRADE_SUCCESS","total_amount":"19.90"}"#;

/// Replies that Alipay did not sign as they are.
fn forgeries() -> Vec<(&'static str, Vec<u8>)> {
    let genuine = signed(QUERY, PAID);
    let stranger = PrivateKey::load(&key_file("key_pkcs8.pem"))
        .unwrap()
        .sign_sha256(PAID.as_bytes())
        .unwrap();
    let root = "alipay_trade_query_response";
    vec![
        ("unsigned success", format!(r#"{{"{root}":{PAID}}}"#).into_bytes()),
        (
            "empty sign",
            format!(r#"{{"{root}":{PAID},"sign":""}}"#).into_bytes(),
        ),
        (
            "another key",
            format!(r#"{{"{root}":{PAID},"sign":"{stranger}"}}"#).into_bytes(),
        ),
        (
            "no base64",
            format!(r#"{{"{root}":{PAID},"sign":"***"}}"#).into_bytes(),
        ),
        ("changed amount", genuine.replace("19.90", "0.01").into_bytes()),
        (
            "added blank",
            genuine.replace("\"code\":", "\"code\": ").into_bytes(),
        ),
        (
            "reordered",
            format!(
                r#"{{"{root}":{{"trade_status":"TRADE_SUCCESS","code":"10000"}},"sign":"{}"}}"#,
                sign(PAID.as_bytes())
            )
            .into_bytes(),
        ),
        (
            "second root",
            genuine
                .replacen('{', &format!(r#"{{"{root}":{{"code":"10000"}},"#), 1)
                .into_bytes(),
        ),
    ]
}

/// Replies that are not the answer, signed or not.
fn foreign() -> Vec<(&'static str, Vec<u8>)> {
    let genuine = signed(QUERY, PAID);
    let other_number = PAID.replace("0001", "0009");
    let no_amount = PAID.replace(r#","total_amount":"19.90""#, "");
    let odd_status = PAID.replace("TRADE_SUCCESS", "TRADE_ODD");
    let gbk = b"<html>\xcf\xb5\xcd\xb3\xb7\xb1\xc3\xa6</html>".to_vec();
    let root = "alipay_trade_query_response";
    vec![
        ("another method", signed("alipay.trade.close", PAID).into_bytes()),
        ("another number", signed(QUERY, &other_number).into_bytes()),
        ("paid without amount", signed(QUERY, &no_amount).into_bytes()),
        ("unknown status", signed(QUERY, &odd_status).into_bytes()),
        ("cut", genuine.as_bytes()[..genuine.len() - 5].to_vec()),
        ("html", b"<html>busy</html>".to_vec()),
        ("gbk", gbk),
        ("empty", Vec::new()),
        ("null", b"null".to_vec()),
        ("huge", vec![b' '; 1024 * 1024 + 1]),
        (
            "unsigned not exist",
            format!(r#"{{"{root}":{{"code":"40004","sub_code":"ACQ.TRADE_NOT_EXIST"}}}}"#).into_bytes(),
        ),
        (
            "unsigned closed",
            format!(r#"{{"{root}":{{"code":"40004","sub_code":"ACQ.TRADE_HAS_CLOSE"}}}}"#).into_bytes(),
        ),
    ]
}

#[tokio::test]
async fn nothing_forged_cut_or_foreign_is_believed() {
    for (name, body) in forgeries().into_iter().chain(foreign()) {
        let server = answering(body).await;
        let error = alipay(&server.uri()).query(trading()).await.unwrap_err();
        assert_eq!(error.certainty(), Unknown, "{name}: {error}");
        assert!(
            matches!(error.kind(), Kind::Unverifiable | Kind::Nonsense),
            "{name}: {error}"
        );
    }
    let server = answering(signed(QUERY, PAID)).await;
    assert!(
        alipay(&server.uri()).query(trading()).await.is_ok(),
        "the genuine one is believed"
    );
}

#[tokio::test]
async fn turned_away_at_the_door_is_not_executed() {
    for sub_code in [
        "isv.invalid-app-id",
        "isv.invalid-signature",
        "isv.missing-signature-config",
    ] {
        let body = format!(r#"{{"alipay_trade_query_response":{{"code":"40002","sub_code":"{sub_code}"}}}}"#);
        let server = answering(body).await;
        let error = alipay(&server.uri()).query(trading()).await.unwrap_err();
        is(&error, NotSent, Kind::Configuration);
        assert!(!error.hint().is_empty());
    }
}

#[tokio::test]
async fn the_network_tells_how_certain_it_is() {
    is(
        &alipay("http://127.0.0.1:1").query(trading()).await.unwrap_err(),
        NotSent,
        Kind::Network,
    );
    for status in [302, 404, 500, 502, 503] {
        let server = MockServer::start().await;
        let answer = ResponseTemplate::new(status).set_body_string(signed(QUERY, PAID));
        Mock::given(any()).respond_with(answer).mount(&server).await;
        is(
            &alipay(&server.uri()).query(trading()).await.unwrap_err(),
            Unknown,
            Kind::ChannelFault,
        );
    }
    let server = MockServer::start().await;
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_secs(30));
    Mock::given(any()).respond_with(slow).mount(&server).await;
    let mut config = config(&server.uri());
    config.timeout = Duration::from_millis(100);
    is(
        &Alipay::new(config).unwrap().query(trading()).await.unwrap_err(),
        Unknown,
        Kind::Timeout,
    );
}

#[tokio::test]
async fn a_new_certificate_is_asked_for_once_and_only_taken_in_with_its_chain() {
    // The answer is signed by a stranger who names a certificate of his own and serves it.
    let stranger = PrivateKey::load(&key_file("key_pkcs8.pem"))
        .unwrap()
        .sign_sha256(PAID.as_bytes())
        .unwrap();
    let server = MockServer::start().await;
    let answer = format!(
        r#"{{"alipay_trade_query_response":{PAID},"alipay_cert_sn":"77a2b9d67a19eb349c7eb0d34d9af031","sign":"{stranger}"}}"#
    );
    let download = "alipay.open.app.alipaycert.download";
    let by_method = |method: &str| wiremock::matchers::query_param("method", method);
    Mock::given(by_method(QUERY))
        .respond_with(ResponseTemplate::new(200).set_body_string(answer))
        .mount(&server)
        .await;
    let refused = r#"{"alipay_open_app_alipaycert_download_response":{"code":"40004","sub_code":"x"}}"#;
    Mock::given(by_method(download))
        .respond_with(ResponseTemplate::new(200).set_body_string(refused))
        .mount(&server)
        .await;
    let mut config = config(&server.uri());
    config.keys =
        VerifyKeys::certificates(key_file("app.pem"), key_file("other.pem"), key_file("bundle.crt"));
    let alipay = Alipay::new(config).unwrap();
    for _ in 0..5 {
        is(
            &alipay.query(trading()).await.unwrap_err(),
            Unknown,
            Kind::Unverifiable,
        );
    }
    let requests = server.received_requests().await.unwrap();
    let downloads = requests
        .iter()
        .filter(|request| request.url.query().unwrap().contains("alipaycert.download"));
    assert_eq!(
        downloads.count(),
        1,
        "a stranger's serial does not make us ask all the time"
    );
}
