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

/// The kind and certainty of a refusal. Sub messages are for people and change: nothing matches on them.
pub(crate) fn classify(code: &str, sub_code: &str) -> (ErrorKind, Certainty) {
    let sub_code = plain(sub_code);
    if code == "20000" || is_fault(&sub_code) {
        return (ErrorKind::ChannelFault, Certainty::Unknown);
    }
    match code {
        "40005" => (ErrorKind::RateLimited, Certainty::NotSent),
        _ if is_gateway(code) || code == "40004" => match sub_code.as_str() {
            code if is_limited(code) => (ErrorKind::RateLimited, Certainty::NotSent),
            _ if code == "40004" => (business_kind(&sub_code), Certainty::Rejected),
            "INVALID_PARAMETER" | "ILLEGAL_JSON" | "SUSPECTED_ATTACK" => {
                (ErrorKind::InvalidRequest, Certainty::Rejected)
            }
            _ => (ErrorKind::Configuration, Certainty::Rejected),
        },
        _ => (ErrorKind::Nonsense, Certainty::Unknown),
    }
}

/// Codes of the gateway itself: it turned the request away before any business began.
fn is_gateway(code: &str) -> bool {
    matches!(code, "20001" | "40001" | "40002" | "40003" | "40006")
}

/// Alipay's own trouble, whatever the code says: it may have acted. The misspelling is Alipay's.
fn is_fault(sub_code: &str) -> bool {
    sub_code.ends_with("SYSTEM_ERROR") || matches!(sub_code, "UNKNOW_ERROR" | "UNKNOWN_ERROR")
}

fn is_limited(sub_code: &str) -> bool {
    sub_code.ends_with("RATE_LIMIT") || sub_code.ends_with("CALL_LIMITED") || sub_code == "FREQUENCY_LIMITED"
}

/// What a business refusal is. Codes that are not named here, and those whose meaning depends on the
/// method (`TRADE_STATUS_ERROR`, `BUYER_NOT_EXIST`), are refusals of no special kind.
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
        | "REASON_TRADE_BEEN_FROZEN"
        | "ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND"
        | "BUYER_ERROR" => ErrorKind::RefundNotAllowed,
        "INVALID_PARAMETER"
        | "INVAILID_ARGUMENTS"
        | "EXIST_FORBIDDEN_WORD"
        | "TOTAL_FEE_EXCEED"
        | "NOW_TIME_AFTER_EXPIRE_TIME_ERROR"
        | "SUB_GOODS_SIZE_MAX_COUNT"
        | "CURRENCY_NOT_SUPPORT" => ErrorKind::InvalidRequest,
        _ if is_contract(sub_code) => ErrorKind::Configuration,
        _ => ErrorKind::Other,
    }
}

/// The merchant's account, contract or risk status: no request will pass until somebody acts.
fn is_contract(sub_code: &str) -> bool {
    sub_code.starts_with("SECONDARY_MERCHANT_")
        || matches!(
            sub_code,
            "ACCESS_FORBIDDEN"
                | "PARTNER_ERROR"
                | "SELLER_BEEN_BLOCKED"
                | "SELLER_NOT_EXIST"
                | "MERCHANT_STATUS_NOT_NORMAL"
                | "MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT"
                | "INVALID_RECEIVE_ACCOUNT"
                | "INVALID_STORE_ID"
                | "APPLY_PC_MERCHANT_CODE_ERROR"
                | "DEFAULT_SETTLE_RULE_NOT_EXIST"
                | "RISK_MERCHANT_IP_NOT_EXIST"
                | "OVERDRAFT_ASSIGN_ACCOUNT_INVALID"
                | "OVERDRAFT_AGREEMENT_NOT_MATCH"
                | "REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST"
                | "REFUNDALLOC_UNAUTH_LIMIT"
        )
}

/// A verified refusal.
pub(crate) fn refused(operation: &'static str, codes: &Codes, request_id: Option<String>) -> ChannelError {
    let (kind, certainty) = classify(codes.code(), codes.sub_code());
    let error = described(operation, certainty, kind, codes, request_id);
    match kind {
        ErrorKind::RateLimited => error.with_retry_after(Duration::from_secs(1)),
        _ => error,
    }
}

/// A refusal that nobody signed. The gateway cannot sign for an app that it does not know or whose key it
/// does not have, so what it turned away at the door comes like this, and was not executed. Anything else
/// said unsigned, above all about a trade, a refund or a balance, is not believed: nobody vouches for it.
pub(crate) fn refused_unsigned(
    operation: &'static str,
    codes: &Codes,
    request_id: Option<String>,
) -> ChannelError {
    let (kind, certainty) = match classify(codes.code(), codes.sub_code()).0 {
        ErrorKind::Configuration if is_gateway(codes.code()) => {
            (ErrorKind::Configuration, Certainty::NotSent)
        }
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
    let (code, message) = if codes.sub_code().is_empty() {
        (codes.code(), codes.msg())
    } else {
        (codes.sub_code(), codes.sub_msg())
    };
    let error = channel_error(operation, certainty, kind)
        .with_code(code, message)
        .with_request_id(request_id);
    // Advice follows from what was said, so only where that is believed.
    match hint(codes.sub_code()) {
        Some(hint) if kind != ErrorKind::Unverifiable => error.with_hint(hint),
        Some(_) | None => error,
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
        "APP_CERT_EXPIRED"
        | "APP_CERT_NOT_EXIST"
        | "ALIPAY_CERT_NOT_EXIST"
        | "INVALID_ALIPAY_ROOT_CERT_SN" => {
            Some("download app_cert, alipay_cert and root_cert again from the open platform")
        }
        "INVALID_ENCRYPT"
        | "MISSING_ENCRYPT_KEY"
        | "DECRYPTION_ERROR_NOT_VALID_ENCRYPT_KEY"
        | "DECRYPTION_ERROR_UNKNOWN" => {
            Some("encrypt_key is not the one of the open platform (接口内容加密方式): copy it again")
        }
        "INVALID_TIMESTAMP" => Some("the clock of this machine is wrong"),
        "INSUFFICIENT_ISV_PERMISSIONS" | "ACCESS_FORBIDDEN" => {
            Some("sign the product (当面付) for this app and put the app online")
        }
        "TRADE_HAS_FINISHED" => Some("the refund window of this payment is over"),
        "TRADE_STATUS_ERROR" | "REASON_TRADE_STATUS_INVALID" | "REASON_ILLEGAL_STATUS" => {
            Some("what became of the trade does not allow this: query it")
        }
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
