//! What WeChat Pay's errors mean: one table from code to kind and certainty.

use std::time::Duration;

use reqwest::StatusCode;
use trade_core::{Certainty, Channel, ChannelError, ErrorKind};

use crate::{explain, wire::ErrorBody};

/// An error of this channel.
pub(crate) fn channel_error(operation: &'static str, certainty: Certainty, kind: ErrorKind) -> ChannelError {
    ChannelError::new(Channel::WechatPay, operation, certainty, kind)
}

/// A code in its one spelling: WeChat Pay writes `ORDERPAID` here and `ORDER_PAID` there.
pub(crate) fn plain_code(code: &str) -> String {
    code.chars()
        .filter(|letter| *letter != '_')
        .collect::<String>()
        .to_uppercase()
}

/// Whether WeChat Pay said this code (in its one spelling), and believably so.
pub(crate) fn says(error: &ChannelError, code: &str) -> bool {
    let believed = error.certainty() == Certainty::Rejected;
    believed && error.code().is_some_and(|said| plain_code(said) == code)
}

/// The table: what a code means, by its one spelling. `None`: the status has to tell.
fn known(code: &str) -> Option<(ErrorKind, Certainty)> {
    use Certainty::{NotSent, Rejected, Unknown};
    let meaning = match code {
        "PARAMERROR" | "INVALIDREQUEST" => (ErrorKind::InvalidRequest, Rejected),
        "SIGNERROR" | "NOAUTH" | "MCHNOTEXISTS" | "APPIDMCHIDNOTMATCH" | "ACCOUNTERROR" => {
            (ErrorKind::Configuration, Rejected)
        }
        "ORDERPAID" => (ErrorKind::AlreadyPaid, Rejected),
        "ORDERCLOSED" => (ErrorKind::AlreadyClosed, Rejected),
        "ORDERNOTEXIST" | "RESOURCENOTEXISTS" | "NOTFOUND" => (ErrorKind::NotFound, Rejected),
        "OUTTRADENOUSED" | "ALREADYEXISTS" => (ErrorKind::NumberReused, Rejected),
        "NOTENOUGH" => (ErrorKind::NotEnough, Rejected),
        "USERACCOUNTABNORMAL" | "REQUESTBLOCKED" => (ErrorKind::RefundNotAllowed, Rejected),
        "FREQUENCYLIMITED" | "FREQUENCYLIMIT" | "RATELIMITEXCEEDED" | "RATELIMITED" => {
            (ErrorKind::RateLimited, NotSent)
        }
        "USERPAYING" => (ErrorKind::Busy, NotSent),
        "SYSTEMERROR" | "BANKERROR" => (ErrorKind::ChannelFault, Unknown),
        _ => return None,
    };
    Some(meaning)
}

/// What a refusal means. No status but 4xx can make a refusal final, and 429 never does.
fn meaning(operation: &str, status: StatusCode, code: &str) -> (ErrorKind, Certainty) {
    let busy = status == StatusCode::TOO_MANY_REQUESTS;
    match known(&plain_code(code)) {
        // Close says it while the payer is entering the password.
        Some((ErrorKind::RateLimited, certainty)) if operation == "close" => (ErrorKind::Busy, certainty),
        Some((kind, Certainty::Rejected)) if busy => (kind, Certainty::NotSent),
        Some((kind, Certainty::Rejected)) if !status.is_client_error() => (kind, Certainty::Unknown),
        Some(meaning) => meaning,
        None if busy => (ErrorKind::RateLimited, Certainty::NotSent),
        None if status.is_server_error() => (ErrorKind::ChannelFault, Certainty::Unknown),
        None if status.is_client_error() => (ErrorKind::Other, Certainty::Rejected),
        None => (ErrorKind::Other, Certainty::Unknown),
    }
}

/// Whether a body has the form of an error.
pub(crate) fn is_error(body: &str) -> bool {
    serde_json::from_str::<ErrorBody>(body).is_ok()
}

/// The error of a reply that is not a success. `signed` is what we signed, to explain a refused signature.
pub(crate) fn of_reply(
    operation: &'static str,
    status: StatusCode,
    body: &str,
    request_id: Option<String>,
    signed: &str,
) -> ChannelError {
    let Ok(parsed) = serde_json::from_str::<ErrorBody>(body) else {
        return without_code(operation, status).with_request_id(request_id);
    };
    let (kind, certainty) = meaning(operation, status, &parsed.code);
    let mut error = channel_error(operation, certainty, kind)
        .with_code(parsed.code.clone(), parsed.message_with_detail())
        .with_request_id(request_id);
    if kind == ErrorKind::RateLimited {
        error = error.with_retry_after(Duration::from_secs(1));
    }
    match hint(&parsed, signed) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

/// Gateways in between answer with pages of their own.
fn without_code(operation: &'static str, status: StatusCode) -> ChannelError {
    let (certainty, kind) = match status {
        StatusCode::TOO_MANY_REQUESTS => (Certainty::NotSent, ErrorKind::RateLimited),
        _ if status.is_server_error() => (Certainty::Unknown, ErrorKind::ChannelFault),
        _ => (Certainty::Unknown, ErrorKind::Nonsense),
    };
    channel_error(operation, certainty, kind).with_code(
        format!("HTTP {}", status.as_u16()),
        "the reply is no JSON of WeChat Pay",
    )
}

fn hint(body: &ErrorBody, signed: &str) -> Option<String> {
    match plain_code(&body.code).as_str() {
        "SIGNERROR" => Some(explain::refused_signature(&body.detail, signed)),
        "APPIDMCHIDNOTMATCH" => {
            Some("bind the appid to the mchid on the merchant platform (产品中心 > AppID账号管理)".into())
        }
        "NOAUTH" => Some("open the product (Native支付) for this mchid on the merchant platform".into()),
        "MCHNOTEXISTS" => {
            Some("the mchid is not one of WeChat Pay: copy it from the merchant platform".into())
        }
        _ => None,
    }
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
