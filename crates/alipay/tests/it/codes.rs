//! Every code our methods can meet: its kind and certainty.

use std::collections::BTreeSet;

use trade_core::{
    Certainty::{self, NotSent, Rejected, Unknown},
    ErrorKind as Kind,
};

use crate::support::{Call, Script, alipay, is, signed};

type Row = (&'static str, Certainty, Kind, &'static [&'static str]);

/// Codes of the gateway, which any method can meet.
const GATEWAY: &[Row] = &[
    (
        "20000",
        Unknown,
        Kind::ChannelFault,
        &["isp.unknow-error", "aop.unknow-error", "aop.ACQ.SYSTEM_ERROR", ""],
    ),
    (
        "20001",
        Rejected,
        Kind::Configuration,
        &[
            "aop.invalid-auth-token",
            "aop.auth-token-time-out",
            "aop.invalid-app-auth-token",
            "aop.invalid-app-auth-token-no-api",
            "aop.app-auth-token-time-out",
            "aop.no-product-reg-by-partner",
        ],
    ),
    (
        "40001",
        Rejected,
        Kind::Configuration,
        &[
            "isv.missing-method",
            "isv.missing-signature",
            "isv.missing-signature-type",
            "isv.missing-signature-key",
            "isv.missing-app-id",
            "isv.missing-timestamp",
            "isv.missing-version",
            "isv.decryption-error-missing-encrypt-type",
            "isv.missing-app-cert-sn",
            "isv.missing-alipay-root-cert-sn",
            "isv.missing-encrypt-key",
        ],
    ),
    (
        "40002",
        Rejected,
        Kind::InvalidRequest,
        &[
            "isv.invalid-parameter",
            "isv.illegal-json",
            "isv.suspected-attack",
        ],
    ),
    (
        "40002",
        Rejected,
        Kind::Configuration,
        &[
            "isv.upload-fail",
            "isv.invalid-file-extension",
            "isv.invalid-file-size",
            "isv.invalid-method",
            "isv.invalid-format",
            "isv.invalid-signature-type",
            "isv.invalid-signature",
            "isv.invalid-token",
            "isv.invalid-encrypt-type",
            "isv.invalid-encrypt",
            "isv.invalid-app-id",
            "isv.invalid-timestamp",
            "isv.invalid-charset",
            "isv.invalid-digest",
            "isv.decryption-error-not-valid-encrypt-type",
            "isv.decryption-error-not-valid-encrypt-key",
            "isv.decryption-error-unknown",
            "isv.not-support-app-auth",
            "isv.forbidden-api",
            "isv.code-invalid",
            "isv.app-cert-expired",
            "app-cert-expired",
            "isv.app-cert-not-exist",
            "isv.alipay-cert-not-exist",
            "isv.invalid-alipay-root-cert-sn",
            "not-online-app",
        ],
    ),
    (
        "40003",
        Rejected,
        Kind::Configuration,
        &[
            "isv.missing-signature-config",
            "invalid-auth-relations",
            "isv.invalid-app-state",
            "isv.decryption-error-unknown",
        ],
    ),
    (
        "40005",
        NotSent,
        Kind::RateLimited,
        &["isv.app-call-limited", "isv.method-call-limited", ""],
    ),
    (
        "40006",
        Rejected,
        Kind::Configuration,
        &[
            "isv.insufficient-isv-permissions",
            "isv.insufficient-user-permissions",
            "isv.self-invoke-forbidden",
        ],
    ),
    ("", Unknown, Kind::Nonsense, &["", "ACQ.TRADE_NOT_EXIST"]),
    ("10003", Unknown, Kind::Nonsense, &[""]),
    ("99999", Unknown, Kind::Nonsense, &["", "ACQ.TRADE_HAS_CLOSE"]),
];

/// Refusals that several methods share.
const SHARED: &[Row] = &[
    ("40004", Unknown, Kind::ChannelFault, &["SYSTEM_ERROR"]),
    (
        "40004",
        NotSent,
        Kind::RateLimited,
        &["SYSTEM_RATE_LIMIT", "USER_RATE_LIMIT", "FREQUENCY_LIMITED"],
    ),
    (
        "40004",
        Rejected,
        Kind::InvalidRequest,
        &["INVALID_PARAMETER", "INVAILID_ARGUMENTS"],
    ),
    ("40004", Rejected, Kind::Other, &["A_CODE_OF_NEXT_YEAR", ""]),
];

const PLACE: &[Row] = &[
    ("40004", Rejected, Kind::AlreadyPaid, &["TRADE_HAS_SUCCESS"]),
    ("40004", Rejected, Kind::AlreadyClosed, &["TRADE_HAS_CLOSE"]),
    ("40004", Rejected, Kind::NumberReused, &["CONTEXT_INCONSISTENT"]),
    (
        "40004",
        Rejected,
        Kind::InvalidRequest,
        &[
            "EXIST_FORBIDDEN_WORD",
            "TOTAL_FEE_EXCEED",
            "NOW_TIME_AFTER_EXPIRE_TIME_ERROR",
            "SUB_GOODS_SIZE_MAX_COUNT",
        ],
    ),
    (
        "40004",
        Rejected,
        Kind::Configuration,
        &[
            "ACCESS_FORBIDDEN",
            "PARTNER_ERROR",
            "MERCHANT_PERM_RECEIPT_SUSPEND_LIMIT",
            "SELLER_BEEN_BLOCKED",
            "SELLER_NOT_EXIST",
            "INVALID_STORE_ID",
            "APPLY_PC_MERCHANT_CODE_ERROR",
            "SECONDARY_MERCHANT_STATUS_ERROR",
            "SECONDARY_MERCHANT_ID_INVALID",
            "SECONDARY_MERCHANT_ID_BLANK",
            "SECONDARY_MERCHANT_NOT_MATCH",
            "SECONDARY_MERCHANT_ISV_PUNISH_INDIRECT",
            "SECONDARY_MERCHANT_ALIPAY_ACCOUNT_INVALID",
            "INVALID_RECEIVE_ACCOUNT",
            "DEFAULT_SETTLE_RULE_NOT_EXIST",
            "RISK_MERCHANT_IP_NOT_EXIST",
            "MERCHANT_STATUS_NOT_NORMAL",
        ],
    ),
    (
        "40004",
        Rejected,
        Kind::Other,
        &[
            "BUYER_SELLER_EQUAL",
            "TRADE_BUYER_NOT_MATCH",
            "BUYER_ENABLE_STATUS_FORBID",
            "BUYER_PAYMENT_AMOUNT_DAY_LIMIT_ERROR",
            "BUYER_PAYMENT_AMOUNT_MONTH_LIMIT_ERROR",
            "BEYOND_PAY_RESTRICTION",
            "BEYOND_PER_RECEIPT_RESTRICTION",
            "BEYOND_PER_RECEIPT_DAY_RESTRICTION",
            "BEYOND_PER_RECEIPT_SINGLE_RESTRICTION",
            "MERCHANT_PERM_RECEIPT_SINGLE_LIMIT",
            "MERCHANT_PERM_RECEIPT_DAY_LIMIT",
            "ERROR_BUYER_CERTIFY_LEVEL_LIMIT",
            "TRADE_SETTLE_ERROR",
            "BUYER_NOT_EXIST",
        ],
    ),
];

const QUERY: &[Row] = &[("40004", Rejected, Kind::Other, &["ENTERPRISE_PAY_BIZ_ERROR"])];

const REFUND: &[Row] = &[
    ("40004", Rejected, Kind::NotEnough, &["SELLER_BALANCE_NOT_ENOUGH"]),
    ("40004", Rejected, Kind::NotFound, &["TRADE_NOT_EXIST"]),
    ("40004", Rejected, Kind::AlreadyClosed, &["TRADE_HAS_CLOSE"]),
    (
        "40004",
        Rejected,
        Kind::NumberReused,
        &["DISCORDANT_REPEAT_REQUEST"],
    ),
    ("40004", Rejected, Kind::InvalidRequest, &["CURRENCY_NOT_SUPPORT"]),
    (
        "40004",
        Rejected,
        Kind::RefundNotAllowed,
        &[
            "REFUND_AMT_NOT_EQUAL_TOTAL",
            "REASON_TRADE_BEEN_FREEZEN",
            "REASON_TRADE_BEEN_FROZEN",
            "TRADE_HAS_FINISHED",
            "REASON_TRADE_REFUND_FEE_ERR",
            "TRADE_NOT_ALLOW_REFUND",
            "REFUND_FEE_ERROR",
            "BUYER_ERROR",
            "NOT_ALLOW_PARTIAL_REFUND",
            "ONLINE_TRADE_VOUCHER_NOT_ALLOW_REFUND",
        ],
    ),
    (
        "40004",
        Rejected,
        Kind::Configuration,
        &[
            "OVERDRAFT_ASSIGN_ACCOUNT_INVALID",
            "OVERDRAFT_AGREEMENT_NOT_MATCH",
            "REFUND_ROYALTY_PAYEE_ACCOUNT_NOT_EXIST",
            "REFUNDALLOC_UNAUTH_LIMIT",
        ],
    ),
    (
        "40004",
        Rejected,
        Kind::Other,
        &[
            "TRADE_STATUS_ERROR",
            "BUYER_NOT_EXIST",
            "BUYER_ENABLE_STATUS_FORBID",
            "REASON_TRADE_STATUS_INVALID",
            "ALLOC_AMOUNT_VALIDATE_ERROR",
            "USER_NOT_MATCH_ERR",
            "TRADE_SETTLE_ERROR",
            "REFUND_CHARGE_ERROR",
            "ENTERPRISE_PAY_BIZ_ERROR",
            "REFUND_ACCOUNT_NOT_EXIST",
            "CUSTOMER_VALIDATE_ERROR",
        ],
    ),
];

fn of(call: Call) -> Vec<Row> {
    let own: &[Row] = match call {
        Call::Place => PLACE,
        Call::Query | Call::QueryRefund => QUERY,
        // What else a close meets is an answer.
        Call::Close => &[],
        Call::Refund => REFUND,
    };
    [SHARED, own].concat()
}

async fn each(call: Call, prefixes: &[&str], rows: &[Row]) -> usize {
    let (script, server) = Script::start().await;
    let alipay = alipay(&server.uri());
    let mut met = BTreeSet::new();
    for (code, certainty, kind, sub_codes) in rows {
        let named = sub_codes
            .iter()
            .flat_map(|sub| prefixes.iter().map(move |prefix| (sub, prefix)));
        for (sub_code, prefix) in named {
            let full = if sub_code.is_empty() {
                String::new()
            } else {
                format!("{prefix}{sub_code}")
            };
            let source = format!(r#"{{"code":"{code}","msg":"m","sub_code":"{full}","sub_msg":"原因"}}"#);
            script.say(signed(call.method(), &source));
            let error = call.make(&alipay).await.expect_err(&source);
            is(&error, *certainty, *kind);
            let shown = if full.is_empty() { *code } else { &full };
            assert_eq!(
                (error.code(), error.request_id()),
                (Some(shown), Some("trace-7")),
                "{source}"
            );
            assert_eq!(
                error.retry_after().is_some(),
                *kind == Kind::RateLimited,
                "{source}"
            );
            met.insert((*code, *sub_code));
        }
    }
    met.len()
}

#[tokio::test]
async fn each_code_of_the_gateway_has_its_kind_and_certainty() {
    for call in Call::ALL {
        assert!(each(call, &[""], GATEWAY).await > 60);
    }
}

#[tokio::test]
async fn each_code_of_a_method_has_its_kind_and_certainty_however_it_is_prefixed() {
    for (call, least) in [
        (Call::Place, 40),
        (Call::Query, 4),
        (Call::Close, 4),
        (Call::Refund, 31),
        (Call::QueryRefund, 4),
    ] {
        let met = each(call, &["ACQ.", "", "AQC.", "aop.ACQ."], &of(call)).await;
        assert!(met >= least, "{call:?}: {met}");
    }
}

#[tokio::test]
async fn unsigned_codes_prove_at_most_that_nothing_was_executed() {
    let (script, server) = Script::start().await;
    let alipay = alipay(&server.uri());
    for call in Call::ALL {
        for (code, _, kind, sub_codes) in GATEWAY.iter().copied().chain(of(call)) {
            for sub_code in sub_codes {
                let root = call.method().replace('.', "_");
                script.say(format!(
                    r#"{{"{root}_response":{{"code":"{code}","msg":"m","sub_code":"{sub_code}"}}}}"#
                ));
                let error = call.make(&alipay).await.expect_err(sub_code);
                // At the door: the gateway cannot sign for an app that it does not know.
                if kind == Kind::Configuration && code != "40004" {
                    is(&error, NotSent, Kind::Configuration);
                } else {
                    is(&error, Unknown, Kind::Unverifiable);
                }
            }
        }
    }
}

#[tokio::test]
async fn an_error_says_what_to_do() {
    let (script, server) = Script::start().await;
    let alipay = alipay(&server.uri());
    for (code, sub_code, advice) in [
        ("40002", "isv.invalid-signature", "private_key"),
        ("40002", "isv.invalid-app-id", "real and sandbox apps"),
        ("40003", "isv.missing-signature-config", "接口加签方式"),
        ("40001", "isv.missing-app-cert-sn", "root_cert"),
        ("40002", "isv.app-cert-expired", "download"),
        ("40003", "isv.decryption-error-unknown", "encrypt_key"),
        ("40002", "isv.invalid-timestamp", "clock"),
        ("40006", "isv.insufficient-isv-permissions", "当面付"),
        ("40004", "ACQ.TRADE_HAS_FINISHED", "refund window"),
        ("40004", "ACQ.TRADE_STATUS_ERROR", "query it"),
    ] {
        let source = format!(r#"{{"code":"{code}","msg":"m","sub_code":"{sub_code}","sub_msg":"原因"}}"#);
        script.say(signed(Call::Refund.method(), &source));
        let error = Call::Refund.make(&alipay).await.unwrap_err();
        assert!(error.hint().contains(advice), "{error}");
        let line = error.to_string();
        for part in [sub_code, "原因", "trace-7", advice] {
            assert!(line.contains(part), "{line}");
        }
    }
}
