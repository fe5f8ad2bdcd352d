//! The errors of WeChat Pay: code, HTTP status, message, detail, and the internal number that ends the
//! `Request-ID`.

use std::borrow::Cow;

use axum::http::StatusCode;
use serde_json::{Value, json};

/// A request is refused.
#[derive(Debug, Clone)]
pub(super) struct Refusal {
    pub(super) status: StatusCode,
    pub(super) code: &'static str,
    pub(super) message: Cow<'static, str>,
    pub(super) detail: Option<Value>,
    /// The tail of the `Request-ID`.
    pub(super) number: u32,
}

/// Where a refused value was found.
#[derive(Debug, Clone, Copy)]
pub(super) enum Location {
    Body,
    Query,
}

impl Location {
    fn name(self) -> &'static str {
        match self {
            Self::Body => "body",
            Self::Query => "query",
        }
    }
}

impl Refusal {
    pub(super) fn new(
        status: StatusCode,
        code: &'static str,
        message: impl Into<Cow<'static, str>>,
        number: u32,
    ) -> Self {
        Self {
            status,
            code,
            message: message.into(),
            detail: None,
            number,
        }
    }

    /// 400 PARAM_ERROR for one value. `field` is a JSON pointer in the body, else a plain name.
    pub(super) fn param(location: Location, field: &str, value: &Value, issue: &str) -> Self {
        let mut refusal = Self::new(
            StatusCode::BAD_REQUEST,
            "PARAM_ERROR",
            format!(
                "输入源“/{}/{}”{issue}",
                location.name(),
                field.trim_start_matches('/')
            ),
            268_435_461,
        );
        refusal.detail = Some(json!({
            "location": location.name(),
            "field": field,
            "value": value,
            "issue": issue,
        }));
        refusal
    }

    /// 400 PARAM_ERROR for fields that the documentation does not know.
    pub(super) fn unknown_fields(pointers: &[String]) -> Self {
        let mut refusal = Self::new(
            StatusCode::BAD_REQUEST,
            "PARAM_ERROR",
            "请求中含有未在API文档中定义的参数",
            270_924_358,
        );
        refusal.detail = Some(json!({
            "location": Value::Null,
            "field": "",
            "value": pointers,
            "issue": "请求中含有未在API文档中定义的参数",
        }));
        refusal
    }

    /// 400 INVALID_REQUEST: a header or a business rule.
    pub(super) fn invalid(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "INVALID_REQUEST", message, 268_435_461)
    }

    /// 401 SIGN_ERROR.
    pub(super) fn sign(message: impl Into<Cow<'static, str>>) -> Self {
        Self::new(StatusCode::UNAUTHORIZED, "SIGN_ERROR", message, 268_443_699)
    }

    pub(super) fn order_not_exist() -> Self {
        Self::new(
            StatusCode::NOT_FOUND,
            "ORDER_NOT_EXIST",
            "订单不存在",
            268_512_771,
        )
    }

    /// The number names nothing the refund API can act on.
    pub(super) fn resource_not_exists(message: &'static str) -> Self {
        Self::new(StatusCode::NOT_FOUND, "RESOURCE_NOT_EXISTS", message, 268_512_771)
    }

    pub(super) fn order_paid() -> Self {
        Self::new(StatusCode::BAD_REQUEST, "ORDERPAID", "该订单已支付", 268_449_538)
    }

    pub(super) fn order_closed() -> Self {
        Self::new(
            StatusCode::BAD_REQUEST,
            "ORDER_CLOSED",
            "该订单已失效",
            268_447_914,
        )
    }

    pub(super) fn rate_limited() -> Self {
        Self::new(
            StatusCode::TOO_MANY_REQUESTS,
            "FREQUENCY_LIMITED",
            "频率超限，请稍后再试",
            268_447_840,
        )
    }

    pub(super) fn system_error(status: StatusCode) -> Self {
        Self::new(status, "SYSTEM_ERROR", "系统异常，请稍后重试", 268_435_456)
    }

    /// The JSON body.
    pub(super) fn body(&self) -> Value {
        let mut body = json!({ "code": self.code, "message": self.message });
        if let (Some(detail), Some(object)) = (&self.detail, body.as_object_mut()) {
            object.insert("detail".to_owned(), detail.clone());
        }
        body
    }
}
