//! `biz_content`: read strictly, checked against a table of the documented fields.
//!
//! Alipay ignores what it does not know. The sandbox refuses it: an unknown field is a misspelt one.

use std::{collections::BTreeMap, fmt};

use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::Value;

use super::{amount, answer::Refusal};

/// What a field may hold.
#[derive(Debug, Clone, Copy)]
pub(super) enum Kind {
    /// A text that is not blank, of this many characters at most.
    Text(usize),
    /// One of these texts.
    Choice(&'static [&'static str]),
    /// Yuan with at most two decimals, as a text, of this many characters at most.
    Amount(usize),
    /// A list of these texts.
    Options(&'static [&'static str]),
    /// Any JSON object.
    Object,
    /// Any JSON array.
    List,
}

/// A documented field.
#[derive(Debug, Clone, Copy)]
pub(super) struct Field {
    name: &'static str,
    kind: Kind,
    required: bool,
}

/// A field that must be there.
pub(super) const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: true,
    }
}

/// A field that may be absent.
pub(super) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        kind,
        required: false,
    }
}

/// The fields of a `biz_content`.
#[derive(Debug, Default)]
pub(super) struct Content {
    fields: BTreeMap<String, Value>,
}

impl Content {
    /// Reads a JSON object whose names differ.
    ///
    /// # Errors
    ///
    /// `isv.illegal-json`.
    pub(super) fn parse(text: &str) -> Result<Self, Refusal> {
        serde_json::from_str(text).map_err(|error| {
            Refusal::new(
                "isv.illegal-json",
                format!("biz_content不是合法的JSON对象：{error}"),
            )
        })
    }

    /// Compares the fields with those documented.
    ///
    /// # Errors
    ///
    /// `refuse_with` for the first field that is unknown, missing, null, blank, too long or of another kind.
    pub(super) fn check(&self, documented: &[Field], refuse_with: &'static str) -> Result<(), Refusal> {
        let refuse =
            |name: &str, issue: String| Err(Refusal::new(refuse_with, format!("参数有误：{name}{issue}")));
        for (name, value) in &self.fields {
            let Some(field) = documented.iter().find(|field| field.name == name) else {
                return refuse(name, "不是该接口的参数".to_owned());
            };
            if let Some(issue) = issue(field.kind, value) {
                return refuse(name, issue);
            }
        }
        for field in documented.iter().filter(|field| field.required) {
            if !self.fields.contains_key(field.name) {
                return refuse(field.name, "缺失".to_owned());
            }
        }
        Ok(())
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.fields.get(name).and_then(Value::as_str)
    }

    /// An amount in fen.
    pub(super) fn fen(&self, name: &str) -> Option<i64> {
        self.text(name).and_then(amount::parse)
    }

    /// Whether a list of texts contains `option`.
    pub(super) fn has_option(&self, name: &str, option: &str) -> bool {
        let options = self.fields.get(name).and_then(Value::as_array);
        options.is_some_and(|options| options.iter().any(|value| value == option))
    }

    /// Whether a field is there.
    pub(super) fn has(&self, name: &str) -> bool {
        self.fields.contains_key(name)
    }

    /// The same for equal contents, however they are written.
    pub(super) fn fingerprint(&self) -> String {
        serde_json::to_string(&self.fields).unwrap_or_default()
    }
}

/// Why a value is not of a kind.
fn issue(kind: Kind, value: &Value) -> Option<String> {
    let text_issue = |most: usize| match value.as_str() {
        None => Some("应为字符串".to_owned()),
        Some(text) if text.trim().is_empty() => Some("不能为空".to_owned()),
        Some(text) if text.chars().count() > most => Some(format!("超过{most}个字符")),
        Some(_) => None,
    };
    match kind {
        _ if value.is_null() => Some("不能为null".to_owned()),
        Kind::Text(most) => text_issue(most),
        Kind::Amount(most) => text_issue(most).or_else(|| {
            let fen = value.as_str().and_then(amount::parse);
            let outside = fen.is_none_or(|fen| fen < 1);
            outside.then(|| "应为不小于0.01、最多两位小数的金额".to_owned())
        }),
        Kind::Choice(choices) => {
            let known = value.as_str().is_some_and(|text| choices.contains(&text));
            (!known).then(|| format!("应为{}之一", choices.join("、")))
        }
        Kind::Options(options) => {
            let known = |value: &Value| value.as_str().is_some_and(|text| options.contains(&text));
            let right = value.as_array().is_some_and(|list| list.iter().all(known));
            (!right).then(|| format!("应为数组，元素取自{}", options.join("、")))
        }
        Kind::Object => (!value.is_object()).then(|| "应为JSON对象".to_owned()),
        Kind::List => (!value.is_array()).then(|| "应为JSON数组".to_owned()),
    }
}

impl<'de> Deserialize<'de> for Content {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(UniqueFields)
    }
}

/// A JSON object, names checked: of two equal names a reader would see the first or the last.
struct UniqueFields;

impl<'de> Visitor<'de> for UniqueFields {
    type Value = Content;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a JSON object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Content, A::Error> {
        let mut fields = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, Value>()? {
            if fields.contains_key(&name) {
                return Err(serde::de::Error::custom(format_args!("{name} occurs twice")));
            }
            fields.insert(name, value);
        }
        Ok(Content { fields })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIELDS: &[Field] = &[
        required("out_trade_no", Kind::Text(4)),
        optional("total_amount", Kind::Amount(11)),
        optional("product_code", Kind::Choice(&["A", "B"])),
        optional("query_options", Kind::Options(&["x", "y"])),
        optional("extend_params", Kind::Object),
        optional("goods_detail", Kind::List),
    ];

    fn accepted(text: &str) -> bool {
        let content = Content::parse(text);
        content.is_ok_and(|content| content.check(FIELDS, "ACQ.INVALID_PARAMETER").is_ok())
    }

    #[test]
    fn documented_fields_are_accepted() {
        assert!(accepted(r#"{"out_trade_no":"商户订单"}"#));
        let all = r#"{"out_trade_no":"T1","total_amount":"0.01","product_code":"B","query_options":["x"],
            "extend_params":{},"goods_detail":[]}"#;
        assert!(accepted(all));
    }

    #[test]
    fn everything_else_is_refused() {
        for text in [
            "",
            "[]",
            r#""text""#,
            r"{}",
            r#"{"out_trade_no":"T1","out_trade_no":"T1"}"#,
            r#"{"out_trade_no":"T1234"}"#,
            r#"{"out_trade_no":null}"#,
            r#"{"out_trade_no":" "}"#,
            r#"{"out_trade_no":1}"#,
            r#"{"out_trade_no":"T1","unknown":"1"}"#,
            r#"{"out_trade_no":"T1","total_amount":1}"#,
            r#"{"out_trade_no":"T1","total_amount":"0.00"}"#,
            r#"{"out_trade_no":"T1","total_amount":"1.001"}"#,
            r#"{"out_trade_no":"T1","product_code":"C"}"#,
            r#"{"out_trade_no":"T1","query_options":["z"]}"#,
            r#"{"out_trade_no":"T1","query_options":"x"}"#,
            r#"{"out_trade_no":"T1","extend_params":"{}"}"#,
            r#"{"out_trade_no":"T1","goods_detail":{}}"#,
            r#"{"out_trade_no":"T1"} {}"#,
        ] {
            assert!(!accepted(text), "{text}");
        }
    }
}
