//! Wrong requests: a 4xx problem that names the field and the rule, nothing stored, nothing sent.

use axum::http::StatusCode;
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Value, json};

use crate::world::{World, payment};

#[tokio::test]
async fn each_wrong_field_is_named() {
    let world = World::new().await;
    let long_memo = "长".repeat(128);
    let cases = [
        ("tradingAmount", json!(null)),
        ("tradingAmount", json!("-1.00")),
        ("tradingAmount", json!("0.00")),
        ("tradingAmount", json!(0)),
        ("tradingAmount", json!("100000000.01")),
        ("tradingAmount", json!("99999999999999999999")),
        ("tradingAmount", json!("1.001")),
        ("tradingAmount", json!(1.001)),
        ("tradingAmount", json!("1e2")),
        ("tradingAmount", json!({"yuan": 1})),
        ("tradingChannel", json!("CASH_PAY")),
        ("tradingChannel", json!("")),
        ("tradingChannel", json!(1)),
        ("enterpriseId", json!(null)),
        ("enterpriseId", json!("x")),
        ("enterpriseId", json!(-1)),
        ("enterpriseId", json!("99999999999999999999")),
        ("productOrderNo", json!(1.5)),
        ("productOrderNo", json!("0")),
        ("productAppId", json!("")),
        ("productAppId", json!("订单")),
        ("memo", json!(null)),
        ("memo", json!("  ")),
        ("memo", json!(long_memo)),
        ("memo", json!("扫码🎉")),
        ("changeChannel", json!("maybe")),
        ("expiresAt", json!("tomorrow")),
        ("expiresAt", json!(1_800_000_000_000_i64)),
        ("expiresAt", json!("2020-01-01 00:00:00")),
        ("expiresAt", json!("9999-12-31 23:59:59")),
    ];
    for (field, value) in cases {
        let mut request = payment("WECHAT_PAY", 1);
        request[field] = value.clone();
        let (status, problem) = world.post("/trade/inner/native", &request).await;
        assert_eq!(status, StatusCode::BAD_REQUEST, "{field}={value}: {problem}");
        assert_eq!(problem["field"], field, "{value}: {problem}");
        assert!(!problem["rule"].as_str().unwrap().is_empty());
    }
    nothing_happened(&world).await;
}

#[tokio::test]
async fn an_unknown_merchant_is_refused() {
    let world = World::new().await;
    let mut request = payment("ALI_PAY", 1);
    request["enterpriseId"] = json!(7);
    let (status, problem) = world.post("/trade/inner/native", &request).await;
    assert_eq!(
        (status, &problem["code"]),
        (StatusCode::BAD_REQUEST, &json!(1008)),
        "{problem}"
    );
    nothing_happened(&world).await;
}

#[tokio::test]
async fn a_body_that_is_no_request_is_refused() {
    let world = World::new().await;
    let post = |content_type: &'static str, body: Vec<u8>| {
        let url = format!("{}/trade/inner/native", world.base);
        world
            .http
            .post(url)
            .header("content-type", content_type)
            .body(body)
            .send()
    };
    let good = payment("WECHAT_PAY", 1).to_string().into_bytes();
    let huge = format!(r#"{{"memo":"{}"}}"#, "x".repeat(70_000)).into_bytes();
    let deep = "[".repeat(5000).into_bytes();
    for (content_type, body, status) in [
        ("application/json", b"{".to_vec(), StatusCode::BAD_REQUEST),
        ("application/json", Vec::new(), StatusCode::BAD_REQUEST),
        ("application/json", b"[]".to_vec(), StatusCode::BAD_REQUEST),
        ("application/json", vec![0xff; 10], StatusCode::BAD_REQUEST),
        ("application/json", deep, StatusCode::BAD_REQUEST),
        ("application/json", huge, StatusCode::PAYLOAD_TOO_LARGE),
        ("text/plain", good.clone(), StatusCode::UNSUPPORTED_MEDIA_TYPE),
        ("application/xml", good, StatusCode::UNSUPPORTED_MEDIA_TYPE),
    ] {
        let response = post(content_type, body).await.unwrap();
        assert_eq!(response.status(), status, "{content_type}");
        assert_eq!(response.headers()["content-type"], "application/problem+json");
        let header = response.headers()["inner-error"].to_str().unwrap().to_owned();
        let inner = String::from_utf8(STANDARD.decode(header).unwrap()).unwrap();
        assert!(inner.starts_with("609|"), "{inner}");
        let problem: Value = serde_json::from_str(&response.text().await.unwrap()).unwrap();
        assert_eq!(problem["status"], status.as_u16());
    }
    nothing_happened(&world).await;
}

#[tokio::test]
async fn wrong_numbers_filters_and_routes_are_refused() {
    let world = World::new().await;
    for (path, status) in [
        ("/trade/inner/tradings/x", StatusCode::BAD_REQUEST),
        ("/trade/inner/tradings/0", StatusCode::BAD_REQUEST),
        (
            "/trade/inner/tradings/99999999999999999999",
            StatusCode::BAD_REQUEST,
        ),
        ("/trade/inner/tradings/5", StatusCode::NOT_FOUND),
        ("/trade/inner/tradings/5/history", StatusCode::NOT_FOUND),
        ("/trade/inner/tradings", StatusCode::BAD_REQUEST),
        ("/trade/inner/tradings?productOrderNo=5", StatusCode::NOT_FOUND),
        (
            "/trade/inner/tradings?productOrderNo=5&limit=0",
            StatusCode::BAD_REQUEST,
        ),
        ("/trade/inner/tradings?tradingState=9", StatusCode::BAD_REQUEST),
        (
            "/trade/inner/tradings/findTradResultByTradingOrderNo",
            StatusCode::BAD_REQUEST,
        ),
        ("/trade/inner/refund/records", StatusCode::BAD_REQUEST),
        (
            "/trade/inner/refund/records?tradingOrderNo=5",
            StatusCode::NOT_FOUND,
        ),
        ("/trade/inner/refund-record/5", StatusCode::NOT_FOUND),
        ("/trade/inner/native", StatusCode::METHOD_NOT_ALLOWED),
        ("/nowhere", StatusCode::NOT_FOUND),
    ] {
        let (got, problem) = world.get(path).await;
        assert_eq!(got, status, "{path}: {problem}");
        assert!(problem["detail"].is_string(), "{path}: {problem}");
    }
}

async fn nothing_happened(world: &World) {
    let (status, _) = world.get("/trade/inner/tradings?productAppId=jzo2o.orders").await;
    assert_eq!(status, StatusCode::NOT_FOUND, "nothing is stored");
    let ledger = world.sandbox.ledger();
    assert!(ledger.orders.is_empty(), "nothing is sent");
}

#[tokio::test]
async fn where_notices_go_is_not_the_callers_to_say() {
    let world = World::new().await;
    let mut request = payment("WECHAT_PAY", 1);
    for field in ["notifyUrl", "notify_url", "returnUrl"] {
        request[field] = json!("http://169.254.169.254/latest");
    }
    let (status, made) = world.post("/trade/inner/native", &request).await;
    assert_eq!(status, StatusCode::OK, "{made}");
    let ledger = world.sandbox.ledger();
    let told = ledger.orders[0].notify_url.as_deref().unwrap();
    assert!(told.ends_with("/trade/open/notify/wx/1001"), "{told}");
}
