//! Error codes as labels. A channel's code is text from outside, in the worst case from a liar, so only what
//! looks like a code is one, and only so many are told apart.

use std::{
    collections::HashSet,
    sync::{Mutex, PoisonError},
};

use trade_core::Channel;

/// What stands for every code that is not told apart.
pub(super) const OTHER: &str = "other";
/// So many codes of a channel are told apart, in the order they come up. The channels document fewer.
const MOST: usize = 100;
/// The channels' longest codes have about forty.
const LONGEST: usize = 64;

/// The codes that came up.
#[derive(Debug, Default)]
pub(super) struct Codes(Mutex<HashSet<(Channel, String)>>);

impl Codes {
    /// The code as a label.
    pub(super) fn label(&self, channel: Channel, code: &str) -> String {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'.' | b'-' | b' ');
        if code.is_empty() || code.len() > LONGEST || !code.bytes().all(plain) {
            return OTHER.to_owned();
        }
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let key = (channel, code.to_owned());
        if known.contains(&key) {
            return key.1;
        }
        if known.iter().filter(|(of, _)| *of == channel).count() >= MOST {
            return OTHER.to_owned();
        }
        known.insert(key.clone());
        key.1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_liar_cannot_fill_the_memory() {
        let codes = Codes::default();
        let label = |code: &str| codes.label(Channel::WechatPay, code);
        assert_eq!(label("NOT_ENOUGH"), "NOT_ENOUGH");
        assert_eq!(label("ACQ.TRADE_NOT_EXIST"), "ACQ.TRADE_NOT_EXIST");
        assert_eq!(label("HTTP 502"), "HTTP 502");
        for odd in ["", "系统繁忙", "a\nb", "\"} 1", &"A".repeat(65)] {
            assert_eq!(label(odd), OTHER, "{odd:?}");
        }
        for number in 0..10_000 {
            label(&format!("CODE_{number}"));
        }
        assert_eq!(label("CODE_9999"), OTHER);
        assert_eq!(label("NOT_ENOUGH"), "NOT_ENOUGH", "what was known stays known");
        assert_eq!(codes.0.lock().unwrap().len(), MOST);
        assert_eq!(
            codes.label(Channel::AliPay, "NEW"),
            "NEW",
            "each channel has its own"
        );
    }
}
