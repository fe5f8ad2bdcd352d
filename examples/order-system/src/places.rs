//! The two services that orders are made of, each a small one of its own with seed data: for trying out and
//! for tests. The order system reaches them over HTTP alone.

pub mod customer;
pub mod foundations;

use axum::{
    Json,
    http::{HeaderMap, HeaderValue, StatusCode},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde::Serializer;
use serde_json::json;

/// The platform's inner services write a `Long` as a string.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde's way of calling it")]
fn long<S: Serializer>(number: &i64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(number)
}

/// "Not there", with the header inner callers decode.
fn missing(detail: &str) -> Response {
    let mut headers = HeaderMap::new();
    let encoded = STANDARD.encode(format!("404|{detail}"));
    headers.insert(
        "INNER-ERROR",
        HeaderValue::from_str(&encoded).unwrap_or(HeaderValue::from_static("")),
    );
    let body = Json(json!({"code": 404, "msg": detail}));
    (StatusCode::NOT_FOUND, headers, body).into_response()
}
