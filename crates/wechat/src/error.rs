//! What WeChat Pay's errors mean: one table from code to kind, one rule from status to certainty.

use std::time::Duration;

use reqwest::StatusCode;
use serde_json::Value;
use trade_core::{Certainty, Channel, ChannelError, ErrorKind};

use crate::wire::ErrorBody;

/// An error of this channel.
pub(crate) fn channel_error(operation: &'static str, certainty: Certainty, kind: ErrorKind) -> ChannelError {
    ChannelError::new(Channel::WechatPay, operation, certainty, kind)
}

/// The kind of a code, in either spelling (`ORDERPAID`, `ORDER_PAID`).
pub(crate) fn kind_of(code: &str) -> ErrorKind {
    let plain: String = code
        .chars()
        .filter(|letter| *letter != '_')
        .collect::<String>()
        .to_uppercase();
    match plain.as_str() {
        "PARAMERROR" | "INVALIDREQUEST" => ErrorKind::InvalidRequest,
        "SIGNERROR" | "NOAUTH" | "MCHNOTEXISTS" | "APPIDMCHIDNOTMATCH" | "ACCOUNTERROR" => {
            ErrorKind::Configuration
        }
        "ORDERPAID" => ErrorKind::AlreadyPaid,
        "ORDERCLOSED" => ErrorKind::AlreadyClosed,
        "ORDERNOTEXIST" | "RESOURCENOTEXISTS" | "NOTFOUND" => ErrorKind::NotFound,
        "OUTTRADENOUSED" | "ALREADYEXISTS" => ErrorKind::NumberReused,
        "NOTENOUGH" => ErrorKind::NotEnough,
        "USERACCOUNTABNORMAL" | "REQUESTBLOCKED" => ErrorKind::RefundNotAllowed,
        "FREQUENCYLIMITED" | "FREQUENCYLIMIT" | "RATELIMITEXCEEDED" | "RATELIMITED" => ErrorKind::RateLimited,
        "USERPAYING" => ErrorKind::Busy,
        "SYSTEMERROR" | "BANKERROR" => ErrorKind::ChannelFault,
        _ => ErrorKind::Other,
    }
}

/// How certain a refusal with that status and kind is.
pub(crate) fn certainty_of(status: StatusCode, kind: ErrorKind) -> Certainty {
    match kind {
        ErrorKind::RateLimited => Certainty::NotSent,
        ErrorKind::ChannelFault => Certainty::Unknown,
        _ if status == StatusCode::TOO_MANY_REQUESTS => Certainty::NotSent,
        _ if status.is_client_error() => Certainty::Rejected,
        _ => Certainty::Unknown,
    }
}

/// Whether a body has the form of an error.
pub(crate) fn is_error(body: &str) -> bool {
    serde_json::from_str::<ErrorBody>(body).is_ok()
}

/// The error of a reply that is not a success. `message` is what we signed, to explain a refused signature.
pub(crate) fn of_reply(
    operation: &'static str,
    status: StatusCode,
    body: &str,
    request_id: Option<String>,
    signed: &str,
) -> ChannelError {
    let Ok(parsed) = serde_json::from_str::<ErrorBody>(body) else {
        let (certainty, kind) = match status {
            StatusCode::TOO_MANY_REQUESTS => (Certainty::NotSent, ErrorKind::RateLimited),
            _ if status.is_server_error() => (Certainty::Unknown, ErrorKind::ChannelFault),
            _ => (Certainty::Unknown, ErrorKind::Nonsense),
        };
        return channel_error(operation, certainty, kind)
            .with_code(
                format!("HTTP {}", status.as_u16()),
                "the reply is no JSON of WeChat Pay",
            )
            .with_request_id(request_id);
    };
    let kind = match kind_of(&parsed.code) {
        ErrorKind::Other if status == StatusCode::TOO_MANY_REQUESTS => ErrorKind::RateLimited,
        ErrorKind::Other if status.is_server_error() => ErrorKind::ChannelFault,
        // Close says it while the payer is entering the password.
        ErrorKind::RateLimited if operation == "close" => ErrorKind::Busy,
        kind => kind,
    };
    let certainty = match kind {
        ErrorKind::Busy => Certainty::NotSent,
        kind => certainty_of(status, kind),
    };
    let message = parsed.message_with_detail();
    let mut error = channel_error(operation, certainty, kind)
        .with_code(parsed.code.clone(), message)
        .with_request_id(request_id);
    if kind == ErrorKind::RateLimited {
        error = error.with_retry_after(Duration::from_secs(1));
    }
    match hint(&parsed, signed) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn hint(body: &ErrorBody, signed: &str) -> Option<String> {
    match body.code.as_str() {
        "SIGN_ERROR" => Some(sign_hint(&body.detail, signed)),
        "APPID_MCHID_NOT_MATCH" => {
            Some("bind the appid to the mchid on the merchant platform (产品中心 > AppID账号管理)".into())
        }
        "NO_AUTH" => Some("open the product (Native支付) for this mchid on the merchant platform".into()),
        _ => None,
    }
}

/// WeChat Pay shows the beginning of what it verified: where it differs from ours is the cause.
fn sign_hint(detail: &Value, signed: &str) -> String {
    let theirs = detail
        .pointer("/sign_information/truncated_sign_message")
        .and_then(Value::as_str);
    let general = "the serial is not that of private_key's certificate, the key is of another mchid, \
                   or this machine's clock is more than five minutes off";
    let Some(theirs) = theirs else {
        return general.to_owned();
    };
    let (theirs, ours) = (theirs.lines(), signed.lines());
    let names = ["method", "path and query", "timestamp", "nonce", "body"];
    for ((name, theirs), ours) in names.into_iter().zip(theirs).zip(ours) {
        if !ours.starts_with(theirs.trim_end_matches("...")) {
            return format!(
                "WeChat Pay verified another {name} than was signed: a proxy in between changes requests"
            );
        }
    }
    format!("what was signed is what WeChat Pay verified, so the key is wrong: {general}")
}

/// A reply that is not believed.
pub(crate) fn unverifiable(
    operation: &'static str,
    why: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    request_id: Option<String>,
) -> ChannelError {
    channel_error(operation, Certainty::Unknown, ErrorKind::Unverifiable)
        .with_request_id(request_id)
        .with_source(why)
}

/// A believed reply that makes no sense.
pub(crate) fn nonsense(
    operation: &'static str,
    why: impl Into<String>,
    request_id: Option<String>,
) -> ChannelError {
    channel_error(operation, Certainty::Unknown, ErrorKind::Nonsense)
        .with_code("NONSENSE", why)
        .with_request_id(request_id)
}

/// A value that breaks a rule of the channel; nothing was sent.
pub(crate) fn invalid(operation: &'static str, field: &str, rule: &str) -> ChannelError {
    channel_error(operation, Certainty::Rejected, ErrorKind::InvalidRequest)
        .with_code("INVALID", format!("{field} {rule}"))
}
