//! Checks a request body against the documented fields: unknown fields, nulls, emoji, types and lengths are
//! all refused, as WeChat Pay refuses them.

use serde_json::{Map, Value};

use super::refusal::{Location, Refusal};

/// A documented field.
#[derive(Debug)]
pub(super) struct Field {
    name: &'static str,
    required: bool,
    kind: Kind,
}

/// What a field holds.
#[derive(Debug)]
pub(super) enum Kind {
    /// Text of at least one and at most this many characters.
    Text(usize),
    /// Text of so many characters, each of which must pass.
    Code {
        min: usize,
        max: usize,
        allowed: fn(char) -> bool,
    },
    /// One of these words.
    OneOf(&'static [&'static str]),
    /// A whole number, at least this one.
    Integer(i64),
    /// True or false.
    Bool,
    /// An object with these fields.
    Object(&'static [Field]),
    /// A list of objects with these fields.
    List(&'static [Field]),
    /// A list of these words.
    Words(&'static [&'static str]),
}

/// A field that must be there.
pub(super) const fn required(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        required: true,
        kind,
    }
}

/// A field that may be left out.
pub(super) const fn optional(name: &'static str, kind: Kind) -> Field {
    Field {
        name,
        required: false,
        kind,
    }
}

/// Checks `body` against the fields of all `groups` together.
pub(super) fn check(groups: &[&'static [Field]], body: &Map<String, Value>) -> Result<(), Refusal> {
    let fields = groups.iter().copied().flatten();
    let mut unknown = Vec::new();
    find_unknown(&fields, body, "", &mut unknown);
    if !unknown.is_empty() {
        return Err(Refusal::unknown_fields(&unknown));
    }
    check_object(fields, body, "")
}

/// Lists what the documentation does not know, all of it at once.
fn find_unknown(
    fields: &(impl Iterator<Item = &'static Field> + Clone),
    object: &Map<String, Value>,
    at: &str,
    unknown: &mut Vec<String>,
) {
    for (name, value) in object {
        let pointer = format!("{at}/{name}");
        let Some(field) = fields.clone().find(|field| field.name == name) else {
            unknown.push(pointer);
            continue;
        };
        match (&field.kind, value) {
            (Kind::Object(inner), Value::Object(object)) => {
                find_unknown(&inner.iter(), object, &pointer, unknown);
            }
            (Kind::List(inner), Value::Array(items)) => {
                for (index, item) in items.iter().enumerate() {
                    if let Value::Object(object) = item {
                        find_unknown(&inner.iter(), object, &format!("{pointer}/{index}"), unknown);
                    }
                }
            }
            _ => {}
        }
    }
}

fn check_object(
    fields: impl Iterator<Item = &'static Field>,
    object: &Map<String, Value>,
    at: &str,
) -> Result<(), Refusal> {
    for field in fields {
        let pointer = format!("{at}/{}", field.name);
        match object.get(field.name) {
            Some(value) => check_value(&field.kind, value, &pointer)?,
            None if field.required => return Err(wrong(&pointer, &Value::Null, "必填参数缺失")),
            None => {}
        }
    }
    Ok(())
}

fn check_value(kind: &'static Kind, value: &Value, at: &str) -> Result<(), Refusal> {
    match (kind, value) {
        (_, Value::Null) => Err(wrong(at, value, "值不能为null")),
        (Kind::Text(max), Value::String(text)) => {
            check_plane(text, at)?;
            check_length(text, 1, *max, at)
        }
        (Kind::Code { min, max, allowed }, Value::String(text)) => {
            check_length(text, *min, *max, at)?;
            if text.chars().all(*allowed) {
                Ok(())
            } else {
                Err(wrong(at, value, "格式错误，含有不允许的字符"))
            }
        }
        (Kind::OneOf(words), Value::String(word)) => check_word(words, word, at),
        (Kind::Integer(min), Value::Number(number)) => match number.as_i64() {
            Some(number) if number >= *min => Ok(()),
            Some(_) => Err(wrong(at, value, "数值小于允许的最小值")),
            None => Err(wrong(at, value, "无法解析为整数")),
        },
        (Kind::Bool, Value::Bool(_)) => Ok(()),
        (Kind::Object(fields), Value::Object(object)) => check_object(fields.iter(), object, at),
        (Kind::List(fields), Value::Array(items)) => {
            items.iter().enumerate().try_for_each(|(index, item)| match item {
                Value::Object(object) => check_object(fields.iter(), object, &format!("{at}/{index}")),
                _ => Err(wrong(&format!("{at}/{index}"), item, "类型错误")),
            })
        }
        (Kind::Words(words), Value::Array(items)) => {
            items.iter().enumerate().try_for_each(|(index, item)| match item {
                Value::String(word) => check_word(words, word, &format!("{at}/{index}")),
                _ => Err(wrong(&format!("{at}/{index}"), item, "类型错误")),
            })
        }
        _ => Err(wrong(at, value, "类型错误")),
    }
}

fn check_length(text: &str, min: usize, max: usize, at: &str) -> Result<(), Refusal> {
    let length = text.chars().count();
    if length < min {
        return Err(wrong(
            at,
            &text.into(),
            &format!("字符数{length}，小于最小值{min}"),
        ));
    }
    if length > max {
        return Err(wrong(
            at,
            &text.into(),
            &format!("字符数{length}，大于最大值{max}"),
        ));
    }
    Ok(())
}

/// WeChat Pay takes UTF-8 of up to three bytes a character only: no emoji.
fn check_plane(text: &str, at: &str) -> Result<(), Refusal> {
    if text.chars().any(|character| character.len_utf8() > 3) {
        return Err(wrong(at, &text.into(), "编码格式错误，仅支持1-3字节的UTF-8字符"));
    }
    Ok(())
}

fn check_word(words: &[&str], word: &str, at: &str) -> Result<(), Refusal> {
    if words.contains(&word) {
        return Ok(());
    }
    Err(wrong(at, &word.into(), "枚举值错误"))
}

fn wrong(at: &str, value: &Value, issue: &str) -> Refusal {
    Refusal::param(Location::Body, at, value, issue)
}

/// The value at a JSON pointer, as text.
pub(super) fn text<'body>(body: &'body Map<String, Value>, path: &[&str]) -> Option<&'body str> {
    at(body, path)?.as_str()
}

/// The value at a JSON pointer, as a whole number.
pub(super) fn integer(body: &Map<String, Value>, path: &[&str]) -> Option<i64> {
    at(body, path)?.as_i64()
}

fn at<'body>(body: &'body Map<String, Value>, path: &[&str]) -> Option<&'body Value> {
    let (first, rest) = path.split_first()?;
    rest.iter()
        .try_fold(body.get(*first)?, |value, name| value.get(name))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    static FIELDS: &[Field] = &[
        required("name", Kind::Text(3)),
        optional("amount", Kind::Object(&[required("total", Kind::Integer(1))])),
        optional("goods", Kind::List(&[required("id", Kind::Text(2))])),
    ];

    /// The detail's field and value, if `body` is refused.
    fn refused(body: &Value) -> Option<(String, Value)> {
        let refusal = check(&[FIELDS], body.as_object()?).err()?;
        let detail = refusal.detail?;
        Some((detail["field"].as_str()?.to_owned(), detail["value"].clone()))
    }

    #[test]
    fn bodies_are_held_to_the_documentation() {
        assert_eq!(refused(&json!({"name": "中文字"})), None);
        let field = |body: Value| refused(&body).map(|(field, _)| field);
        assert_eq!(field(json!({})), Some("/name".to_owned()));
        assert_eq!(field(json!({"name": "abcd"})), Some("/name".to_owned()));
        assert_eq!(field(json!({"name": ""})), Some("/name".to_owned()));
        assert_eq!(field(json!({"name": null})), Some("/name".to_owned()));
        assert_eq!(field(json!({"name": "a😀"})), Some("/name".to_owned()));
        let total = |total: Value| field(json!({"name": "a", "amount": {"total": total}}));
        assert_eq!(total(json!(1)), None);
        for bad in [json!(0), json!(1.5), json!("1"), json!(null)] {
            assert_eq!(total(bad), Some("/amount/total".to_owned()));
        }
        let listed = field(json!({"name": "a", "goods": [{"id": "1"}, {}]}));
        assert_eq!(listed, Some("/goods/1/id".to_owned()));
    }

    #[test]
    fn unknown_fields_are_all_listed() {
        let body =
            json!({"name": "a", "x": 1, "amount": {"total": 1, "y": 2}, "goods": [{"id": "1", "z": 3}]});
        let (_, value) = refused(&body).unwrap();
        let mut listed: Vec<&str> = value
            .as_array()
            .unwrap()
            .iter()
            .filter_map(Value::as_str)
            .collect();
        listed.sort_unstable();
        assert_eq!(listed, ["/amount/y", "/goods/0/z", "/x"]);
    }
}
