//! Taking a reply apart without changing a byte of what Alipay signed.

use std::{borrow::Cow, fmt};

use encoding_rs::{Encoding, GB18030, UTF_8};
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;
use trade_crypto::PublicKey;

/// The text of a reply, with the way back to its bytes: those are what is signed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct ReplyText {
    text: String,
    encoding: &'static Encoding,
}

/// A reply of the gateway: the signed source as it came, and what stands beside it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Envelope<'a> {
    /// The value of `<method>_response`: an object, or a string with its quotes when encrypted.
    pub(crate) source: &'a str,
    /// The signature, unless absent or empty.
    pub(crate) sign: Option<Cow<'a, str>>,
    /// The serial of the certificate it was signed with, in certificate mode.
    pub(crate) cert_sn: Option<Cow<'a, str>>,
    encoding: &'static Encoding,
}

/// Why a reply cannot even be taken apart.
#[derive(Debug, thiserror::Error)]
pub(crate) enum EnvelopeError {
    #[error("the reply is a web page: gateway_url is not the gateway, or a machine before it answered")]
    Page,
    #[error("the reply is no JSON object, or a key is there twice")]
    NotAnObject(#[source] serde_json::Error),
    #[error("the reply has no `{0}`")]
    NoRoot(String),
}

impl ReplyText {
    /// Reads a reply. We ask for UTF-8, yet some errors come in GBK; `None` when it is neither.
    pub(crate) fn read(body: Vec<u8>) -> Option<Self> {
        match String::from_utf8(body) {
            Ok(text) => Some(Self {
                text,
                encoding: UTF_8,
            }),
            Err(error) => Self::read_gbk(error.as_bytes()),
        }
    }

    /// A text that would not be written as the same bytes again has lost what was signed.
    fn read_gbk(body: &[u8]) -> Option<Self> {
        let text = GB18030.decode_without_bom_handling_and_without_replacement(body)?;
        let (again, _, _) = GB18030.encode(&text);
        (*again == *body).then(|| Self {
            text: text.into_owned(),
            encoding: GB18030,
        })
    }
}

impl<'a> Envelope<'a> {
    /// Takes the reply to `method` apart.
    pub(crate) fn parse(method: &str, reply: &'a ReplyText) -> Result<Self, EnvelopeError> {
        if reply.text.trim_start().starts_with('<') {
            return Err(EnvelopeError::Page);
        }
        let members: Members<'a> = serde_json::from_str(&reply.text).map_err(EnvelopeError::NotAnObject)?;
        let root = format!("{}_response", method.replace('.', "_"));
        let source = members.get(&root).or_else(|| members.get("error_response"));
        let source = source
            .filter(|text| text.starts_with(['{', '"']))
            .ok_or(EnvelopeError::NoRoot(root))?;
        Ok(Self {
            source,
            sign: members.text("sign"),
            cert_sn: members.text("alipay_cert_sn"),
            encoding: reply.encoding,
        })
    }

    /// The source as this key signed it, if it did. Some of Alipay's machines write `\/` but sign `/`:
    /// then the text with `/` is the authentic one, and the one to read.
    pub(crate) fn signed_by(&self, key: &PublicKey) -> Option<Cow<'a, str>> {
        let sign = self.sign.as_deref()?;
        let fits = |source: &str| key.verify_sha256(&self.encoding.encode(source).0, sign).is_ok();
        if fits(self.source) {
            return Some(Cow::Borrowed(self.source));
        }
        let plain = self.source.replace("\\/", "/");
        (plain != self.source && fits(&plain)).then_some(Cow::Owned(plain))
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

    /// A string with something in it. Who writes `\/` in the source writes it in the signature, too.
    fn text(&self, name: &str) -> Option<Cow<'a, str>> {
        let json = self.get(name)?;
        let letters = json.strip_prefix('"')?.strip_suffix('"')?;
        let text = if letters.contains('\\') {
            Cow::Owned(serde_json::from_str(json).ok()?)
        } else {
            Cow::Borrowed(letters)
        };
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
    use proptest::prelude::*;
    use serde_json::Value;

    use super::*;

    const METHOD: &str = "alipay.trade.query";

    fn reply(body: &str) -> ReplyText {
        ReplyText::read(body.as_bytes().to_vec()).unwrap()
    }

    /// The shapes that broke one client or another.
    const SOURCES: [&str; 16] = [
        r#"{"code":"10000"}"#,
        r#"{"a":{"b":[1,{"c":{}}]}}"#,
        r#"{"a":{"b":[1,{"c":"}"}]}}"#,
        r#"{"a":"{[}]"}"#,
        r#"{"a{":"}"}"#,
        r#"{"a":"}}}}"}"#,
        r#"{"a":"\"}\""}"#,
        r#"{"a":"\\"}"#,
        r#"{"a":"\\\\","b":"}"}"#,
        r#"{"a":"\\\"}"}"#,
        "{ \"a\" : 1 ,\r\n\t\"b\" : [ ] }",
        r#""YWJj+/=""#,
        r#""YWJj\/Zg==""#,
        r#"{"sign":"inner","alipay_cert_sn":"inner","alipay_trade_query_response":{"code":"1"}}"#,
        r#"{"url":"https:\/\/x","u":"\u4fdd","n":1.50e3}"#,
        r#"{"a":"日常保洁","b":null}"#,
    ];

    #[test]
    fn the_source_is_cut_out_byte_for_byte() {
        for source in SOURCES {
            for body in [
                format!(r#"{{"alipay_trade_query_response":{source},"sign":"c2ln"}}"#),
                format!("{{ \"sign\" : \"c2ln\" ,\n \"alipay_trade_query_response\" :\t {source} \n }} "),
                format!(r#"{{"alipay_trade_query_response":{source},"alipay_cert_sn":"0a","sign":"c2ln"}}"#),
                format!(r#"{{"more":{source},"error_response":{source},"sign":"c2ln"}}"#),
            ] {
                let reply = reply(&body);
                let envelope = Envelope::parse(METHOD, &reply).unwrap();
                assert_eq!(
                    (envelope.source, envelope.sign.as_deref()),
                    (source, Some("c2ln")),
                    "{body}"
                );
                let certified = body.contains(r#","alipay_cert_sn":"0a","#);
                assert_eq!(envelope.cert_sn.as_deref(), certified.then_some("0a"), "{body}");
            }
        }
    }

    #[test]
    fn ambiguous_or_foreign_replies_are_refused() {
        let good = reply(r#"{"alipay_trade_query_response":{},"sign":"x"}"#);
        assert!(Envelope::parse(METHOD, &good).is_ok());
        for body in [
            r#"{"alipay_trade_query_response":{},"alipay_trade_query_response":{"code":"10000"},"sign":"x"}"#,
            r#"{"alipay_trade_query_response":{},"sign":"x","alipay_trade_query_respons\u0065":{"code":"10000"}}"#,
            r#"{"alipay_trade_query_response":{},"sign":"x","sign":"y"}"#,
            r#"{"alipay_trade_close_response":{},"sign":"x"}"#,
            r#"{"alipay_trade_query_response":5,"sign":"x"}"#,
            r#"{"alipay_trade_query_response":{},"sign":"x""#,
            r#"{"alipay_trade_query_response":{},"sign":"x"}{}"#,
            "[]",
            "",
            "<html></html>",
        ] {
            assert!(Envelope::parse(METHOD, &reply(body)).is_err(), "{body}");
        }
        let error = reply(r#"{"error_response":{"code":"40002"}}"#);
        assert_eq!(Envelope::parse(METHOD, &error).unwrap().sign, None);
        for unsigned in [r#""""#, "null", "5", "[]"] {
            let body = reply(&format!(
                r#"{{"alipay_trade_query_response":{{}},"sign":{unsigned}}}"#
            ));
            assert_eq!(Envelope::parse(METHOD, &body).unwrap().sign, None, "{unsigned}");
        }
    }

    #[test]
    fn a_signature_is_read_as_the_json_text_it_is() {
        for (written, sign) in [
            (r#""a+b\/c==""#, Some("a+b/c==")),
            (r#""a\u002bb\u002Fc\u003d=""#, Some("a+b/c==")),
            (r#""\ud800""#, None),
            (r#""a" "#, Some("a")),
        ] {
            let body = reply(&format!(
                r#"{{"alipay_trade_query_response":{{}},"sign":{written}}}"#
            ));
            let envelope = Envelope::parse(METHOD, &body).unwrap();
            assert_eq!(envelope.sign.as_deref(), sign, "{written}");
        }
    }

    #[test]
    fn a_letter_whose_second_byte_is_a_backslash_ends_nothing() {
        // In GBK, `誠` is D5 5C and `|` alike letters end in 7C: byte scanners trip over both.
        let (gbk, _, lossy) = GB18030.encode(r#"{"alipay_trade_query_response":{"m":"誠"},"sign":"x"}"#);
        assert!(!lossy && gbk.contains(&b'\\'));
        let reply = ReplyText::read(gbk.into_owned()).unwrap();
        assert_eq!(Envelope::parse(METHOD, &reply).unwrap().source, r#"{"m":"誠"}"#);
        // Neither UTF-8 nor GBK, and GBK that would be written otherwise.
        for bytes in [&b"\xff\xff"[..], b"\x80\xb1\xa3"] {
            assert_eq!(ReplyText::read(bytes.to_vec()), None, "{bytes:?}");
        }
    }

    /// Documents whose root value is an object, as the gateway's are.
    fn source() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            any::<String>().prop_map(Value::from),
            "[{}\"\\\\/,:\\[\\]]{0,8}".prop_map(Value::from),
        ];
        let value = leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
                proptest::collection::btree_map(any::<String>(), inner, 0..4)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        });
        proptest::collection::btree_map("[a-z_{}\"]{0,12}", value, 0..4)
            .prop_map(|members| Value::Object(members.into_iter().collect()))
    }

    proptest! {
        #[test]
        fn the_source_is_what_a_json_parser_sees(value in source(), pretty: bool, sign in "[A-Za-z0-9+/=]{1,40}") {
            let text = if pretty { serde_json::to_string_pretty(&value) } else { serde_json::to_string(&value) };
            let text = text.unwrap();
            let body = format!(r#"{{"alipay_trade_query_response": {text} ,"sign":"{sign}"}}"#);
            let reply = reply(&body);
            let envelope = Envelope::parse(METHOD, &reply).unwrap();
            prop_assert_eq!(envelope.source, text.as_str());
            prop_assert_eq!(envelope.sign.as_deref(), Some(sign.as_str()));
            let whole: Value = serde_json::from_str(&body).unwrap();
            let cut: Value = serde_json::from_str(envelope.source).unwrap();
            prop_assert_eq!(&whole["alipay_trade_query_response"], &cut);
        }

        #[test]
        fn whatever_comes_in_is_taken_apart_or_refused(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            if let Some(reply) = ReplyText::read(body) {
                let _ = Envelope::parse(METHOD, &reply);
            }
        }

        #[test]
        fn a_document_cut_anywhere_is_refused(value in source(), at in any::<proptest::sample::Index>()) {
            let body = format!(r#"{{"alipay_trade_query_response":{value},"sign":"x"}}"#);
            let letters: Vec<char> = body.chars().collect();
            let cut: String = letters.iter().take(at.index(letters.len())).collect();
            prop_assert!(Envelope::parse(METHOD, &reply(&cut)).is_err(), "{}", cut);
        }
    }
}
