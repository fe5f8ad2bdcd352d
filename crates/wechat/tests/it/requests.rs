//! What goes over the wire, to the byte.

use serde_json::{Value, json};
use trade_core::{
    Amount, Certainty, ErrorKind, Fen, TransactionId,
    handler::{PayHandler, PaymentStatus, RefundStatus},
};
use trade_wechat::{Method, WechatPay};
use wiremock::{MockServer, Request, ResponseTemplate};

use crate::support::{
    APPID, MCHID, NATIVE, NOTIFY_URL, PUBLIC_KEY_ID, REFUND, Seal, TRADING, alone, answering, assert_error,
    assert_signed, config, place_content, place_request, refund_body, refund_query, refund_request, requests,
    signed, target, trading, transaction, wechat,
};

/// The one request the server got, with all that is common to requests already checked.
async fn only(server: &MockServer) -> Request {
    let mut requests = requests(server).await;
    assert_eq!(requests.len(), 1);
    let request = requests.remove(0);
    assert_signed(&request);
    assert_eq!(request.headers["accept"], "application/json");
    assert_eq!(request.headers["wechatpay-serial"], PUBLIC_KEY_ID);
    let agent = request.headers["user-agent"].to_str().unwrap();
    assert!(agent.starts_with("trade-wechat/"), "{agent}");
    let content_type = request
        .headers
        .get("content-type")
        .map(|value| value.to_str().unwrap());
    let expected = (!request.body.is_empty()).then_some("application/json");
    assert_eq!(content_type, expected);
    request
}

fn line(request: &Request) -> String {
    format!("{} {}", request.method, target(request))
}

fn text(request: &Request) -> &str {
    std::str::from_utf8(&request.body).unwrap()
}

#[tokio::test]
async fn place() {
    let server = answering(signed(
        200,
        &json!({"code_url": "weixin://wxpay/bizpayurl?pr=p4lpSuK"}),
    ))
    .await;
    let wechat = wechat(&server);
    let placed = wechat.place(&place_content(&wechat)).await.unwrap();
    assert_eq!(placed.code_url, "weixin://wxpay/bizpayurl?pr=p4lpSuK");
    assert_eq!(placed.answer.request_id.as_deref(), Some("08F78BB5-0"));
    let request = only(&server).await;
    assert_eq!(line(&request), format!("POST {NATIVE}"));
    let expected = format!(
        r#"{{"appid":"{APPID}","mchid":"{MCHID}","description":"日常保洁 2 小时","out_trade_no":"{TRADING}","time_expire":"2026-09-22T00:13:20+08:00","notify_url":"{NOTIFY_URL}","amount":{{"total":1990,"currency":"CNY"}}}}"#
    );
    assert_eq!(text(&request), expected);
}

#[tokio::test]
async fn a_stored_content_is_sent_byte_for_byte_every_time() {
    let server = answering(signed(200, &json!({"code_url": "weixin://a"}))).await;
    let content = place_content(&wechat(&server));
    let kept = trade_core::handler::RequestContent::new(content.as_str());
    wechat(&server).place(&content).await.unwrap();
    wechat(&server).place(&kept).await.unwrap();
    let requests = requests(&server).await;
    assert_eq!(requests[0].body, requests[1].body);
    assert_eq!(requests[0].body, content.as_str().as_bytes());
}

#[tokio::test]
async fn query() {
    let server = answering(signed(200, &transaction())).await;
    let observed = wechat(&server).query(trading()).await.unwrap();
    let PaymentStatus::Paid(payment) = observed.status else {
        panic!("{observed:?}");
    };
    assert_eq!(payment.total, Fen::new(1_990).unwrap());
    assert_eq!(payment.payer_id.as_deref(), Some("oPAYER"));
    assert_eq!(
        (observed.answer.code.as_str(), observed.answer.message.as_str()),
        ("SUCCESS", "支付成功")
    );
    let request = only(&server).await;
    let expected = format!("GET /v3/pay/transactions/out-trade-no/{TRADING}?mchid={MCHID}");
    assert_eq!(line(&request), expected);
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn query_by_transaction_id() {
    let server = answering(signed(200, &transaction())).await;
    let id = TransactionId::new("4200002026092100000000000001");
    let observed = wechat(&server).query_by_transaction_id(&id).await.unwrap();
    assert!(matches!(observed.status, PaymentStatus::Paid(_)));
    let request = only(&server).await;
    assert_eq!(
        line(&request),
        format!("GET /v3/pay/transactions/id/{id}?mchid={MCHID}")
    );
    assert!(request.body.is_empty());

    for wrong in ["", "42/../../certificates", "42?mchid=1", "四"] {
        let id = TransactionId::new(wrong);
        let error = wechat(&server).query_by_transaction_id(&id).await.unwrap_err();
        assert!(error.to_string().contains("transaction_id"), "{error}");
    }
    assert_eq!(
        requests(&server).await.len(),
        1,
        "nothing was sent for a wrong id"
    );
}

#[tokio::test]
async fn close() {
    let server = answering(Seal::default().reply(204, b"")).await;
    wechat(&server).close(trading()).await.unwrap();
    let request = only(&server).await;
    assert_eq!(
        line(&request),
        format!("POST /v3/pay/transactions/out-trade-no/{TRADING}/close")
    );
    assert_eq!(text(&request), format!(r#"{{"mchid":"{MCHID}"}}"#));
}

#[tokio::test]
async fn refund() {
    let server = answering(signed(200, &refund_body("PROCESSING"))).await;
    let wechat = wechat(&server);
    let content = wechat.prepare_refund(&refund_request()).unwrap();
    let reply = wechat.refund(&content).await.unwrap();
    assert_eq!(reply.status, RefundStatus::Processing);
    assert_eq!(reply.amount, Some(Fen::new(500).unwrap()));
    assert_eq!(reply.refund_id.as_deref(), Some("50000002026092100000000000001"));
    let request = only(&server).await;
    assert_eq!(line(&request), "POST /v3/refund/domestic/refunds");
    let expected = format!(
        r#"{{"out_trade_no":"{TRADING}","out_refund_no":"{REFUND}","reason":"师傅未上门","notify_url":"{NOTIFY_URL}","amount":{{"refund":500,"total":1990,"currency":"CNY"}}}}"#
    );
    assert_eq!(text(&request), expected);

    // A field that is not given is left out: WeChat Pay takes no null.
    let mut silent = refund_request();
    silent.reason = None;
    let content = wechat.prepare_refund(&silent).unwrap();
    assert!(!content.as_str().contains("reason"), "{}", content.as_str());
}

#[tokio::test]
async fn query_refund() {
    let server = answering(signed(200, &refund_body("SUCCESS"))).await;
    let reply = wechat(&server).query_refund(&refund_query()).await.unwrap();
    assert_eq!(reply.status, RefundStatus::Success);
    let request = only(&server).await;
    assert_eq!(
        line(&request),
        format!("GET /v3/refund/domestic/refunds/{REFUND}")
    );
    assert!(request.body.is_empty());
}

#[tokio::test]
async fn call_raw_sends_what_it_is_given() {
    let server = answering(signed(200, &json!({"download_url": "x"}))).await;
    let path = "/v3/bill/tradebill?bill_date=2026-09-20&bill_type=ALL&note=%E4%B8%AD";
    let reply = wechat(&server).call_raw(Method::GET, path, None).await.unwrap();
    assert_eq!((reply.status, reply.text()), (200, r#"{"download_url":"x"}"#));
    assert_eq!(reply.headers.get("request-id"), Some("08F78BB5-0"));
    assert_eq!(reply.headers.get("Wechatpay-Serial"), Some(PUBLIC_KEY_ID));
    assert_eq!(line(&only(&server).await), format!("GET {path}"));

    let server = answering(signed(200, &json!({}))).await;
    // The line feed at the end is part of what is signed.
    let body = "{ \"备注\": 1 }\n";
    wechat(&server)
        .call_raw(Method::POST, "/v3/any", Some(body))
        .await
        .unwrap();
    assert_eq!(text(&only(&server).await), body);
}

#[tokio::test]
async fn call_raw_refuses_a_target_that_would_be_sent_otherwise_than_signed() {
    let server = answering(signed(200, &json!({}))).await;
    for target in [
        "",
        "/v2/pay",
        "http://other/v3/",
        "/v3/../v2",
        "/v3/a#b",
        "/v3/备注",
        "/v3/a b",
        "/v3/a\r\nb",
    ] {
        let error = wechat(&server)
            .call_raw(Method::GET, target, None)
            .await
            .unwrap_err();
        assert!(error.to_string().contains("target"), "{target}: {error}");
    }
    assert!(requests(&server).await.is_empty());
}

#[tokio::test]
async fn a_file_download_is_believed_without_signature() {
    let server = answering(ResponseTemplate::new(200).set_body_string("`a,`b")).await;
    let wechat = wechat(&server);
    let path = "/v3/billdownload/file?token=abc";
    assert_eq!(
        wechat.call_raw(Method::GET, path, None).await.unwrap().text(),
        "`a,`b"
    );
    for (method, path) in [
        (Method::GET, "/v3/bill/tradebill"),
        (Method::GET, "/v3/transfer-detail/electronic-receipts"),
        // An upload, beside the images that are downloaded.
        (Method::POST, "/v3/merchant-service/images/upload"),
    ] {
        let error = wechat.call_raw(method, path, None).await.unwrap_err();
        assert_error(&error, Certainty::Unknown, ErrorKind::Unverifiable, path);
    }
}

#[tokio::test]
async fn a_file_may_be_larger_than_any_other_reply() {
    let file = "`a,`b\n".repeat(300_000);
    let server = answering(ResponseTemplate::new(200).set_body_string(&file)).await;
    let path = "/v3/billdownload/file?token=abc";
    let reply = wechat(&server).call_raw(Method::GET, path, None).await.unwrap();
    assert_eq!(reply.body.len(), file.len());
    wechat(&server)
        .call_raw(Method::GET, "/v3/any", None)
        .await
        .unwrap_err();
}

#[tokio::test]
async fn notices_of_refunds_can_have_an_address_of_their_own() {
    let mut config = config("http://127.0.0.1:1");
    config.refund_notify_url = Some("https://pay.example.com/refunded".into());
    let wechat = WechatPay::new(config).unwrap();
    let url = |content: &str| {
        let content: Value = serde_json::from_str(content).unwrap();
        content["notify_url"].as_str().unwrap().to_owned()
    };
    let refund = wechat.prepare_refund(&refund_request()).unwrap();
    assert_eq!(url(refund.as_str()), "https://pay.example.com/refunded");
    assert_eq!(url(place_content(&wechat).as_str()), NOTIFY_URL);
}

#[tokio::test]
async fn more_than_was_paid_is_not_refunded() {
    let mut request = refund_request();
    request.amount = request.total;
    alone().prepare_refund(&request).unwrap();
    request.amount = Amount::new(request.total.get() + 1).unwrap();
    let error = alone().prepare_refund(&request).unwrap_err();
    assert_error(&error, Certainty::Rejected, ErrorKind::InvalidRequest, "too much");
    assert!(error.to_string().contains("amount.refund"), "{error}");
}

#[tokio::test]
async fn what_the_channel_would_refuse_is_refused_before_it_is_sent() {
    let wechat = alone();
    let longest = "长".repeat(127);
    for (memo, works) in [
        (longest.as_str(), true),
        (&"长".repeat(128), false),
        ("", false),
        ("蛋糕🎂", false),
        ("two\nlines", false),
    ] {
        let mut request = place_request();
        request.memo = memo.into();
        let prepared = wechat.prepare_place(&request);
        assert_eq!(prepared.is_ok(), works, "{memo}");
        if let Err(error) = prepared {
            assert!(error.to_string().contains("description"), "{error}");
        }
    }
    for (reason, works) in [
        ("因".repeat(80), true),
        ("因".repeat(81), false),
        (String::new(), false),
    ] {
        let mut request = refund_request();
        request.reason = Some(reason.clone());
        assert_eq!(wechat.prepare_refund(&request).is_ok(), works, "{reason}");
    }
}
