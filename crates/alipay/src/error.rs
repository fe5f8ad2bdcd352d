//! What Alipay's codes mean: one table from code and sub code to kind and certainty.

use std::time::Duration;

use trade_core::{Certainty, Channel, ChannelError, ErrorKind};

use crate::wire::Codes;

/// An error of this channel.
pub(crate) fn channel_error(operation: &'static str, certainty: Certainty, kind: ErrorKind) -> ChannelError {
    ChannelError::new(Channel::AliPay, operation, certainty, kind)
}

/// A sub code without the prefixes that come and go (`ACQ.`, `AQC.`, `aop.ACQ.`, `isv.`).
pub(crate) fn plain(sub_code: &str) -> String {
    let mut rest = sub_code;
    while let Some((prefix, tail)) = rest.split_once('.') {
        if !["aop", "acq", "aqc", "isv", "isp"]
            .iter()
            .any(|known| prefix.eq_ignore_ascii_case(known))
        {
            break;
        }
        rest = tail;
    }
    rest.to_uppercase().replace('-', "_")
}

/// The kind and certainty of a refusal.
pub(crate) fn classify(code: &str, sub_code: &str) -> (ErrorKind, Certainty) {
    let sub_code = plain(sub_code);
    if sub_code.ends_with("SYSTEM_ERROR") || sub_code == "UNKNOW_ERROR" {
        return (ErrorKind::ChannelFault, Certainty::Unknown);
    }
    if sub_code.ends_with("RATE_LIMIT")
        || sub_code == "FREQUENCY_LIMITED"
        || sub_code.ends_with("CALL_LIMITED")
    {
        return (ErrorKind::RateLimited, Certainty::NotSent);
    }
    match code {
        "20000" => (ErrorKind::ChannelFault, Certainty::Unknown),
        "40005" => (ErrorKind::RateLimited, Certainty::NotSent),
        "40002"
            if matches!(
                sub_code.as_str(),
                "INVALID_PARAMETER" | "ILLEGAL_JSON" | "SUSPECTED_ATTACK"
            ) =>
        {
            (ErrorKind::InvalidRequest, Certainty::Rejected)
        }
        "20001" | "40001" | "40002" | "40003" | "40006" => (ErrorKind::Configuration, Certainty::Rejected),
        "40004" => (business_kind(&sub_code), Certainty::Rejected),
        _ => (ErrorKind::Nonsense, Certainty::Unknown),
    }
}

fn business_kind(sub_code: &str) -> ErrorKind {
    match sub_code {
        "TRADE_NOT_EXIST" => ErrorKind::NotFound,
        "TRADE_HAS_SUCCESS" => ErrorKind::AlreadyPaid,
        "TRADE_HAS_CLOSE" => ErrorKind::AlreadyClosed,
        "CONTEXT_INCONSISTENT" | "DISCORDANT_REPEAT_REQUEST" => ErrorKind::NumberReused,
        "SELLER_BALANCE_NOT_ENOUGH" => ErrorKind::NotEnough,
        "TRADE_HAS_FINISHED"
        | "REASON_TRADE_REFUND_FEE_ERR"
        | "REFUND_FEE_ERROR"
        | "REFUND_AMT_NOT_EQUAL_TOTAL"
        | "TRADE_NOT_ALLOW_REFUND"
        | "NOT_ALLOW_PARTIAL_REFUND"
        | "REASON_TRADE_BEEN_FREEZEN"
        | "ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND"
        | "BUYER_NOT_EXIST"
        | "BUYER_ERROR"
        | "BUYER_ENABLE_STATUS_FORBID" => ErrorKind::RefundNotAllowed,
        "INVALID_PARAMETER"
        | "EXIST_FORBIDDEN_WORD"
        | "TOTAL_FEE_EXCEED"
        | "NOW_TIME_AFTER_EXPIRE_TIME_ERROR"
        | "CURRENCY_NOT_SUPPORT" => ErrorKind::InvalidRequest,
        "ACCESS_FORBIDDEN"
        | "PARTNER_ERROR"
        | "SELLER_BEEN_BLOCKED"
        | "SELLER_NOT_EXIST"
        | "MERCHANT_STATUS_NOT_NORMAL"
        | "INVALID_RECEIVE_ACCOUNT"
        | "INVALID_STORE_ID" => ErrorKind::Configuration,
        _ => ErrorKind::Other,
    }
}

/// A verified refusal.
pub(crate) fn refused(operation: &'static str, codes: &Codes, request_id: Option<String>) -> ChannelError {
    let (kind, certainty) = classify(&codes.code, &codes.sub_code);
    let mut error = described(operation, certainty, kind, codes, request_id);
    if kind == ErrorKind::RateLimited {
        error = error.with_retry_after(Duration::from_secs(1));
    }
    error
}

/// A refusal that nobody signed. The gateway does not sign what it turned away at the door (an unknown
/// app, a wrong signature), so such a request was not executed; anything else it may say unsigned,
/// above all about the trade, is not believed.
pub(crate) fn refused_unsigned(
    operation: &'static str,
    codes: &Codes,
    request_id: Option<String>,
) -> ChannelError {
    let (kind, certainty) = match classify(&codes.code, &codes.sub_code) {
        (ErrorKind::Configuration, _) => (ErrorKind::Configuration, Certainty::NotSent),
        _ => (ErrorKind::Unverifiable, Certainty::Unknown),
    };
    described(operation, certainty, kind, codes, request_id)
}

fn described(
    operation: &'static str,
    certainty: Certainty,
    kind: ErrorKind,
    codes: &Codes,
    request_id: Option<String>,
) -> ChannelError {
    let (code, message) = if codes.sub_code.is_empty() {
        (codes.code.clone(), codes.msg.clone())
    } else {
        (codes.sub_code.clone(), codes.sub_msg.clone())
    };
    let error = channel_error(operation, certainty, kind)
        .with_code(code, message)
        .with_request_id(request_id);
    match hint(&codes.sub_code) {
        Some(hint) => error.with_hint(hint),
        None => error,
    }
}

fn hint(sub_code: &str) -> Option<&'static str> {
    match plain(sub_code).as_str() {
        "INVALID_SIGNATURE" => Some(
            "the app's public key on the open platform is not the one of private_key, or the app and the \
             gateway (real or sandbox) do not belong together; the message ends with what Alipay verified",
        ),
        "MISSING_SIGNATURE_CONFIG" => Some("upload the app's public key on the open platform (接口加签方式)"),
        "INVALID_APP_ID" => Some("the app is unknown to this gateway: real and sandbox apps do not mix"),
        "MISSING_APP_CERT_SN" | "MISSING_ALIPAY_ROOT_CERT_SN" => {
            Some("the app uses certificates: configure app_cert, alipay_cert and root_cert")
        }
        "INSUFFICIENT_ISV_PERMISSIONS" => {
            Some("sign the product (当面付) for this app and put the app online")
        }
        "TRADE_HAS_FINISHED" => Some("the refund window of this payment is over"),
        _ => None,
    }
}

/// A reply that is not believed.
pub(crate) fn unverifiable(operation: &'static str, why: &str, request_id: Option<String>) -> ChannelError {
    channel_error(operation, Certainty::Unknown, ErrorKind::Unverifiable)
        .with_code("UNVERIFIABLE", why)
        .with_request_id(request_id)
}

/// A reply that makes no sense.
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
