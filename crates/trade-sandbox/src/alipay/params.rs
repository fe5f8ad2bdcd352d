//! The parameters of a call, from the query and the form body together, and the text that is signed of them.

use std::collections::BTreeMap;

/// The parameters that were sent, by name. Blank values count as absent, as at Alipay.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Params {
    by_name: BTreeMap<String, String>,
}

impl Params {
    /// Merges query and body. Which part a parameter travels in does not matter, but it travels once.
    ///
    /// # Errors
    ///
    /// What is wrong with the encoding, or the name that came twice; for the merchant's eyes.
    pub(super) fn read(query: Option<&str>, content_type: Option<&str>, body: &[u8]) -> Result<Self, String> {
        let mut params = Self::default();
        params.add(query.unwrap_or_default().as_bytes())?;
        if !body.is_empty() {
            let form = "application/x-www-form-urlencoded";
            let media = content_type
                .and_then(|text| text.split(';').next())
                .unwrap_or_default();
            if !media.trim().eq_ignore_ascii_case(form) {
                return Err(format!("请求体的Content-Type应为{form}，实际为'{media}'"));
            }
            params.add(body)?;
        }
        Ok(params)
    }

    /// The value of a parameter that was sent and is not blank.
    pub(super) fn get(&self, name: &str) -> Option<&str> {
        self.by_name
            .get(name)
            .map(String::as_str)
            .filter(|value| !value.trim().is_empty())
    }

    /// What the client must have signed: everything but `sign`.
    pub(super) fn signed_text(&self) -> String {
        let pairs = self
            .by_name
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()));
        signed_text(pairs.filter(|(name, _)| *name != "sign"))
    }

    fn add(&mut self, encoded: &[u8]) -> Result<(), String> {
        for pair in encoded
            .split(|byte| *byte == b'&')
            .filter(|pair| !pair.is_empty())
        {
            let mut halves = pair.splitn(2, |byte| *byte == b'=');
            let name = decode(halves.next().unwrap_or_default())?;
            let value = decode(halves.next().unwrap_or_default())?;
            if self.by_name.insert(name.clone(), value).is_some() {
                return Err(format!("参数{name}重复出现"));
            }
        }
        Ok(())
    }
}

/// `name=value` joined with `&` in the order of the names, raw, without blank values.
pub(super) fn signed_text<'pair>(pairs: impl Iterator<Item = (&'pair str, &'pair str)>) -> String {
    let mut kept: Vec<_> = pairs.filter(|(_, value)| !value.trim().is_empty()).collect();
    kept.sort_unstable();
    let joined: Vec<String> = kept
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    joined.join("&")
}

/// One form value, decoded once. Stricter than browsers: a broken escape is refused, not guessed at.
fn decode(encoded: &[u8]) -> Result<String, String> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut bytes = encoded.iter().copied();
    while let Some(byte) = bytes.next() {
        decoded.push(match byte {
            b'+' => b' ',
            b'%' => hex_byte(bytes.next(), bytes.next()).ok_or("参数的百分号编码有误")?,
            plain => plain,
        });
    }
    String::from_utf8(decoded).map_err(|_error| "参数不是UTF-8编码".to_owned())
}

fn hex_byte(high: Option<u8>, low: Option<u8>) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    let value = digit(high?)?.checked_mul(16)?.checked_add(digit(low?)?)?;
    u8::try_from(value).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const FORM: Option<&str> = Some("application/x-www-form-urlencoded;charset=utf-8");

    #[test]
    fn query_and_body_are_signed_together_in_the_order_of_the_names() {
        let body = b"biz_content=%7B%22subject%22%3A%22a+b%2B%E4%B8%AD%22%7D&notify_url=&blank=+";
        let params = Params::read(Some("b=2&a=1&A=x%3Dy&sign=abc&sign_type=RSA2"), FORM, body).unwrap();
        let expected = "A=x=y&a=1&b=2&biz_content={\"subject\":\"a b+中\"}&sign_type=RSA2";
        assert_eq!(params.signed_text(), expected);
        assert_eq!(params.get("sign"), Some("abc"));
        assert_eq!(params.get("notify_url"), None);
        assert_eq!(params.get("blank"), None);
    }

    #[test]
    fn what_two_readers_could_read_differently_is_refused() {
        assert!(Params::read(Some("a=1"), FORM, b"a=1").is_err());
        assert!(Params::read(Some("a=%2"), None, b"").is_err());
        assert!(Params::read(Some("a=%zz"), None, b"").is_err());
        assert!(Params::read(Some("a=%d6%d0"), None, b"").is_err());
        assert!(Params::read(None, Some("application/json"), b"{}").is_err());
    }
}
