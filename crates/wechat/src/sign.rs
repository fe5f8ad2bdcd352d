//! The `Authorization` of a request.

use trade_core::Timestamp;
use trade_crypto::CryptoError;

use crate::config::Identity;

/// The one scheme this adapter speaks.
const SCHEME: &str = "WECHATPAY2-SHA256-RSA2048";

/// What is signed of a request: five items, each ended by a line feed, the body exactly as sent.
pub(crate) fn message(method: &str, target: &str, timestamp: i64, nonce: &str, body: &str) -> String {
    format!("{method}\n{target}\n{timestamp}\n{nonce}\n{body}\n")
}

/// The header's value for a request; `target` is the path with its query, exactly as sent.
pub(crate) fn authorization(
    identity: &Identity,
    method: &str,
    target: &str,
    now: Timestamp,
    nonce: &str,
    body: &str,
) -> Result<String, CryptoError> {
    let timestamp = now.secs();
    let signature = identity
        .private_key
        .sign_sha256(message(method, target, timestamp, nonce, body).as_bytes())?;
    let (mchid, serial_no) = (&identity.mchid, &identity.serial_no);
    Ok(format!(
        r#"{SCHEME} mchid="{mchid}",nonce_str="{nonce}",timestamp="{timestamp}",serial_no="{serial_no}",signature="{signature}""#
    ))
}
