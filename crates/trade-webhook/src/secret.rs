//! What both sides know, and the signatures made with it.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, Mac};
use sha2::Sha256;
use zeroize::Zeroizing;

const PREFIX: &str = "whsec_";
/// The length of a key in bytes: shorter ones could be guessed.
const LENGTH: std::ops::RangeInclusive<usize> = 24..=64;
/// How a signature of this kind begins.
pub(crate) const VERSION: &str = "v1,";

/// The secret of a webhook: `whsec_` and the base64 of 24 to 64 random bytes. It cannot be displayed.
#[derive(Clone)]
pub struct WebhookSecret(Hmac<Sha256>);

/// Text that is no secret of a webhook. It does not say what the text is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("{0}; `echo whsec_$(openssl rand -base64 32)` makes a good one")]
pub struct InvalidSecret(&'static str);

impl WebhookSecret {
    /// Reads a secret.
    ///
    /// # Errors
    /// It does not begin with `whsec_`, is no base64 after that, or is shorter than 24 or longer than 64 bytes.
    pub fn new(text: &str) -> Result<Self, InvalidSecret> {
        let key = text
            .trim()
            .strip_prefix(PREFIX)
            .ok_or(InvalidSecret("must begin with whsec_"))?;
        let key = STANDARD.decode(key).map(Zeroizing::new);
        let key = key.map_err(|_| InvalidSecret("is no base64 after whsec_"))?;
        let code = Hmac::new_from_slice(&key)
            .ok()
            .filter(|_| LENGTH.contains(&key.len()));
        code.map(Self)
            .ok_or(InvalidSecret("must be 24 to 64 bytes in base64 after whsec_"))
    }

    /// The signature of a request, with its version.
    pub(crate) fn sign(&self, id: &str, secs: &str, body: &[u8]) -> String {
        let code = self.code(id, secs, body).finalize().into_bytes();
        format!("{VERSION}{}", STANDARD.encode(code))
    }

    /// Whether that is the signature of a request, in a time that says nothing about where it differs.
    pub(crate) fn has_signed(&self, id: &str, secs: &str, body: &[u8], signature: &[u8]) -> bool {
        self.code(id, secs, body).verify_slice(signature).is_ok()
    }

    fn code(&self, id: &str, secs: &str, body: &[u8]) -> Hmac<Sha256> {
        let mut code = self.0.clone();
        for part in [id.as_bytes(), b".", secs.as_bytes(), b".", body] {
            code.update(part);
        }
        code
    }
}

impl fmt::Debug for WebhookSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("WebhookSecret(redacted)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_long_enough_random_bytes_are_a_secret() {
        let of = |bytes: usize| format!("whsec_{}", STANDARD.encode(vec![7; bytes]));
        for good in [of(24), of(64), format!(" {}\n", of(32))] {
            assert!(WebhookSecret::new(&good).is_ok(), "{good}");
        }
        for (bad, why) in [
            (String::new(), "begin with"),
            (STANDARD.encode([7; 32]), "begin with"),
            ("whsec_".to_owned(), "24 to 64"),
            ("whsec_s3cretAA".to_owned(), "base64"),
            ("whsec_s3cret".to_owned(), "base64"),
            (of(23), "24 to 64"),
            (of(65), "24 to 64"),
        ] {
            let error = WebhookSecret::new(&bad).unwrap_err().to_string();
            assert!(error.contains(why), "{bad}: {error}");
            assert!(!error.contains("s3cret"), "{error}");
        }
        let secret = WebhookSecret::new(&of(24)).unwrap();
        assert_eq!(format!("{secret:?}"), "WebhookSecret(redacted)");
    }
}
