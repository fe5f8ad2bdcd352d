//! Replies that are not WeChat Pay's: whatever they say, the outcome is unknown.

use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpListener,
};
use trade_core::{Certainty, ErrorKind, handler::PayHandler};
use trade_wechat::WechatPay;
use wiremock::ResponseTemplate;

use crate::support::{
    MERCHANT_SERIAL, NOW, PUBLIC_KEY_ID, SHORT, Seal, answering, assert_error, config, place_content, plain,
    refund_body, refund_query, refund_request, requests, stranger_key, trading, transaction, wechat,
    with_headers,
};

fn code() -> String {
    json!({"code_url": "weixin://wxpay/bizpayurl?pr=forged"}).to_string()
}

/// The genuine headers of `body`, then changed.
fn changed(body: &str, change: impl FnOnce(&mut Vec<(String, String)>)) -> ResponseTemplate {
    let mut headers = Seal::default().headers(body.as_bytes());
    change(&mut headers);
    let mut reply = plain(200, body.as_bytes());
    for (name, value) in headers {
        reply = reply.append_header(name, value);
    }
    reply
}

fn set(name: &'static str, value: &'static str) -> impl FnOnce(&mut Vec<(String, String)>) {
    move |headers| headers.iter_mut().find(|(key, _)| key == name).unwrap().1 = value.to_owned()
}

fn forgeries(body: &str) -> Vec<(&'static str, ResponseTemplate)> {
    let seal = Seal::default();
    let at = |timestamp| {
        Seal {
            timestamp,
            ..Seal::default()
        }
        .reply(200, body.as_bytes())
    };
    let by = |serial: &str, key| {
        let serial = serial.to_owned();
        Seal {
            serial,
            key,
            ..Seal::default()
        }
        .reply(200, body.as_bytes())
    };
    let probe = "WECHATPAY/SIGNTEST/aW52YWxpZA==0123456789abcdefghijk";
    let truncated = body.split_at(body.len() / 2).0.as_bytes();
    let mut table = vec![
        ("unsigned", plain(200, body.as_bytes())),
        ("stale", at(NOW - 301)),
        ("from the future", at(NOW + 301)),
        ("probe", changed(body, set("Wechatpay-Signature", probe))),
        ("no Base64", changed(body, set("Wechatpay-Signature", "%%%"))),
        ("other nonce", changed(body, set("Wechatpay-Nonce", "other"))),
        (
            "other time",
            changed(body, set("Wechatpay-Timestamp", "1790000001")),
        ),
        (
            "other spelling of the time",
            changed(body, set("Wechatpay-Timestamp", "+1790000000")),
        ),
        ("no time", changed(body, set("Wechatpay-Timestamp", "now"))),
        ("unknown key", by("PUB_KEY_ID_0119000000099999", seal.key)),
        ("our own serial", by(MERCHANT_SERIAL, stranger_key())),
        ("wrong key", by(PUBLIC_KEY_ID, stranger_key())),
        (
            "changed body",
            with_headers(
                plain(200, format!("{body} ").as_bytes()),
                &seal.headers(body.as_bytes()),
            ),
        ),
        (
            "truncated body",
            with_headers(plain(200, truncated), &seal.headers(body.as_bytes())),
        ),
        (
            "emptied body",
            with_headers(plain(200, b""), &seal.headers(body.as_bytes())),
        ),
        ("HTML", plain(200, b"<html>welcome</html>")),
        ("nothing", plain(200, b"")),
        ("204", plain(204, b"")),
        ("201", plain(201, body.as_bytes())),
    ];
    table.extend(without_headers(body));
    table
}

fn without_headers(body: &str) -> Vec<(&'static str, ResponseTemplate)> {
    let mut table = Vec::new();
    for (index, what) in ["no time", "no nonce", "no signature", "no serial"]
        .into_iter()
        .enumerate()
    {
        let twice = |headers: &mut Vec<(String, String)>| headers.push(headers[index].clone());
        table.push((what, changed(body, |headers| drop(headers.remove(index)))));
        table.push(("a header twice", changed(body, twice)));
        table.push((
            "an empty header",
            changed(body, |headers| headers[index].1.clear()),
        ));
    }
    table
}

async fn refuses(wechat: &WechatPay, operation: &str) -> trade_core::ChannelError {
    match operation {
        "place" => wechat.place(&place_content(wechat)).await.map(drop),
        "query" => wechat.query(trading()).await.map(drop),
        "close" => wechat.close(trading()).await.map(drop),
        "refund" => {
            let content = wechat.prepare_refund(&refund_request()).unwrap();
            wechat.refund(&content).await.map(drop)
        }
        _ => wechat.query_refund(&refund_query()).await.map(drop),
    }
    .unwrap_err()
}

#[tokio::test]
async fn no_forged_reply_is_believed_by_any_operation() {
    for (operation, body) in [
        ("place", code()),
        ("query", transaction().to_string()),
        ("close", String::from("{}")),
        ("refund", refund_body("SUCCESS").to_string()),
        ("query_refund", refund_body("SUCCESS").to_string()),
    ] {
        for (what, reply) in forgeries(&body) {
            let server = answering(reply).await;
            let error = refuses(&wechat(&server), operation).await;
            let what = format!("{operation}: {what}");
            assert_error(&error, Certainty::Unknown, ErrorKind::Unverifiable, &what);
            assert_eq!(error.operation(), operation);
            assert_eq!(error.request_id(), Some("08F78BB5-0"), "{what}");
            assert_eq!(
                requests(&server).await.len(),
                1,
                "{what}: nothing is sent again by itself"
            );
        }
    }
}

#[tokio::test]
async fn a_forged_refusal_is_not_believed_either() {
    let body = json!({"code": "ORDER_NOT_EXIST", "message": "订单不存在"}).to_string();
    for status in [202, 400, 401, 404, 429, 500] {
        let seal = Seal {
            key: stranger_key(),
            ..Seal::default()
        };
        let server = answering(seal.reply(status, body.as_bytes())).await;
        let error = refuses(&wechat(&server), "query").await;
        assert_error(
            &error,
            Certainty::Unknown,
            ErrorKind::Unverifiable,
            &status.to_string(),
        );
    }
}

#[tokio::test]
async fn five_minutes_away_is_still_taken() {
    for timestamp in [NOW - 300, NOW, NOW + 300] {
        let seal = Seal {
            timestamp,
            ..Seal::default()
        };
        let server = answering(seal.reply(200, code().as_bytes())).await;
        let wechat = wechat(&server);
        wechat.place(&place_content(&wechat)).await.unwrap();
    }
}

#[tokio::test]
async fn signed_nonsense_is_unknown() {
    for body in [
        "<html>",
        "",
        "null",
        "{",
        "[]",
        "\u{feff}{}",
        "{\"code_url\":\"\u{0}",
    ] {
        let server = answering(Seal::default().reply(200, body.as_bytes())).await;
        for operation in ["place", "query", "refund", "query_refund"] {
            let error = refuses(&wechat(&server), operation).await;
            assert_error(
                &error,
                Certainty::Unknown,
                ErrorKind::Nonsense,
                &format!("{operation} {body}"),
            );
        }
    }
    let server = answering(Seal::default().reply(200, &[0xff, 0xfe, 0x00])).await;
    let error = refuses(&wechat(&server), "query").await;
    assert_error(&error, Certainty::Unknown, ErrorKind::Nonsense, "no UTF-8");
}

#[tokio::test]
async fn a_reply_is_read_up_to_a_mebibyte() {
    let padded = |length: usize| {
        let frame = json!({"code_url": "weixin://a", "pad": ""}).to_string().len();
        json!({"code_url": "weixin://a", "pad": "x".repeat(length - frame)}).to_string()
    };
    let largest = padded(1024 * 1024);
    assert_eq!(largest.len(), 1024 * 1024);
    let server = answering(Seal::default().reply(200, largest.as_bytes())).await;
    let answered = wechat(&server);
    let placed = answered.place(&place_content(&answered)).await.unwrap();
    assert!(placed.answer.body.len() < 10_000, "the record is bounded");

    let larger = padded(1024 * 1024 + 1);
    let server = answering(Seal::default().reply(200, larger.as_bytes())).await;
    let error = refuses(&wechat(&server), "place").await;
    assert_error(&error, Certainty::Unknown, ErrorKind::Nonsense, "too large");
    assert!(error.to_string().contains("1 MiB"), "{error}");
}

/// A server that writes these bytes to whoever asks, and hangs up.
async fn hanging_up(answer: Vec<u8>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    tokio::spawn(async move {
        while let Ok((mut socket, _)) = listener.accept().await {
            let mut seen = Vec::new();
            let mut buffer = [0; 4096];
            while !seen.windows(4).any(|end| end == b"\r\n\r\n") {
                match socket.read(&mut buffer).await {
                    Ok(length) if length > 0 => seen.extend_from_slice(&buffer[..length]),
                    _ => break,
                }
            }
            socket.write_all(&answer).await.ok();
            socket.shutdown().await.ok();
        }
    });
    url
}

#[tokio::test]
async fn a_connection_that_breaks_after_sending_leaves_the_outcome_unknown() {
    let headers: Value = json!({"code_url": "weixin://cut"});
    let body = headers.to_string();
    let mut cut = String::from("HTTP/1.1 200 OK\r\n");
    for (name, value) in Seal::default().headers(body.as_bytes()) {
        cut.push_str(&format!("{name}: {value}\r\n"));
    }
    cut.push_str(&format!("Content-Length: {}\r\n\r\n{}", body.len() + 10, body));
    for (what, answer) in [
        ("cut off", cut.into_bytes()),
        ("nothing", Vec::new()),
        ("half a head", b"HTTP/1.1 200 OK\r\nWechat".to_vec()),
        ("no HTTP", b"SSH-2.0-OpenSSH\r\n".to_vec()),
    ] {
        let url = hanging_up(answer).await;
        for operation in ["query", "query_refund"] {
            let mut config = config(&url);
            config.timeout = SHORT * 10;
            let error = refuses(&WechatPay::new(config).unwrap(), operation).await;
            assert_error(&error, Certainty::Unknown, ErrorKind::Network, what);
        }
    }
}
