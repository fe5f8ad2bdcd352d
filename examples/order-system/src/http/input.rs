//! Reading what people send: JSON, a form or a query, each error naming the field and the rule.

use std::collections::BTreeMap;

use axum::{
    body::Bytes,
    extract::{FromRequest, FromRequestParts, Request},
    http::{header, request::Parts},
};
use serde_json::Value;
use trade_core::{Channel, Timestamp};

use super::{envelope::Failed, language::Lang};
use crate::{error::OrderError, status::OrderStatus};

/// The longest reason somebody gives.
const LONGEST_REASON: usize = 200;

/// The fields of a request, as text.
#[derive(Debug, Clone, Default)]
pub(super) struct Input(BTreeMap<String, String>);

/// The fields of a query.
#[derive(Debug, Clone, Default)]
pub(super) struct Asked(pub(super) Input);

impl<S: Send + Sync> FromRequest<S> for Input {
    type Rejection = Failed;

    async fn from_request(request: Request, state: &S) -> Result<Self, Failed> {
        let (mut parts, body) = request.into_parts();
        let Ok(lang) = Lang::from_request_parts(&mut parts, state).await;
        let kind = parts
            .headers
            .get(header::CONTENT_TYPE)
            .and_then(|kind| kind.to_str().ok());
        let is_form = kind.is_some_and(|kind| kind.starts_with("application/x-www-form-urlencoded"));
        let body = Bytes::from_request(Request::from_parts(parts, body), state).await;
        let body = body.map_err(|_| Failed::new(unreadable(), lang))?;
        if is_form {
            return Ok(Self::from_form(&body));
        }
        Self::from_json(&body).map_err(|error| Failed::new(error, lang))
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Asked {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(Input::from_form(
            parts.uri.query().unwrap_or_default().as_bytes(),
        )))
    }
}

fn unreadable() -> OrderError {
    OrderError::invalid(
        "body",
        "请求内容须是不超过 64 KiB 的 JSON 对象",
        "must be a JSON object of at most 64 KiB",
    )
}

impl Input {
    fn from_form(bytes: &[u8]) -> Self {
        let pairs = form_urlencoded::parse(bytes);
        Self(
            pairs
                .map(|(name, value)| (name.into_owned(), value.into_owned()))
                .collect(),
        )
    }

    fn from_json(bytes: &[u8]) -> Result<Self, OrderError> {
        let object: BTreeMap<String, Value> = serde_json::from_slice(bytes).map_err(|_| unreadable())?;
        let text = |value| match value {
            Value::Null => None,
            Value::String(text) => Some(text),
            other @ (Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
                Some(other.to_string())
            }
        };
        let fields = object.into_iter();
        Ok(Self(
            fields
                .filter_map(|(name, value)| Some((name, text(value)?)))
                .collect(),
        ))
    }

    /// A field that is there and not blank.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0
            .get(name)
            .map(|text| text.trim())
            .filter(|text| !text.is_empty())
    }

    /// A whole number, as a string or a number.
    pub(super) fn long(&self, name: &'static str) -> Result<Option<i64>, OrderError> {
        let Some(text) = self.text(name) else {
            return Ok(None);
        };
        text.parse().map(Some).map_err(|_| {
            OrderError::invalid(
                name,
                format!("{name} 须为整数"),
                "must be a whole number of at most 19 digits",
            )
        })
    }

    pub(super) fn required_long(&self, name: &'static str) -> Result<i64, OrderError> {
        self.long(name)?.ok_or_else(|| absent(name))
    }

    /// `yyyy-MM-dd HH:mm:ss` in Beijing time, or what a browser's date field sends (`yyyy-MM-ddTHH:mm`).
    pub(super) fn required_time(&self, name: &'static str) -> Result<Timestamp, OrderError> {
        let text = self.text(name).ok_or_else(|| absent(name))?;
        Timestamp::from_beijing_text(text).ok_or_else(|| {
            OrderError::invalid(
                name,
                format!("{name} 须为北京时间，格式 yyyy-MM-dd HH:mm:ss"),
                "must be a time in Beijing as yyyy-MM-dd HH:mm:ss",
            )
        })
    }

    pub(super) fn required_channel(&self, name: &'static str) -> Result<Channel, OrderError> {
        let text = self.text(name).ok_or_else(|| absent(name))?;
        text.parse().map_err(|_| {
            OrderError::invalid(
                name,
                "支付渠道须为 WECHAT_PAY 或 ALI_PAY",
                "must be WECHAT_PAY or ALI_PAY",
            )
        })
    }

    pub(super) fn status(&self, name: &'static str) -> Result<Option<OrderStatus>, OrderError> {
        let Some(code) = self.long(name)? else {
            return Ok(None);
        };
        let status = i32::try_from(code).ok().and_then(OrderStatus::from_code);
        status.map(Some).ok_or_else(|| {
            OrderError::invalid(
                name,
                "订单状态须为 0、100、200、300、400、500、600 或 700",
                "must be 0, 100, 200, 300, 400, 500, 600 or 700",
            )
        })
    }

    /// Why somebody cancels.
    pub(super) fn reason(&self, name: &'static str) -> Result<String, OrderError> {
        let text = self.text(name).ok_or_else(|| absent(name))?;
        if text.chars().count() > LONGEST_REASON {
            return Err(OrderError::invalid(
                name,
                format!("取消原因最多 {LONGEST_REASON} 字"),
                format!("must have at most {LONGEST_REASON} characters"),
            ));
        }
        Ok(text.to_owned())
    }
}

fn absent(name: &'static str) -> OrderError {
    OrderError::invalid(name, format!("缺少 {name}"), "is required")
}
