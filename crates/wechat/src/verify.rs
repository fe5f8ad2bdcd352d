//! Checking that a reply or a notice is WeChat Pay's own, over its raw bytes.

use trade_core::{Timestamp, handler::Headers};
use trade_crypto::PublicKey;

/// How far a signature's time may be from ours.
const WINDOW_SECS: u64 = 300;
/// How WeChat Pay begins the wrong signatures it sends on purpose to see whether they are checked.
const PROBE: &str = "WECHATPAY/SIGNTEST/";

/// The four headers of a signed message.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Signed<'a> {
    pub(crate) serial: &'a str,
    /// The header's own text: it is what was signed, and `+1` or `01` are not `1`.
    timestamp: &'a str,
    secs: i64,
    nonce: &'a str,
    signature: &'a str,
}

/// Why a message is not believed.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Unverified {
    #[error(
        "the header {0} is missing, empty or there twice: a proxy in between may drop Wechatpay-* headers"
    )]
    Header(&'static str),
    #[error("it was signed {0} seconds away from our clock: set this machine's clock right")]
    Stale(u64),
    #[error(
        "the signature does not fit the message: it is not WeChat Pay's, or something on its way (a proxy, a \
         web framework that writes JSON anew) changed the body, whose raw bytes are signed"
    )]
    Signature,
    #[error("the signature is a probe of WeChat Pay, wrong on purpose; the next message is signed rightly")]
    Probe,
}

impl<'a> Signed<'a> {
    /// Reads the headers; each must be there exactly once.
    pub(crate) fn read(headers: &'a Headers) -> Result<Self, Unverified> {
        let text = |name: &'static str| {
            headers
                .get(name)
                .filter(|value| !value.is_empty())
                .ok_or(Unverified::Header(name))
        };
        let timestamp = text("Wechatpay-Timestamp")?;
        Ok(Self {
            serial: text("Wechatpay-Serial")?,
            timestamp,
            secs: timestamp
                .parse()
                .map_err(|_| Unverified::Header("Wechatpay-Timestamp"))?,
            nonce: text("Wechatpay-Nonce")?,
            signature: text("Wechatpay-Signature")?,
        })
    }

    /// Checks the age, before any key is looked for.
    pub(crate) fn check_age(&self, now: Timestamp) -> Result<(), Unverified> {
        let away = now.secs().abs_diff(self.secs);
        if away > WINDOW_SECS {
            Err(Unverified::Stale(away))
        } else {
            Ok(())
        }
    }

    /// Checks the signature over the raw body.
    pub(crate) fn check(&self, key: &PublicKey, body: &[u8]) -> Result<(), Unverified> {
        if self.signature.starts_with(PROBE) {
            tracing::info!(
                probe = true,
                "a signature probe of WeChat Pay was refused, as it should be"
            );
            return Err(Unverified::Probe);
        }
        let mut message = format!("{}\n{}\n", self.timestamp, self.nonce).into_bytes();
        message.extend_from_slice(body);
        message.push(b'\n');
        key.verify_sha256(&message, self.signature)
            .map_err(|_| Unverified::Signature)
    }
}
