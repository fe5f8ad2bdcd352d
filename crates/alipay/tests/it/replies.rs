//! Replies that must not be believed.

use std::time::Duration;

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use trade_alipay::Alipay;
use trade_core::{
    Certainty::{NotSent, Unknown},
    ErrorKind as Kind,
    handler::PayHandler,
};
use trade_crypto::PrivateKey;
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::support::{Call, Script, TRADING, alipay, answering, config, is, key_file, sign, signed, trading};

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
async fn no_call_of_any_kind_believes_an_unsigned_or_changed_success() {
    for call in Call::ALL {
        let (script, server) = Script::start().await;
        let alipay = alipay(&server.uri());
        let (source, genuine) = (call.success(), signed(call.method(), &call.success()));
        let root = call.method().replace('.', "_");
        for (name, body) in [
            ("unsigned", format!(r#"{{"{root}_response":{source}}}"#)),
            (
                "null sign",
                format!(r#"{{"{root}_response":{source},"sign":null}}"#),
            ),
            ("changed", genuine.replace("Success", "success")),
            ("cut", genuine[..genuine.len() - 9].to_owned()),
            ("signed elsewhere", genuine.replace("_response", "_answer")),
            ("trailing", format!("{genuine}{{}}")),
        ] {
            script.say(body);
            let error = call.make(&alipay).await.expect_err(name);
            assert_eq!(error.certainty(), Unknown, "{call:?} {name}: {error}");
            assert!(
                matches!(error.kind(), Kind::Unverifiable | Kind::Nonsense),
                "{call:?} {name}: {error}"
            );
        }
        let other = source.replace(TRADING, "7310000000000000009");
        script.say(signed(call.method(), &other));
        is(&call.make(&alipay).await.unwrap_err(), Unknown, Kind::Nonsense);
        script.say(genuine);
        assert!(call.make(&alipay).await.is_ok(), "{call:?}");
    }
}

#[tokio::test]
async fn a_page_of_another_machine_is_named_as_such() {
    let page = "<html><body>系统繁忙</body></html>";
    let (gbk, _, _) = encoding_rs::GBK.encode(page);
    for body in [page.as_bytes(), &gbk] {
        let server = answering(body).await;
        let error = alipay(&server.uri()).query(trading()).await.unwrap_err();
        is(&error, Unknown, Kind::Nonsense);
        assert!(error.to_string().contains("gateway_url"), "{error}");
    }
}

/// A machine that reads a request, says this much, and hangs up.
async fn hanging_up(answer: &'static str) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        loop {
            let (mut socket, _) = listener.accept().await.unwrap();
            let mut request = [0; 4096];
            let _ = socket.read(&mut request).await;
            let _ = socket.write_all(answer.as_bytes()).await;
        }
    });
    url
}

#[tokio::test]
async fn a_connection_that_breaks_leaves_the_outcome_unknown() {
    for answer in [
        "",
        "HTTP/1.1 200 OK\r\n",
        "HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{\"alipay_trade_query_response\":{",
        "HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n5\r\n{\"ali",
        "no HTTP at all\r\n\r\n",
    ] {
        let url = hanging_up(answer).await;
        for call in Call::ALL {
            let error = call.make(&alipay(&url)).await.unwrap_err();
            is(&error, Unknown, Kind::Network);
            assert!(!error.to_string().contains("sign="), "{error}");
        }
    }
}

#[tokio::test]
async fn an_answer_that_stops_halfway_times_out_with_an_unknown_outcome() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let mut config = config(&format!("http://{}", listener.local_addr().unwrap()));
    config.timeout = Duration::from_millis(200);
    tokio::spawn(async move {
        let (mut socket, _) = listener.accept().await.unwrap();
        let mut request = [0; 4096];
        assert!(socket.read(&mut request).await.unwrap() > 0);
        let head = b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{";
        socket.write_all(head).await.unwrap();
        std::future::pending::<()>().await;
    });
    let error = Alipay::new(config).unwrap().query(trading()).await.unwrap_err();
    is(&error, Unknown, Kind::Timeout);
}
