//! What goes out, to the byte.

use std::time::Duration;

use serde_json::json;
use trade_alipay::Alipay;
use trade_core::{
    Amount,
    Certainty::{NotSent, Rejected},
    ErrorKind,
    handler::{CloseOutcome, PayHandler, PaymentStatus, RefundStatus, RequestContent},
};
use trade_crypto::PrivateKey;
use wiremock::Request;

use crate::support::{
    APP_ID, Call, NOTIFY_URL, REFUND, TRADING, alipay, answering, biz_content, certificates, clock, config,
    field, fields, gateway, is, key_file, place_request, refund_query, refund_request, signed, trading,
    vector,
};

const PLACED: &str = r#"{"code":"10000","msg":"Success","out_trade_no":"7310000000000000001","qr_code":"https://qr.alipay.com/x"}"#;

/// Form encoding, written out a second time so that nothing judges itself.
fn encoded(text: &str) -> String {
    let letter = |byte: u8| match byte {
        b' ' => "+".to_owned(),
        b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'*' | b'-' | b'.' | b'_' => char::from(byte).to_string(),
        other => format!("%{other:02X}"),
    };
    text.bytes().map(letter).collect()
}

/// The app's signature of these parameters, which are in order.
fn app_signature(parameters: &[(&str, &str)]) -> String {
    let pairs: Vec<_> = parameters
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    PrivateKey::load(&key_file("key_pkcs8.pem"))
        .unwrap()
        .sign_sha256(pairs.join("&").as_bytes())
        .unwrap()
}

/// The whole request line and body of a call with this content.
fn expected(method: &str, biz_content: &str, more: &[(&str, &str)]) -> (String, String) {
    let mut parameters = vec![
        ("app_id", APP_ID),
        ("biz_content", biz_content),
        ("charset", "utf-8"),
        ("format", "JSON"),
        ("method", method),
        ("sign_type", "RSA2"),
        ("timestamp", "2026-09-21 22:13:20"),
        ("version", "1.0"),
    ];
    parameters.extend_from_slice(more);
    parameters.sort_unstable();
    let sign = app_signature(&parameters);
    parameters.push(("sign", &sign));
    parameters.sort_unstable();
    let pair = |(name, value): &(&str, &str)| format!("{name}={}", encoded(value));
    let (body, query): (Vec<_>, Vec<_>) = parameters.iter().partition(|(name, _)| *name == "biz_content");
    let query: Vec<_> = query.into_iter().map(pair).collect();
    let body: Vec<_> = body.into_iter().map(pair).collect();
    (format!("/gateway.do?{}", query.join("&")), body.join("&"))
}

fn sent(request: &Request) -> (String, String) {
    let line = format!("{}?{}", request.url.path(), request.url.query().unwrap());
    (line, String::from_utf8(request.body.clone()).unwrap())
}

const PLACE_CONTENT: &str = r#"{"out_trade_no":"7310000000000000001","total_amount":"19.90","subject":"日常保洁 2 小时","product_code":"FACE_TO_FACE_PAYMENT","time_expire":"2026-09-22 00:13:20"}"#;
const REFUND_CONTENT: &str = r#"{"out_trade_no":"7310000000000000001","out_request_no":"7310000000000000002","refund_amount":"5.00","refund_reason":"师傅未上门"}"#;

#[tokio::test]
async fn each_call_is_this_line_these_headers_and_this_body() {
    let trade = r#"{"out_trade_no":"7310000000000000001"}"#;
    let both = r#"{"out_request_no":"7310000000000000002","out_trade_no":"7310000000000000001"}"#;
    for (call, content) in [
        (Call::Place, PLACE_CONTENT),
        (Call::Query, trade),
        (Call::Close, trade),
        (Call::Refund, REFUND_CONTENT),
        (Call::QueryRefund, both),
    ] {
        let server = answering(signed(call.method(), &call.success())).await;
        call.make(&alipay(&server.uri())).await.unwrap();
        let requests = server.received_requests().await.unwrap();
        let request = &requests[0];
        let notify_url: &[_] = match call {
            Call::Place => &[("notify_url", NOTIFY_URL)],
            _ => &[],
        };
        assert_eq!(requests.len(), 1, "{call:?}");
        assert_eq!(request.method.as_str(), "POST");
        assert_eq!(
            sent(request),
            expected(call.method(), content, notify_url),
            "{call:?}"
        );
        assert_eq!(
            request.headers["content-type"],
            "application/x-www-form-urlencoded;charset=utf-8"
        );
        assert!(!request.headers["user-agent"].is_empty());
    }
}

#[tokio::test]
async fn certificate_mode_adds_two_serials_to_the_line_and_to_what_is_signed() {
    let (app_sn, root_sn) = (vector("certificates/app.sn"), vector("certificates/root.sn"));
    let serials = [
        ("app_cert_sn", app_sn.as_str()),
        ("alipay_root_cert_sn", root_sn.as_str()),
    ];
    let server = answering(signed(Call::Query.method(), &Call::Query.success())).await;
    let mut config = config(&server.uri());
    config.keys = certificates();
    Call::Query.make(&Alipay::new(config).unwrap()).await.unwrap();
    let content = r#"{"out_trade_no":"7310000000000000001"}"#;
    assert_eq!(
        sent(&server.received_requests().await.unwrap()[0]),
        expected(Call::Query.method(), content, &serials)
    );
}

#[tokio::test]
async fn a_repeat_differs_in_its_timestamp_and_signature_only() {
    let server = gateway(&[
        (Call::Place.method(), PLACED),
        (Call::Refund.method(), &Call::Refund.success()),
    ])
    .await;
    let clock = clock();
    let mut first_config = config(&server.uri());
    first_config.clock = clock.clone();
    let first = Alipay::new(first_config.clone()).unwrap();
    let place = first.prepare_place(&place_request()).unwrap();
    let refund = first.prepare_refund(&refund_request()).unwrap();
    assert_eq!(place, first.prepare_place(&place_request()).unwrap());
    first.place(&place).await.unwrap();
    first.refund(&refund).await.unwrap();
    // A day later, after a restart with other settings: what was stored is what is sent.
    clock.advance(Duration::from_secs(24 * 3600));
    let mut second_config = first_config;
    second_config.notify_url = "https://elsewhere.example.com/notify".into();
    second_config.product_code = "QR_CODE_OFFLINE".into();
    let second = Alipay::new(second_config).unwrap();
    second.place(&place).await.unwrap();
    second.refund(&refund).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    for (one, other) in [(0, 2), (1, 3)] {
        let kept = |index: usize| {
            let mut fields = fields(&requests[index]);
            fields.retain(|(name, _)| name != "timestamp" && name != "sign");
            fields
        };
        assert_eq!(kept(one), kept(other));
        assert_eq!(requests[one].body, requests[other].body);
        assert_ne!(
            field(&requests[one], "timestamp"),
            field(&requests[other], "timestamp")
        );
    }
}

#[tokio::test]
async fn content_goes_only_where_it_was_made_for() {
    let alipay = alipay("http://127.0.0.1:1");
    let place = alipay.prepare_place(&place_request()).unwrap();
    let refund = alipay.prepare_refund(&refund_request()).unwrap();
    let foreign = [RequestContent::new(""), RequestContent::new("{}")];
    for content in [&refund, &foreign[0], &foreign[1]] {
        let error = alipay.place(content).await.unwrap_err();
        is(&error, Rejected, ErrorKind::InvalidRequest);
    }
    for content in [&place, &foreign[0], &foreign[1]] {
        let error = alipay.refund(content).await.unwrap_err();
        is(&error, Rejected, ErrorKind::InvalidRequest);
    }
}

#[tokio::test]
async fn query_and_close_name_the_number_only() {
    let waiting = r#"{"code":"10000","out_trade_no":"7310000000000000001","trade_no":"T1","trade_status":"WAIT_BUYER_PAY"}"#;
    let closed = r#"{"code":"10000","out_trade_no":"7310000000000000001","trade_no":"T1"}"#;
    let server = gateway(&[("alipay.trade.query", waiting), ("alipay.trade.close", closed)]).await;
    let alipay = alipay(&server.uri());
    assert_eq!(
        alipay.query(trading()).await.unwrap().status,
        PaymentStatus::Waiting
    );
    assert_eq!(
        alipay.close(trading()).await.unwrap().outcome,
        CloseOutcome::Closed
    );
    for request in server.received_requests().await.unwrap() {
        assert_eq!(biz_content(&request), json!({"out_trade_no": TRADING}));
        assert_eq!(field(&request, "notify_url"), None);
    }
}

#[tokio::test]
async fn refund_and_its_query_name_both_numbers() {
    let done =
        r#"{"code":"10000","out_trade_no":"7310000000000000001","fund_change":"Y","refund_fee":"12.00"}"#;
    let known = r#"{"code":"10000","out_trade_no":"7310000000000000001","out_request_no":"7310000000000000002","refund_amount":"5.00","refund_status":"REFUND_SUCCESS"}"#;
    let server = gateway(&[
        ("alipay.trade.refund", done),
        ("alipay.trade.fastpay.refund.query", known),
    ])
    .await;
    let alipay = alipay(&server.uri());
    let content = alipay.prepare_refund(&refund_request()).unwrap();
    let refunded = alipay.refund(&content).await.unwrap();
    // 12.00 is what was refunded in all, not this refund.
    assert_eq!(
        (refunded.status, refunded.amount.map(|fen| fen.get())),
        (RefundStatus::Success, Some(500))
    );
    let queried = alipay.query_refund(&refund_query()).await.unwrap();
    assert_eq!(
        (queried.status, queried.amount.map(|fen| fen.get())),
        (RefundStatus::Success, Some(500))
    );
    let requests = server.received_requests().await.unwrap();
    assert_eq!(
        biz_content(&requests[0]),
        json!({"out_trade_no": TRADING, "out_request_no": REFUND, "refund_amount": "5.00", "refund_reason": "师傅未上门"})
    );
    assert_eq!(
        biz_content(&requests[1]),
        json!({"out_trade_no": TRADING, "out_request_no": REFUND})
    );
}

#[tokio::test]
async fn any_other_method_is_one_call_away() {
    let method = "alipay.data.dataservice.bill.downloadurl.query";
    let server = gateway(&[(method, r#"{"code":"10000","bill_download_url":"http://x"}"#)]).await;
    let alipay = alipay(&server.uri());
    let reply = alipay
        .call_raw(method, r#"{"bill_type":"trade","bill_date":"2026-09-20"}"#)
        .await
        .unwrap();
    assert_eq!(reply.body, r#"{"code":"10000","bill_download_url":"http://x"}"#);
    assert_eq!(reply.request_id, None);
    // A method without content is sent without content, not with an empty one.
    alipay.call_raw(method, "").await.unwrap();
    alipay.call_raw(method, " \n").await.unwrap();
    let requests = server.received_requests().await.unwrap();
    assert_eq!(
        field(&requests[0], "biz_content").unwrap(),
        r#"{"bill_type":"trade","bill_date":"2026-09-20"}"#
    );
    for request in &requests[1..] {
        assert_eq!(field(request, "biz_content"), None);
        assert!(fields(request).iter().all(|(_, value)| !value.trim().is_empty()));
    }
    is(
        &alipay.call_raw("taobao.x", "{}").await.unwrap_err(),
        Rejected,
        ErrorKind::InvalidRequest,
    );
}

#[tokio::test]
async fn a_refusal_to_a_raw_call_is_typed_like_any_other() {
    let method = "alipay.trade.cancel";
    let server = gateway(&[(method, r#"{"code":"40005","sub_code":"isv.app-call-limited"}"#)]).await;
    let error = alipay(&server.uri()).call_raw(method, "{}").await.unwrap_err();
    is(&error, NotSent, ErrorKind::RateLimited);
    assert_eq!(error.operation(), "call_raw");
}

#[test]
fn what_the_gateway_would_refuse_is_refused_before() {
    let alipay = alipay("http://127.0.0.1:1");
    let long = "长".repeat(257);
    for memo in [
        "",
        " ",
        "　",
        "a/b",
        "a=b",
        "a&b",
        "保洁🎉",
        "𠮷",
        "a\nb",
        "a\u{0}b",
        long.as_str(),
    ] {
        let mut request = place_request();
        request.memo = memo.to_owned();
        let error = alipay.prepare_place(&request).unwrap_err();
        is(&error, Rejected, ErrorKind::InvalidRequest);
        assert!(
            error.message().unwrap().starts_with("subject "),
            "{memo}: {error}"
        );
    }
    let longest = "长".repeat(256);
    for memo in ["a", "保洁（2 小时）+ 擦窗 100% \"好\"", longest.as_str()] {
        let mut request = place_request();
        request.memo = memo.to_owned();
        assert!(alipay.prepare_place(&request).is_ok(), "{memo}");
    }
}

#[test]
fn a_refund_is_checked_before() {
    let alipay = alipay("http://127.0.0.1:1");
    for (reason, fen, named) in [
        ("长".repeat(257), 500, "refund_reason "),
        ("🎉".to_owned(), 500, "refund_reason "),
        ("ok".to_owned(), 1991, "refund_amount "),
    ] {
        let mut request = refund_request();
        request.reason = Some(reason);
        request.amount = Amount::new(fen).unwrap();
        let error = alipay.prepare_refund(&request).unwrap_err();
        is(&error, Rejected, ErrorKind::InvalidRequest);
        assert!(error.message().unwrap().starts_with(named), "{error}");
    }
    // A reason without a text is no reason: nothing empty is sent.
    for reason in [None, Some(String::new()), Some("  ".to_owned())] {
        let mut request = refund_request();
        request.reason = reason;
        let content = alipay.prepare_refund(&request).unwrap();
        assert!(!content.as_str().contains("refund_reason"), "{content:?}");
    }
}
