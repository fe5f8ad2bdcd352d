//! Receiving: an order system's half.

use std::time::Duration;

use base64::{Engine, engine::general_purpose::STANDARD};
use http::HeaderMap;
use trade_core::{Timestamp, TradeStatusMsg};

use crate::{ID, SIGNATURE, TIMESTAMP, WebhookSecret, secret::VERSION};

/// How far the time of sending may be from the receiver's: what was caught on the way cannot be sent again later.
pub const TOLERANCE: Duration = Duration::from_secs(300);

/// A request that nothing may be believed of. Answer 401, or 400 when its body is none.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Rejected {
    /// A header is missing, is there twice, or says nothing that it could.
    #[error("the header {0} is missing, there twice, or makes no sense: does a proxy on the way remove it?")]
    Header(&'static str),
    /// It was sent too long ago, or in the future.
    #[error(
        "it was sent {secs} s from now, by its clock: more than five minutes off. Compare the clocks of both sides"
    )]
    Stale {
        /// How far away, in seconds.
        secs: u64,
    },
    /// No secret has made any of its signatures.
    #[error(
        "none of its signatures was made with a secret that is known here: compare the secrets of both sides, and \
         hand over the body as it came, byte for byte"
    )]
    Signature,
    /// It is genuine, and its body is no array of messages.
    #[error("its body is no array of messages: {0}")]
    Body(#[from] serde_json::Error),
}

/// Verifies a request by its headers and its body as it came, before it was read as JSON. Any of the secrets may have
/// signed it: during a rotation that is the new one and the one before. Without a secret nothing is believed.
///
/// What it returns may have come before: messages whose `event_id` was seen already are answered 2xx and ignored.
///
/// # Errors
/// [`Rejected`]: it is not from the payment side, is too old, or is not readable.
pub fn verify(
    headers: &HeaderMap,
    body: &[u8],
    secrets: &[WebhookSecret],
    now: Timestamp,
) -> Result<Vec<TradeStatusMsg>, Rejected> {
    let id = header(headers, ID)?;
    let secs = header(headers, TIMESTAMP)?;
    let signatures = header(headers, SIGNATURE)?;
    let sent: i64 = secs.parse().map_err(|_| Rejected::Header(TIMESTAMP))?;
    let off = now.secs().abs_diff(sent);
    if off > TOLERANCE.as_secs() {
        return Err(Rejected::Stale { secs: off });
    }
    let is_genuine = signatures
        .split_ascii_whitespace()
        .filter_map(|signature| STANDARD.decode(signature.strip_prefix(VERSION)?).ok())
        .any(|signature| {
            secrets
                .iter()
                .any(|secret| secret.has_signed(id, secs, body, &signature))
        });
    if !is_genuine {
        return Err(Rejected::Signature);
    }
    Ok(serde_json::from_slice(body)?)
}

/// The one value of a header.
fn header<'a>(headers: &'a HeaderMap, name: &'static str) -> Result<&'a str, Rejected> {
    let mut values = headers.get_all(name).iter();
    match (values.next().map(http::HeaderValue::to_str), values.next()) {
        (Some(Ok(value)), None) if !value.is_empty() => Ok(value),
        _ => Err(Rejected::Header(name)),
    }
}
