//! Reads the `Authorization` header.

use super::refusal::Refusal;

const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// What the header says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Authorization {
    pub(super) mchid: String,
    pub(super) nonce_str: String,
    pub(super) timestamp: String,
    pub(super) serial_no: String,
    pub(super) signature: String,
}

impl Authorization {
    /// The pairs may come in any order; each must come once.
    pub(super) fn parse(header: Option<&str>) -> Result<Self, Refusal> {
        let unlawful = || Refusal::sign("Authorization不合法");
        let malformed = || Refusal::invalid("Http头Authorization值格式错误");
        let (scheme, pairs) = header
            .and_then(|header| header.split_once(' '))
            .ok_or_else(unlawful)?;
        if scheme != SCHEME {
            return Err(unlawful());
        }
        let mut found: [Option<String>; 5] = Default::default();
        for pair in pairs.split(',') {
            let (name, value) = pair.trim().split_once('=').ok_or_else(malformed)?;
            let value = value
                .strip_prefix('"')
                .and_then(|value| value.strip_suffix('"'))
                .ok_or_else(malformed)?;
            let place = NAMES
                .iter()
                .position(|known| *known == name)
                .ok_or_else(malformed)?;
            let place = found.get_mut(place).ok_or_else(malformed)?;
            if value.is_empty() || place.replace(value.to_owned()).is_some() {
                return Err(malformed());
            }
        }
        match found {
            [
                Some(mchid),
                Some(nonce_str),
                Some(timestamp),
                Some(serial_no),
                Some(signature),
            ] => Ok(Self {
                mchid,
                nonce_str,
                timestamp,
                serial_no,
                signature,
            }),
            _ => Err(malformed()),
        }
    }
}

const NAMES: [&str; 5] = ["mchid", "nonce_str", "timestamp", "serial_no", "signature"];

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(pairs: &str) -> Result<Authorization, &'static str> {
        Authorization::parse(Some(&format!("{SCHEME} {pairs}"))).map_err(|refusal| refusal.code)
    }

    #[test]
    fn pairs_come_in_any_order_but_once() {
        let good = r#"signature="cw==", mchid="1",timestamp="3",serial_no="A",nonce_str="n""#;
        let read = parse(good).unwrap();
        assert_eq!((read.mchid.as_str(), read.signature.as_str()), ("1", "cw=="));
        assert_eq!(parse(&format!(r#"{good},mchid="1""#)), Err("INVALID_REQUEST"));
        assert_eq!(parse(r#"mchid="1",nonce_str="n""#), Err("INVALID_REQUEST"));
        assert_eq!(parse(&good.replace('"', "")), Err("INVALID_REQUEST"));
        let other = Authorization::parse(Some("Bearer x")).map_err(|refusal| refusal.code);
        assert_eq!(other, Err("SIGN_ERROR"));
    }
}
