//! Every error answer: an RFC 9457 problem, with the `INNER-ERROR` header callers of the replaced
//! service decode.

use axum::{
    http::{HeaderMap, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use base64::{Engine, engine::general_purpose::STANDARD};
use serde_json::{Map, Value, json};
use trade_core::{
    Certainty, ChannelError,
    service::{ErrorClass, MessageCode, TradeError},
};

use super::request::RequestId;
use crate::causes::one_line;

/// The one code of all trade errors in the `INNER-ERROR` header.
const TRADE_FAILED: u16 = 609;

/// An error answer.
#[derive(Debug)]
pub struct Problem {
    status: StatusCode,
    detail: String,
    code: MessageCode,
    /// Whether the same request may succeed in a moment: said in a header, too.
    try_again: bool,
    extra: Map<String, Value>,
}

impl Problem {
    /// A problem with a status and what happened, why and what to do.
    pub fn new(status: StatusCode, detail: impl Into<String>) -> Self {
        Self {
            status,
            detail: detail.into(),
            code: MessageCode::CheckTradingFail,
            try_again: status == StatusCode::SERVICE_UNAVAILABLE,
            extra: Map::new(),
        }
    }

    /// A value of the request that breaks a rule.
    pub fn field(field: &str, rule: impl Into<String>) -> Self {
        let rule = rule.into();
        let mut problem = Self::new(StatusCode::BAD_REQUEST, format!("{field}: {rule}"));
        problem.extra.insert("field".into(), json!(field));
        problem.extra.insert("rule".into(), json!(rule));
        problem
    }

    /// With another of the message codes callers know.
    #[must_use]
    pub fn with_code(mut self, code: MessageCode) -> Self {
        self.code = code;
        self
    }

    /// One that goes away by itself: the same request may succeed in a moment.
    #[must_use]
    pub fn worth_retrying(mut self) -> Self {
        self.try_again = true;
        self.extra.insert("retryable".into(), json!(true));
        self
    }
}

/// The header that callers of the replaced service decode.
fn inner_error(title: &str, detail: &str) -> HeaderValue {
    let text = format!("{TRADE_FAILED}|{title}: {detail}");
    HeaderValue::from_str(&STANDARD.encode(text)).unwrap_or(HeaderValue::from_static(""))
}

fn headers(title: &str, detail: &str) -> HeaderMap {
    let mut headers = HeaderMap::new();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/problem+json"),
    );
    headers.insert("INNER-ERROR", inner_error(title, detail));
    headers
}

/// A problem whose body was kept, as it was answered the first time.
pub(super) fn again(status: StatusCode, body: String) -> Response {
    let members: Value = serde_json::from_str(&body).unwrap_or_default();
    let text = |name: &str| members.get(name).and_then(Value::as_str).unwrap_or_default();
    (status, headers(text("title"), text("detail")), body).into_response()
}

impl From<TradeError> for Problem {
    fn from(error: TradeError) -> Self {
        let status = match error.class() {
            ErrorClass::Invalid => StatusCode::BAD_REQUEST,
            ErrorClass::NotFound => StatusCode::NOT_FOUND,
            ErrorClass::Conflict => StatusCode::CONFLICT,
            ErrorClass::Refused => StatusCode::UNPROCESSABLE_ENTITY,
            ErrorClass::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
            ErrorClass::Internal => StatusCode::INTERNAL_SERVER_ERROR,
        };
        let mut problem = Self::new(status, error.to_string()).with_code(error.code());
        problem
            .extra
            .insert("retryable".into(), json!(error.retry_may_help()));
        if let TradeError::Invalid { field, rule } = &error {
            problem.extra.insert("field".into(), json!(field));
            problem.extra.insert("rule".into(), json!(rule));
        }
        if let Some(channel) = error.channel_error() {
            problem.detail = channel.to_string();
            problem.extra.insert("channel".into(), channel_part(channel));
        } else if status.is_server_error() {
            // The cause may name tables or hosts: it is for our log, not for the caller.
            tracing::error!(error = one_line(&error), "request failed");
        }
        problem
    }
}

fn channel_part(error: &ChannelError) -> Value {
    let certainty = match error.certainty() {
        Certainty::Rejected => "rejected",
        Certainty::NotSent => "not_sent",
        Certainty::Unknown => "unknown",
    };
    json!({
        "name": error.channel().code(),
        "operation": error.operation(),
        "certainty": certainty,
        "code": error.code(),
        "message": error.message(),
        "requestId": error.request_id(),
    })
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let mut body = json!({
            "type": format!("about:blank#{}", self.code.number()),
            "title": self.code.text(),
            "status": self.status.as_u16(),
            "detail": self.detail,
            "code": self.code.number(),
        });
        if let (Value::Object(members), Some(id)) = (&mut body, RequestId::current()) {
            members.insert("request_id".into(), json!(id.to_string()));
        }
        let mut headers = headers(self.code.text(), &self.detail);
        if self.try_again {
            headers.insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        if let Value::Object(members) = &mut body {
            members.extend(self.extra);
        }
        (self.status, headers, body.to_string()).into_response()
    }
}
