//! Answers as WeChat Pay writes them: its headers, its `Request-ID`, its signature.

use axum::{
    body::Body,
    http::{HeaderName, HeaderValue, Response, StatusCode},
};
use serde_json::Value;

use super::{call::Call, refusal::Refusal, seal};
use crate::{faults::Plan, world::World};

/// What an operation answers when it does not refuse.
#[derive(Debug)]
pub(super) enum Answer {
    /// 200 with JSON.
    Json(Value),
    /// 204.
    Nothing,
    /// 200 with a file, never signed.
    File {
        content: Vec<u8>,
        content_type: &'static str,
    },
}

/// Answers an authentic request.
pub(super) fn answer(
    world: &World,
    call: &Call,
    result: Result<Answer, Refusal>,
    plan: &Plan,
) -> Response<Body> {
    let (status, number, body) = match result {
        Ok(Answer::File {
            content,
            content_type,
        }) => return file(world, content, content_type),
        Ok(Answer::Json(value)) => (StatusCode::OK, 0, value.to_string()),
        Ok(Answer::Nothing) => (StatusCode::NO_CONTENT, 0, String::new()),
        Err(refusal) => (refusal.status, refusal.number, refusal.body().to_string()),
    };
    let key = seal::answer_key(world, call.wechatpay_serial.as_deref());
    let signature = seal::headers(world, &key, body.as_bytes(), plan.signature);
    json(world, status, number, body, signature)
}

/// Answers a request whose signature was not, or could not be, verified.
pub(super) fn refuse(world: &World, refusal: &Refusal) -> Response<Body> {
    let body = refusal.body().to_string();
    json(world, refusal.status, refusal.number, body, Vec::new())
}

/// What a gateway in front of WeChat Pay says when a fault orders a status: HTML, unsigned.
pub(super) fn gateway_page(status: StatusCode) -> Response<Body> {
    let reason = status.canonical_reason().unwrap_or("Error");
    let page = format!(
        "<html>\r\n<head><title>{code} {reason}</title></head>\r\n<body>\r\n<center><h1>{code} \
         {reason}</h1></center>\r\n<hr><center>nginx</center>\r\n</body>\r\n</html>\r\n",
        code = status.as_u16(),
    );
    let headers = vec![
        ("Server", "nginx".to_owned()),
        ("Content-Type", "text/html".to_owned()),
    ];
    build(status, headers, page.into_bytes())
}

/// The answer a fault's status stands for: 500 as JSON of WeChat Pay itself, others as a gateway's page.
pub(super) fn ordered_status(world: &World, call: &Call, status: u16, plan: &Plan) -> Response<Body> {
    let status = StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match status {
        StatusCode::INTERNAL_SERVER_ERROR => answer(world, call, Err(Refusal::system_error(status)), plan),
        StatusCode::TOO_MANY_REQUESTS => answer(world, call, Err(Refusal::rate_limited()), plan),
        _ => gateway_page(status),
    }
}

fn file(world: &World, content: Vec<u8>, content_type: &'static str) -> Response<Body> {
    let headers = vec![
        ("Server", "nginx".to_owned()),
        ("Content-Type", content_type.to_owned()),
        ("Request-ID", request_id(world, 0)),
    ];
    build(StatusCode::OK, headers, content)
}

fn json(
    world: &World,
    status: StatusCode,
    number: u32,
    body: String,
    signature: Vec<(&'static str, String)>,
) -> Response<Body> {
    let mut headers = vec![
        ("Server", "nginx".to_owned()),
        ("Connection", "keep-alive".to_owned()),
        ("Keep-Alive", "timeout=8".to_owned()),
        ("Content-Language", "zh-CN".to_owned()),
        ("Request-ID", request_id(world, number)),
    ];
    if status != StatusCode::NO_CONTENT {
        headers.push(("Content-Type", "application/json; charset=utf-8".to_owned()));
    }
    if !status.is_success() {
        headers.push(("Cache-Control", "no-cache, must-revalidate".to_owned()));
        headers.push(("X-Content-Type-Options", "nosniff".to_owned()));
    }
    headers.extend(signature);
    build(status, headers, body.into_bytes())
}

fn request_id(world: &World, number: u32) -> String {
    format!("08{}-{number}", world.random.hex(34).to_ascii_uppercase())
}

fn build(status: StatusCode, headers: Vec<(&'static str, String)>, body: Vec<u8>) -> Response<Body> {
    let mut response = Response::new(Body::from(body));
    *response.status_mut() = status;
    for (name, value) in headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        let value = HeaderValue::from_str(&value);
        if let (Ok(name), Ok(value)) = (name, value) {
            response.headers_mut().insert(name, value);
        }
    }
    response
}
