//! The second address: only for requests that the first certainly did not get.

use std::net::TcpListener;

use serde_json::json;
use trade_core::{Certainty, ErrorKind, handler::PayHandler};
use trade_wechat::WechatPay;
use wiremock::{MockServer, ResponseTemplate};

use crate::support::{
    SHORT, answering, assert_error, assert_signed, chain, config, place_content, plain, requests, signed,
};

/// An address where nobody listens.
fn nobody() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    format!("http://{}", listener.local_addr().unwrap())
}

fn with_backup(first: &str, second: &str) -> WechatPay {
    let mut config = config(first);
    config.backup_url = Some(second.to_owned());
    config.timeout = SHORT;
    WechatPay::new(config).unwrap()
}

fn placed() -> ResponseTemplate {
    signed(200, &json!({"code_url": "weixin://backup"}))
}

async fn place(wechat: &WechatPay) -> Result<String, trade_core::ChannelError> {
    let placed = wechat.place(&place_content(wechat)).await;
    placed.map(|placed| placed.code_url)
}

async fn count(server: &MockServer) -> usize {
    requests(server).await.len()
}

#[tokio::test]
async fn a_refused_connection_goes_to_the_backup_with_the_same_request() {
    let backup = answering(placed()).await;
    let wechat = with_backup(&nobody(), &backup.uri());
    assert_eq!(place(&wechat).await.unwrap(), "weixin://backup");
    let requests = requests(&backup).await;
    assert_eq!(requests.len(), 1);
    assert_signed(&requests[0]);
}

#[tokio::test]
async fn an_answer_of_any_kind_stays_with_the_first() {
    for reply in [
        placed(),
        plain(500, b"{\"code\":\"SYSTEM_ERROR\",\"message\":\"\"}"),
        plain(502, b"<html>"),
        plain(503, b""),
        plain(404, b"<html>"),
        plain(200, b"forged"),
        signed(400, &json!({"code": "PARAM_ERROR", "message": ""})),
    ] {
        let (first, backup) = (answering(reply).await, answering(placed()).await);
        place(&with_backup(&first.uri(), &backup.uri())).await.ok();
        assert_eq!((count(&first).await, count(&backup).await), (1, 0));
    }
}

#[tokio::test]
async fn a_timeout_is_unknown_and_stays_with_the_first() {
    let first = answering(placed().set_delay(SHORT * 20)).await;
    let backup = answering(placed()).await;
    let error = place(&with_backup(&first.uri(), &backup.uri()))
        .await
        .unwrap_err();
    assert_error(&error, Certainty::Unknown, ErrorKind::Timeout, "slow");
    assert_eq!((count(&first).await, count(&backup).await), (1, 0));
}

#[tokio::test]
async fn two_refused_connections_are_certainly_not_sent() {
    let error = place(&with_backup(&nobody(), &nobody())).await.unwrap_err();
    assert_error(&error, Certainty::NotSent, ErrorKind::Network, "nobody");
    assert!(error.retry_is_safe());
    assert!(
        !chain(&error).contains("/v3/"),
        "the URL is not told twice: {}",
        chain(&error)
    );
}

#[tokio::test]
async fn the_path_of_the_address_is_sent_but_not_signed() {
    let server = answering(placed()).await;
    let wechat = WechatPay::new(config(&format!("{}/wechat/", server.uri()))).unwrap();
    place(&wechat).await.unwrap();
    assert_eq!(
        requests(&server).await[0].url.path(),
        "/wechat/v3/pay/transactions/native"
    );
}
