//! A form body taken apart byte for byte: decoded exactly once, nothing trimmed, nothing merged.

use encoding_rs::{Encoding, GB18030, UTF_8};

/// The fields of a form in their order, values still in the sender's charset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Form {
    fields: Vec<(String, Vec<u8>)>,
    encoding: &'static Encoding,
}

/// Why a body is no form of Alipay's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum FormError {
    #[error("it is not form-encoded")]
    Malformed,
    #[error("the field {0} is there twice")]
    Twice(String),
    #[error("its charset `{0}` is neither utf-8 nor GBK")]
    Charset(String),
    #[error("the field {0} is not in the charset the notice names")]
    Undecodable(String),
}

impl Form {
    pub(crate) fn parse(body: &[u8]) -> Result<Self, FormError> {
        let mut fields: Vec<(String, Vec<u8>)> = Vec::new();
        for pair in body.split(|byte| *byte == b'&').filter(|pair| !pair.is_empty()) {
            let split = pair
                .iter()
                .position(|byte| *byte == b'=')
                .ok_or(FormError::Malformed)?;
            let (name, value) = pair.split_at(split);
            let name = String::from_utf8(decode(name)?).map_err(|_| FormError::Malformed)?;
            if fields.iter().any(|(other, _)| *other == name) {
                return Err(FormError::Twice(name));
            }
            fields.push((name, decode(value.get(1..).unwrap_or_default())?));
        }
        let charset = fields
            .iter()
            .find(|(name, _)| name == "charset")
            .map(|(_, value)| value.to_ascii_lowercase());
        let encoding = match charset.as_deref() {
            None | Some(b"utf-8" | b"utf8" | b"") => UTF_8,
            Some(b"gbk" | b"gb2312" | b"gb18030") => GB18030,
            Some(other) => return Err(FormError::Charset(String::from_utf8_lossy(other).into_owned())),
        };
        Ok(Self { fields, encoding })
    }

    /// The bytes of a field.
    pub(crate) fn bytes(&self, name: &str) -> Option<&[u8]> {
        self.fields
            .iter()
            .find(|(field, _)| field == name)
            .map(|(_, value)| value.as_slice())
    }

    /// The text of a field that has one.
    pub(crate) fn text(&self, name: &str) -> Result<Option<String>, FormError> {
        let Some(bytes) = self.bytes(name).filter(|bytes| !bytes.is_empty()) else {
            return Ok(None);
        };
        let text = self
            .encoding
            .decode_without_bom_handling_and_without_replacement(bytes);
        text.map(|text| Some(text.into_owned()))
            .ok_or_else(|| FormError::Undecodable(name.to_owned()))
    }

    /// What Alipay signed: everything but `sign` and `sign_type`, sorted, values as they are. Dialects
    /// differ about fields without a value.
    pub(crate) fn signed(&self, keep_empty: bool) -> Vec<u8> {
        let mut fields: Vec<_> = self
            .fields
            .iter()
            .filter(|(name, value)| {
                name != "sign" && name != "sign_type" && (keep_empty || !value.is_empty())
            })
            .collect();
        fields.sort();
        let mut message = Vec::new();
        for (name, value) in fields {
            if !message.is_empty() {
                message.push(b'&');
            }
            message.extend_from_slice(name.as_bytes());
            message.push(b'=');
            message.extend_from_slice(value);
        }
        message
    }
}

/// `+` is a blank, `%XX` a byte; anything else stands for itself.
fn decode(text: &[u8]) -> Result<Vec<u8>, FormError> {
    let mut out = Vec::with_capacity(text.len());
    let mut bytes = text.iter();
    while let Some(byte) = bytes.next() {
        out.push(match byte {
            b'+' => b' ',
            b'%' => {
                let (Some(high), Some(low)) = (bytes.next().and_then(hex), bytes.next().and_then(hex)) else {
                    return Err(FormError::Malformed);
                };
                high * 16 + low
            }
            other => *other,
        });
    }
    Ok(out)
}

fn hex(digit: &u8) -> Option<u8> {
    match digit {
        b'0'..=b'9' => Some(digit - b'0'),
        b'a'..=b'f' => Some(digit - b'a' + 10),
        b'A'..=b'F' => Some(digit - b'A' + 10),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn decoded_once_and_signed_as_it_was() {
        let form =
            Form::parse(b"subject=a%2Bb+c%3D&sign=x%2F%3D&sign_type=RSA2&empty=&charset=utf-8").unwrap();
        assert_eq!(form.text("subject").unwrap().unwrap(), "a+b c=");
        assert_eq!(form.text("sign").unwrap().unwrap(), "x/=");
        assert_eq!(form.signed(false), b"charset=utf-8&subject=a+b c=");
        assert_eq!(form.signed(true), b"charset=utf-8&empty=&subject=a+b c=");
    }

    #[test]
    fn gbk_is_signed_as_bytes_and_read_as_text() {
        let form = Form::parse(b"charset=GBK&subject=%B1%A3%BD%E0").unwrap();
        assert_eq!(form.text("subject").unwrap().unwrap(), "保洁");
        assert_eq!(form.signed(false), b"charset=GBK&subject=\xb1\xa3\xbd\xe0");
    }

    #[test]
    fn what_is_ambiguous_is_refused() {
        assert_eq!(Form::parse(b"a=1&a=2"), Err(FormError::Twice("a".into())));
        assert_eq!(Form::parse(b"a=%4"), Err(FormError::Malformed));
        assert_eq!(Form::parse(b"a"), Err(FormError::Malformed));
        assert!(matches!(
            Form::parse(b"charset=latin1"),
            Err(FormError::Charset(_))
        ));
        let form = Form::parse(b"charset=utf-8&subject=%ff").unwrap();
        assert!(matches!(form.text("subject"), Err(FormError::Undecodable(_))));
    }
}
