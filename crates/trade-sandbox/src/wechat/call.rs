//! A request that passed the gate.

use axum::http::HeaderMap;
use serde_json::{Map, Value};

use super::refusal::{Location, Refusal};

/// The request, authentic.
#[derive(Debug)]
pub(super) struct Call {
    pub(super) headers: HeaderMap,
    /// Decoded query parameters, in the order sent.
    pub(super) query: Vec<(String, String)>,
    pub(super) body: Vec<u8>,
    /// The `mchid` that signed.
    pub(super) mchid: String,
    /// The request's `Wechatpay-Serial`: which key encrypted fields are for, and which key shall answer.
    pub(super) wechatpay_serial: Option<String>,
}

impl Call {
    /// A query parameter; empty counts as absent.
    pub(super) fn param(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, value)| key == name && !value.is_empty())
            .map(|(_, value)| value.as_str())
    }

    /// The body as a JSON object.
    pub(super) fn json(&self) -> Result<Map<String, Value>, Refusal> {
        let is_json = self
            .headers
            .get("content-type")
            .and_then(|value| value.to_str().ok())
            .is_some_and(|value| value.starts_with("application/json"));
        if !is_json {
            return Err(Refusal::invalid(
                "Http头Content-Type值错误，请使用application/json",
            ));
        }
        match serde_json::from_slice(&self.body) {
            Ok(Value::Object(object)) => Ok(object),
            Ok(_) | Err(_) => Err(Refusal::param(Location::Body, "", &Value::Null, "JSON格式错误")),
        }
    }

    /// Whether the body's, or the query's, `mchid` is the one that signed.
    pub(super) fn check_mchid(&self, mchid: Option<&str>, location: Location) -> Result<(), Refusal> {
        let field = match location {
            Location::Body => "/mchid",
            Location::Query => "mchid",
        };
        match mchid {
            None => Err(Refusal::param(location, field, &Value::Null, "必填参数缺失")),
            Some(mchid) if mchid == self.mchid => Ok(()),
            Some(mchid) => {
                let mut refusal = Refusal::param(location, field, &mchid.into(), "商户号不匹配");
                refusal.message = match location {
                    Location::Body => "http header中的mchid与post payload中的mchid不匹配".into(),
                    Location::Query => "http header中的mchid与query中的mchid不匹配".into(),
                };
                Err(refusal)
            }
        }
    }
}
