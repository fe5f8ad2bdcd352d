//! Reading a request: names from the path, fields from a JSON body. Every refusal names the field and its rule.

use std::{collections::HashMap, ops::RangeInclusive, sync::Arc};

use axum::{
    body::to_bytes,
    extract::{FromRequest, FromRequestParts, RawPathParams, Request},
    http::StatusCode,
};
use serde_json::{Map, Value};

use super::Refusal;
use crate::{Channel, world::World};

const BODY_BYTES_MAX: usize = 64 * 1024;

/// The path and the body of a request. The content type does not matter; an absent body is an empty object.
#[derive(Debug, Default)]
pub(super) struct Input {
    path: HashMap<String, String>,
    body: Map<String, Value>,
}

impl FromRequest<Arc<World>> for Input {
    type Rejection = Refusal;

    async fn from_request(request: Request, world: &Arc<World>) -> Result<Self, Refusal> {
        let (mut parts, body) = request.into_parts();
        let params = RawPathParams::from_request_parts(&mut parts, world)
            .await
            .map_err(|_invalid| {
                Refusal::new(StatusCode::BAD_REQUEST, "invalid_path", "the path is not UTF-8")
            })?;
        let path = params
            .iter()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        let bytes = to_bytes(body, BODY_BYTES_MAX).await.map_err(|_too_large| {
            Refusal::new(
                StatusCode::PAYLOAD_TOO_LARGE,
                "body_too_large",
                format!("the body is longer than {BODY_BYTES_MAX} bytes, or broke off"),
            )
        })?;
        Ok(Self {
            path,
            body: parse(&bytes)?,
        })
    }
}

fn parse(bytes: &[u8]) -> Result<Map<String, Value>, Refusal> {
    if bytes.trim_ascii().is_empty() {
        return Ok(Map::new());
    }
    let invalid = |message: String| Refusal::new(StatusCode::BAD_REQUEST, "invalid_body", message);
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(body)) => Ok(body),
        Ok(_) => Err(invalid("the body must be a JSON object".to_owned())),
        Err(error) => Err(invalid(format!("the body is not JSON: {error}"))),
    }
}

impl Input {
    /// A name from the path.
    pub(super) fn path(&self, name: &str) -> &str {
        self.path.get(name).map_or("", String::as_str)
    }

    /// The channel in the path.
    pub(super) fn path_channel(&self) -> Result<Channel, Refusal> {
        channel(self.path("channel"))
    }

    /// The channel in the body, if it names one.
    pub(super) fn channel(&self) -> Result<Option<Channel>, Refusal> {
        self.text("channel", 16)?.map(|name| channel(&name)).transpose()
    }

    /// Refuses fields that nobody reads: a misspelt one must not look as if it had worked.
    pub(super) fn only(&self, names: &[&str]) -> Result<(), Refusal> {
        match self.body.keys().find(|name| !names.contains(&name.as_str())) {
            None => Ok(()),
            Some(name) if names.is_empty() => Err(Refusal::field(name, "is unknown: there are no fields")),
            Some(name) => {
                let rule = format!("is unknown: the fields are {}", names.join(", "));
                Err(Refusal::field(name, rule))
            }
        }
    }

    /// Text of 1 to `chars_max` characters. `null` is the same as nothing.
    pub(super) fn text(&self, name: &str, chars_max: usize) -> Result<Option<String>, Refusal> {
        let rule = || Refusal::field(name, format!("must be text of 1 to {chars_max} characters"));
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::String(text)) if (1..=chars_max).contains(&text.chars().count()) => {
                Ok(Some(text.clone()))
            }
            Some(_) => Err(rule()),
        }
    }

    /// An integer of a range.
    pub(super) fn integer(&self, name: &str, range: &RangeInclusive<i64>) -> Result<Option<i64>, Refusal> {
        let (least, most) = (range.start(), range.end());
        let rule = || Refusal::field(name, format!("must be an integer from {least} to {most}"));
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(value) => {
                let number = value.as_i64().filter(|number| range.contains(number));
                number.map(Some).ok_or_else(rule)
            }
        }
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Refusal> {
        match self.body.get(name) {
            None | Some(Value::Null) => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(Refusal::field(name, "must be true or false")),
        }
    }

    /// One of some words.
    pub(super) fn choice<'word>(
        &self,
        name: &str,
        words: &[&'word str],
    ) -> Result<Option<&'word str>, Refusal> {
        let value = match self.body.get(name) {
            None | Some(Value::Null) => return Ok(None),
            Some(value) => value.as_str(),
        };
        match words.iter().find(|word| value == Some(**word)) {
            Some(word) => Ok(Some(word)),
            None => Err(Refusal::field(
                name,
                format!("must be one of {}", words.join(", ")),
            )),
        }
    }
}

/// Insists on a field.
pub(super) fn required<T>(name: &str, value: Option<T>) -> Result<T, Refusal> {
    value.ok_or_else(|| Refusal::field(name, "is required"))
}

fn channel(name: &str) -> Result<Channel, Refusal> {
    match name {
        "wechat" => Ok(Channel::Wechat),
        "alipay" => Ok(Channel::Alipay),
        _ => Err(Refusal::field("channel", "must be wechat or alipay")),
    }
}
