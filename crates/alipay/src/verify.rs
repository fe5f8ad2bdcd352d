//! Taking a reply apart without changing a byte of what Alipay signed.

use std::fmt;

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use trade_crypto::PublicKey;

/// A reply of the gateway: the signed source as it came, and what stands beside it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    /// The value of `<method>_response`: an object, or a string with its quotes when encrypted.
    pub(crate) source: &'a str,
    /// The signature, unless absent or empty.
    pub(crate) sign: Option<&'a str>,
    /// The serial of the certificate it was signed with, in certificate mode.
    pub(crate) cert_sn: Option<&'a str>,
}

/// Why a reply cannot even be taken apart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvelopeError {
    #[error("the reply is no JSON object, or a key is there twice")]
    NotAnObject(#[source] serde_json::Error),
    #[error("the reply has no `{0}`")]
    NoRoot(String),
}

impl<'a> Envelope<'a> {
    /// Takes the reply to `method` apart.
    pub(crate) fn parse(method: &str, body: &'a str) -> Result<Self, EnvelopeError> {
        let members: Members<'a> = serde_json::from_str(body).map_err(EnvelopeError::NotAnObject)?;
        let root = format!("{}_response", method.replace('.', "_"));
        let source = members.get(&root).or_else(|| members.get("error_response"));
        let source = source
            .filter(|text| text.starts_with(['{', '"']))
            .ok_or(EnvelopeError::NoRoot(root))?;
        Ok(Self {
            source,
            sign: members.text("sign"),
            cert_sn: members.text("alipay_cert_sn"),
        })
    }

    /// Whether the signature fits the source. Some of Alipay's machines write `\/` but sign `/`.
    pub(crate) fn is_signed_by(&self, key: &PublicKey) -> bool {
        let Some(sign) = self.sign else { return false };
        let fits = |source: &str| key.verify_sha256(source.as_bytes(), sign).is_ok();
        fits(self.source) || (self.source.contains("\\/") && fits(&self.source.replace("\\/", "/")))
    }
}

/// The members of the outermost object, each value as its own text.
struct Members<'a>(Vec<(String, &'a RawValue)>);

impl<'a> Members<'a> {
    fn get(&self, name: &str) -> Option<&'a str> {
        self.0
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.get())
    }

    /// A plain string without escapes, which signatures and serials are.
    fn text(&self, name: &str) -> Option<&'a str> {
        let text = self.get(name)?.strip_prefix('"')?.strip_suffix('"')?;
        (!text.is_empty()).then_some(text)
    }
}

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Collect;

        impl<'de> Visitor<'de> for Collect {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Members<'de>, A::Error> {
                let mut members: Vec<(String, &'de RawValue)> = Vec::new();
                while let Some((key, value)) = map.next_entry::<String, &'de RawValue>()? {
                    // A second value under one key would let one be signed and the other be read.
                    if members.iter().any(|(other, _)| *other == key) {
                        return Err(serde::de::Error::custom("a key is there twice"));
                    }
                    members.push((key, value));
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Collect)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const METHOD: &str = "alipay.trade.query";

    #[test]
    fn the_source_is_cut_out_byte_for_byte() {
        for source in [
            r#"{"code":"10000"}"#,
            r#"{"a":{"b":[1,{"c":"}"}]}}"#,
            r#"{"a":"{[}"}"#,
            r#"{"a{":"}"}"#,
            r#"{"a":"\"}\""}"#,
            r#"{"a":"\\"}"#,
            r#"{"a":"\\\"}"}"#,
            "{ \"a\" : 1 ,\r\n \"b\" : [ ] }",
            r#""YWJj+/=""#,
            r#"{"sign":"inner","alipay_trade_query_response":"inner"}"#,
            r#"{"url":"https:\/\/x","u":"\u4fdd"}"#,
        ] {
            for body in [
                format!(r#"{{"alipay_trade_query_response":{source},"sign":"c2ln"}}"#),
                format!(r#"{{ "sign" : "c2ln" , "alipay_trade_query_response" : {source} }}"#),
                format!(r#"{{"alipay_trade_query_response":{source},"alipay_cert_sn":"0a","sign":"c2ln"}}"#),
            ] {
                let envelope = Envelope::parse(METHOD, &body).unwrap();
                assert_eq!((envelope.source, envelope.sign), (source, Some("c2ln")), "{body}");
            }
        }
    }

    #[test]
    fn ambiguous_or_foreign_replies_are_refused() {
        let good = r#"{"alipay_trade_query_response":{},"sign":"x"}"#;
        assert!(Envelope::parse(METHOD, good).is_ok());
        for body in [
            r#"{"alipay_trade_query_response":{},"alipay_trade_query_response":{"code":"10000"},"sign":"x"}"#,
            r#"{"alipay_trade_query_response":{},"sign":"x","sign":"y"}"#,
            r#"{"alipay_trade_close_response":{},"sign":"x"}"#,
            r#"{"alipay_trade_query_response":5,"sign":"x"}"#,
            r#"{"alipay_trade_query_response":{},"sign":"x""#,
            "[]",
            "",
            "<html></html>",
        ] {
            assert!(Envelope::parse(METHOD, body).is_err(), "{body}");
        }
        let error = r#"{"error_response":{"code":"40002"}}"#;
        assert_eq!(Envelope::parse(METHOD, error).unwrap().sign, None);
        let empty = r#"{"alipay_trade_query_response":{},"sign":""}"#;
        assert_eq!(Envelope::parse(METHOD, empty).unwrap().sign, None);
    }
}
