//! Reading request fields as callers send them: longs and yuan as strings or numbers, each error
//! naming the field and the rule.

use std::{collections::BTreeMap, str::FromStr};

use axum::{
    body::Bytes,
    extract::{FromRequest, Path, Request, rejection::BytesRejection},
    http::{HeaderMap, StatusCode, header},
};
use serde_json::value::RawValue;
use trade_core::{Amount, Channel, ProductAppId, Timestamp, port::Page};

use super::Problem;

const MAX_PAGE: u32 = 200;
const DEFAULT_PAGE: u32 = 50;

/// The fields of a JSON object or of a query or form text, each kept as its own text so that no
/// number goes through floating point.
#[derive(Debug)]
pub(super) struct Fields(BTreeMap<String, Field>);

#[derive(Debug)]
enum Field {
    /// A string, or a value of a query or form.
    Text(String),
    /// A JSON number, `true`, `false`, array or object, as written.
    Raw(String),
    Null,
}

/// The fields of a JSON body.
#[derive(Debug)]
pub(super) struct JsonFields(pub(super) Fields);

impl<S: Send + Sync> FromRequest<S> for JsonFields {
    type Rejection = Problem;

    async fn from_request(request: Request, state: &S) -> Result<Self, Problem> {
        let content_type = request
            .headers()
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let essence = content_type
            .unwrap_or_default()
            .split(';')
            .next()
            .unwrap_or_default()
            .trim();
        if !essence.eq_ignore_ascii_case("application/json") {
            let detail = format!("send the body as application/json, not `{essence}`");
            return Err(Problem::new(StatusCode::UNSUPPORTED_MEDIA_TYPE, detail));
        }
        let body = read_body(request, state).await?;
        Fields::from_json(&body).map(Self)
    }
}

/// The whole body, within the limit.
pub(super) async fn read_body<S: Send + Sync>(request: Request, state: &S) -> Result<Bytes, Problem> {
    Bytes::from_request(request, state)
        .await
        .map_err(|rejection| match rejection {
            BytesRejection::FailedToBufferBody(inner) if inner.status() == StatusCode::PAYLOAD_TOO_LARGE => {
                Problem::new(StatusCode::PAYLOAD_TOO_LARGE, "the body is larger than 64 KiB")
            }
            other => Problem::new(
                StatusCode::BAD_REQUEST,
                format!("the body could not be read: {}", other.body_text()),
            ),
        })
}

impl Fields {
    pub(super) fn from_json(body: &[u8]) -> Result<Self, Problem> {
        let malformed = |error: serde_json::Error| {
            Problem::new(
                StatusCode::BAD_REQUEST,
                format!("the body is not a JSON object: {error}"),
            )
        };
        let raw: BTreeMap<String, &RawValue> = serde_json::from_slice(body).map_err(malformed)?;
        let mut fields = BTreeMap::new();
        for (name, value) in raw {
            let text = value.get();
            let field = match text.as_bytes().first() {
                Some(b'"') => Field::Text(serde_json::from_str(text).map_err(malformed)?),
                Some(b'n') => Field::Null,
                _ => Field::Raw(text.to_owned()),
            };
            fields.insert(name, field);
        }
        Ok(Self(fields))
    }

    /// The fields of a query string and of a form body; a field in both is the query's.
    pub(super) fn from_query_and_form(query: Option<&str>, headers: &HeaderMap, body: &[u8]) -> Self {
        let content_type = headers
            .get(header::CONTENT_TYPE)
            .and_then(|value| value.to_str().ok());
        let is_form =
            content_type.is_some_and(|value| value.starts_with("application/x-www-form-urlencoded"));
        let body = if is_form { body } else { b"" };
        let pairs =
            form_urlencoded::parse(body).chain(form_urlencoded::parse(query.unwrap_or_default().as_bytes()));
        Self(
            pairs
                .map(|(name, value)| (name.into_owned(), Field::Text(value.into_owned())))
                .collect(),
        )
    }

    pub(super) fn from_query(query: Option<&str>) -> Self {
        Self::from_query_and_form(query, &HeaderMap::new(), b"")
    }

    /// The text of a field; an absent, null or blank one is none.
    pub(super) fn text(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            None | Some(Field::Null) => Ok(None),
            Some(Field::Text(text)) => Ok(Some(text.as_str()).filter(|text| !text.trim().is_empty())),
            Some(Field::Raw(_)) => Err(Problem::field(name, "must be a string")),
        }
    }

    /// A whole number, as a string or a number.
    pub(super) fn long(&self, name: &str) -> Result<Option<i64>, Problem> {
        self.scalar(name)?.map(|text| parse_long(name, text)).transpose()
    }

    /// An id: a whole number that `wrap` accepts.
    pub(super) fn id<T, E: std::fmt::Display>(
        &self,
        name: &str,
        wrap: impl Fn(i64) -> Result<T, E>,
    ) -> Result<Option<T>, Problem> {
        let Some(value) = self.long(name)? else {
            return Ok(None);
        };
        wrap(value)
            .map(Some)
            .map_err(|_| Problem::field(name, "must be a whole number greater than zero"))
    }

    /// An amount in yuan, as a string or a number.
    pub(super) fn yuan(&self, name: &str) -> Result<Option<Amount>, Problem> {
        let Some(text) = self.scalar(name)? else {
            return Ok(None);
        };
        Amount::from_yuan(text)
            .map(Some)
            .map_err(|error| Problem::field(name, error.to_string()))
    }

    /// Something with a name of its own, such as a channel.
    pub(super) fn named<T: FromStr<Err: std::fmt::Display>>(&self, name: &str) -> Result<Option<T>, Problem> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        text.parse()
            .map(Some)
            .map_err(|error: T::Err| Problem::field(name, error.to_string()))
    }

    /// A point in time, `yyyy-MM-dd HH:mm:ss` in Beijing time.
    pub(super) fn beijing_time(&self, name: &str) -> Result<Option<Timestamp>, Problem> {
        let Some(text) = self.text(name)? else {
            return Ok(None);
        };
        Timestamp::from_beijing_text(text)
            .map(Some)
            .ok_or_else(|| Problem::field(name, "must be a time in Beijing as yyyy-MM-dd HH:mm:ss"))
    }

    /// `true` or `false`.
    pub(super) fn flag(&self, name: &str) -> Result<Option<bool>, Problem> {
        match self.scalar(name)? {
            None => Ok(None),
            Some("true") => Ok(Some(true)),
            Some("false") => Ok(Some(false)),
            Some(_) => Err(Problem::field(name, "must be true or false")),
        }
    }

    fn scalar(&self, name: &str) -> Result<Option<&str>, Problem> {
        match self.0.get(name) {
            None | Some(Field::Null) => Ok(None),
            Some(Field::Raw(text)) if text.starts_with(['{', '[']) => {
                Err(Problem::field(name, "must be a single value"))
            }
            Some(Field::Raw(text) | Field::Text(text)) => {
                Ok(Some(text.trim()).filter(|text| !text.is_empty()))
            }
        }
    }
}

/// What is not there although it must be.
pub(super) fn required<T>(name: &str, value: Option<T>) -> Result<T, Problem> {
    value.ok_or_else(|| Problem::field(name, "is required"))
}

/// A channel, with the original's name for the field.
pub(super) fn channel(fields: &Fields) -> Result<Option<Channel>, Problem> {
    fields.named("tradingChannel")
}

/// The order system, where the request names one.
pub(super) fn app_id(fields: &Fields) -> Result<Option<ProductAppId>, Problem> {
    let app_id = fields.text("productAppId")?.map(ProductAppId::new).transpose();
    app_id.map_err(|invalid| Problem::field(invalid.what, invalid.rule))
}

/// Which part of a list: `limit` (1 to 200, default 50), and `before`, the last number of the page before.
pub(super) fn read_page(fields: &Fields) -> Result<Page, Problem> {
    let limit = match fields.long("limit")? {
        None => DEFAULT_PAGE,
        Some(limit) => u32::try_from(limit)
            .ok()
            .filter(|limit| (1..=MAX_PAGE).contains(limit))
            .ok_or_else(|| Problem::field("limit", "must be from 1 to 200"))?,
    };
    Ok(Page {
        before: fields.long("before")?,
        limit,
    })
}

/// A number in the path.
pub(super) fn path_id<T, E: std::fmt::Display>(
    name: &str,
    Path(text): &Path<String>,
    wrap: impl Fn(i64) -> Result<T, E>,
) -> Result<T, Problem> {
    let value = parse_long(name, text)?;
    wrap(value).map_err(|_| Problem::field(name, "must be a whole number greater than zero"))
}

fn parse_long(name: &str, text: &str) -> Result<i64, Problem> {
    text.parse()
        .map_err(|_| Problem::field(name, "must be a whole number of at most 19 digits"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn longs_and_yuan_come_as_strings_or_numbers() {
        let fields = Fields::from_json(
            br#"{"a":"2406011000000000001","b":2406011000000000001,"c":90071992547409.93,"d":"1.00","e":null,"f":true}"#,
        );
        let fields = fields.unwrap();
        assert_eq!(fields.long("a").unwrap(), fields.long("b").unwrap());
        assert_eq!(fields.long("b").unwrap(), Some(2_406_011_000_000_000_001));
        assert!(
            fields.yuan("c").is_err(),
            "above the limit, and read exactly to know it"
        );
        assert_eq!(fields.yuan("d").unwrap().map(Amount::get), Some(100));
        assert_eq!(fields.text("e").unwrap(), None);
        assert_eq!(fields.flag("f").unwrap(), Some(true));
    }

    #[test]
    fn what_does_not_fit_is_named() {
        let fields =
            Fields::from_json(br#"{"a":9223372036854775808,"b":1.5,"c":[1],"d":5,"e":1e3}"#).unwrap();
        for name in ["a", "b", "c", "e"] {
            let problem = format!("{:?}", fields.long(name).unwrap_err());
            assert!(problem.contains(&format!("\"{name}: ")), "{problem}");
        }
        assert!(fields.text("d").is_err());
        assert!(Fields::from_json(b"[1]").is_err());
        assert!(Fields::from_json(b"{\"a\":").is_err());
        assert!(Fields::from_json(&[b'{', b'"', 0xff, b'"', b':', b'1', b'}']).is_err());
    }
}
