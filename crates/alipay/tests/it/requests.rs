//! What goes out, to the byte.

use serde_json::json;
use trade_core::handler::{CloseOutcome, PayHandler, PaymentStatus, RefundStatus};

use crate::support::{
    APP_ID, NOTIFY_URL, REFUND, TRADING, alipay, biz_content, field, fields, gateway, place_request,
    refund_query, refund_request, trading,
};

const PLACED: &str = r#"{"code":"10000","msg":"Success","out_trade_no":"7310000000000000001","qr_code":"https://qr.alipay.com/x"}"#;

#[tokio::test]
async fn precreate_carries_what_the_gateway_wants_where_it_wants_it() {
    let server = gateway(&[("alipay.trade.precreate", PLACED)]).await;
    let alipay = alipay(&server.uri());
    let content = alipay.prepare_place(&place_request()).unwrap();
    let first = alipay.place(&content).await.unwrap();
    assert_eq!(first.code_url, "https://qr.alipay.com/x");
    alipay.place(&content).await.unwrap();
    let requests = server.received_requests().await.unwrap();
    let request = &requests[0];
    assert_eq!(
        (request.method.as_str(), request.url.path()),
        ("POST", "/gateway.do")
    );
    assert_eq!(
        request.headers["content-type"],
        "application/x-www-form-urlencoded;charset=utf-8"
    );
    assert!(!request.headers["user-agent"].is_empty());
    for (name, value) in [
        ("app_id", APP_ID),
        ("method", "alipay.trade.precreate"),
        ("format", "JSON"),
        ("charset", "utf-8"),
        ("sign_type", "RSA2"),
        ("timestamp", "2026-09-21 22:13:20"),
        ("version", "1.0"),
        ("notify_url", NOTIFY_URL),
    ] {
        assert!(
            request
                .url
                .query_pairs()
                .any(|(key, got)| key == name && got == value),
            "{name} is in the query"
        );
    }
    assert!(
        !request.url.query().unwrap().contains("biz_content"),
        "content travels in the form"
    );
    assert!(
        fields(request).iter().all(|(_, value)| !value.is_empty()),
        "nothing empty is sent"
    );
    assert_eq!(
        biz_content(request),
        json!({
            "out_trade_no": TRADING, "total_amount": "19.90", "subject": "日常保洁 2 小时",
            "product_code": "FACE_TO_FACE_PAYMENT", "time_expire": "2026-09-22 00:13:20",
        })
    );
    assert_eq!(
        field(request, "biz_content"),
        field(&requests[1], "biz_content"),
        "a repeat is byte for byte the same"
    );
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
    assert!(alipay.call_raw("taobao.x", "{}").await.is_err());
}

#[test]
fn what_the_gateway_would_refuse_is_refused_before() {
    let alipay = alipay("http://127.0.0.1:1");
    let long = "长".repeat(257);
    for memo in ["", "a/b", "a=b", "a&b", "保洁🎉", "a\nb", long.as_str()] {
        let mut request = place_request();
        request.memo = memo.to_owned();
        let error = alipay.prepare_place(&request).unwrap_err();
        assert!(
            error.message().unwrap().starts_with("subject "),
            "{memo}: {error}"
        );
    }
    let mut request = refund_request();
    request.reason = Some("长".repeat(257));
    assert!(alipay.prepare_refund(&request).is_err());
}
