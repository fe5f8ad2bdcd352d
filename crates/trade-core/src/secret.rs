//! Text that must never be printed.

use std::fmt;

use serde::{Deserialize, Deserializer};
use zeroize::Zeroizing;

/// Secret text: a private key, an API key. It cannot be displayed or serialized, `Debug` is redacted,
/// and its memory is wiped on drop. The only way to the text is [`Secret::expose`].
///
/// ```compile_fail
/// let secret = trade_core::Secret::new("key");
/// println!("{secret}");
/// ```
/// ```compile_fail
/// let secret = trade_core::Secret::new("key");
/// serde_json::to_string(&secret).unwrap();
/// ```
#[derive(Clone)]
pub struct Secret(Zeroizing<String>);

impl Secret {
    /// Takes the text in.
    pub fn new(text: impl Into<String>) -> Self {
        Self(Zeroizing::new(text.into()))
    }

    /// The text itself. Hand it to what needs it and nowhere else: never to a log, an error or an answer.
    #[must_use]
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// Whether there is no text at all, or only blanks.
    #[must_use]
    pub fn is_blank(&self) -> bool {
        self.0.trim().is_empty()
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(redacted)")
    }
}

impl<'de> Deserialize<'de> for Secret {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer).map(Self::new)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_shows_nothing() {
        assert_eq!(format!("{:?}", Secret::new("hunter2")), "Secret(redacted)");
        assert_eq!(Secret::new("hunter2").expose(), "hunter2");
        assert!(Secret::new(" \n").is_blank());
    }
}
