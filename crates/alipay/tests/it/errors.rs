//! Every code our methods can meet: its kind and certainty.

use trade_core::{
    Certainty::{NotSent, Rejected, Unknown},
    ErrorKind as Kind,
    handler::{CloseOutcome, PayHandler, PaymentStatus, RefundStatus},
};

use crate::support::{
    alipay, answering, gateway, is, place_request, refund_query, refund_request, signed, trading,
};

#[tokio::test]
async fn each_code_has_its_kind_and_certainty() {
    let gateway_codes = [
        ("20000", "isp.unknow-error", Unknown, Kind::ChannelFault),
        ("20000", "aop.ACQ.SYSTEM_ERROR", Unknown, Kind::ChannelFault),
        (
            "20001",
            "aop.invalid-app-auth-token",
            Rejected,
            Kind::Configuration,
        ),
        ("40001", "isv.missing-signature", Rejected, Kind::Configuration),
        ("40001", "isv.missing-app-cert-sn", Rejected, Kind::Configuration),
        ("40002", "isv.invalid-parameter", Rejected, Kind::InvalidRequest),
        ("40002", "isv.suspected-attack", Rejected, Kind::InvalidRequest),
        ("40002", "isv.invalid-signature", Rejected, Kind::Configuration),
        ("40002", "isv.invalid-app-id", Rejected, Kind::Configuration),
        ("40002", "isv.app-cert-expired", Rejected, Kind::Configuration),
        (
            "40003",
            "isv.missing-signature-config",
            Rejected,
            Kind::Configuration,
        ),
        ("40005", "isv.app-call-limited", NotSent, Kind::RateLimited),
        ("40005", "", NotSent, Kind::RateLimited),
        (
            "40006",
            "isv.insufficient-isv-permissions",
            Rejected,
            Kind::Configuration,
        ),
        ("", "", Unknown, Kind::Nonsense),
        ("99999", "", Unknown, Kind::Nonsense),
    ];
    let business = [
        ("SYSTEM_ERROR", Unknown, Kind::ChannelFault),
        ("INVALID_PARAMETER", Rejected, Kind::InvalidRequest),
        ("EXIST_FORBIDDEN_WORD", Rejected, Kind::InvalidRequest),
        ("TOTAL_FEE_EXCEED", Rejected, Kind::InvalidRequest),
        ("NOW_TIME_AFTER_EXPIRE_TIME_ERROR", Rejected, Kind::InvalidRequest),
        ("ACCESS_FORBIDDEN", Rejected, Kind::Configuration),
        ("PARTNER_ERROR", Rejected, Kind::Configuration),
        ("SELLER_BEEN_BLOCKED", Rejected, Kind::Configuration),
        ("CONTEXT_INCONSISTENT", Rejected, Kind::NumberReused),
        ("DISCORDANT_REPEAT_REQUEST", Rejected, Kind::NumberReused),
        ("SELLER_BALANCE_NOT_ENOUGH", Rejected, Kind::NotEnough),
        ("TRADE_HAS_FINISHED", Rejected, Kind::RefundNotAllowed),
        ("REASON_TRADE_REFUND_FEE_ERR", Rejected, Kind::RefundNotAllowed),
        ("REFUND_AMT_NOT_EQUAL_TOTAL", Rejected, Kind::RefundNotAllowed),
        ("REASON_TRADE_BEEN_FREEZEN", Rejected, Kind::RefundNotAllowed),
        ("TRADE_NOT_ALLOW_REFUND", Rejected, Kind::RefundNotAllowed),
        ("BUYER_SELLER_EQUAL", Rejected, Kind::Other),
        ("TRADE_NOT_EXIST", Rejected, Kind::NotFound),
        ("TRADE_HAS_CLOSE", Rejected, Kind::AlreadyClosed),
        ("TRADE_HAS_SUCCESS", Rejected, Kind::AlreadyPaid),
    ];
    let prefixed = business.iter().flat_map(|(code, certainty, kind)| {
        ["", "ACQ.", "AQC.", "aop.ACQ."].map(|prefix| ("40004", format!("{prefix}{code}"), *certainty, *kind))
    });
    let all = gateway_codes.map(|(code, sub, certainty, kind)| (code, sub.to_owned(), certainty, kind));
    for (code, sub_code, certainty, kind) in all.into_iter().chain(prefixed) {
        let source = format!(r#"{{"code":"{code}","msg":"m","sub_code":"{sub_code}","sub_msg":"原因"}}"#);
        let server = answering(signed("alipay.trade.refund", &source)).await;
        let alipay = alipay(&server.uri());
        let content = alipay.prepare_refund(&refund_request()).unwrap();
        let error = alipay.refund(&content).await.unwrap_err();
        is(&error, certainty, kind);
        assert_eq!(error.request_id(), Some("trace-7"), "{source}");
    }
}

#[tokio::test]
async fn not_existing_is_waiting_for_a_query_and_nothing_to_close_for_a_close() {
    let missing = r#"{"code":"40004","msg":"Business Failed","sub_code":"ACQ.TRADE_NOT_EXIST","buyer_pay_amount":"0.00"}"#;
    let methods = [
        "alipay.trade.query",
        "alipay.trade.close",
        "alipay.trade.fastpay.refund.query",
    ];
    let server = gateway(&methods.map(|method| (method, missing))).await;
    let alipay = alipay(&server.uri());
    assert_eq!(
        alipay.query(trading()).await.unwrap().status,
        PaymentStatus::Waiting
    );
    assert_eq!(
        alipay.close(trading()).await.unwrap().outcome,
        CloseOutcome::NothingToClose
    );
    assert_eq!(
        alipay.query_refund(&refund_query()).await.unwrap().status,
        RefundStatus::Absent
    );
}

#[tokio::test]
async fn a_close_that_meets_a_wrong_state_lets_a_query_decide() {
    let wrong_state = r#"{"code":"40004","sub_code":"ACQ.TRADE_STATUS_ERROR"}"#;
    let paid = r#"{"code":"10000","trade_no":"T1","trade_status":"TRADE_SUCCESS","total_amount":"19.90"}"#;
    for (state, outcome) in [
        (paid, Some(CloseOutcome::AlreadyPaid)),
        (
            r#"{"code":"10000","trade_no":"T1","trade_status":"TRADE_CLOSED"}"#,
            Some(CloseOutcome::Closed),
        ),
        (
            r#"{"code":"10000","trade_no":"T1","trade_status":"WAIT_BUYER_PAY"}"#,
            None,
        ),
    ] {
        let server = gateway(&[("alipay.trade.close", wrong_state), ("alipay.trade.query", state)]).await;
        let closed = alipay(&server.uri()).close(trading()).await;
        assert_eq!(closed.ok().map(|closed| closed.outcome), outcome, "{state}");
    }
}

#[tokio::test]
async fn a_closed_trade_that_was_paid_is_paid() {
    for (source, paid) in [
        (
            r#"{"code":"10000","trade_no":"T1","trade_status":"TRADE_CLOSED","total_amount":"19.90"}"#,
            false,
        ),
        (
            r#"{"code":"10000","trade_no":"T1","trade_status":"TRADE_CLOSED","total_amount":"19.90","send_pay_date":"2026-09-21 22:00:00"}"#,
            true,
        ),
        (
            r#"{"code":"10000","trade_no":"T1","trade_status":"TRADE_FINISHED","total_amount":"19.90"}"#,
            true,
        ),
    ] {
        let server = gateway(&[("alipay.trade.query", source)]).await;
        let status = alipay(&server.uri()).query(trading()).await.unwrap().status;
        assert_eq!(matches!(status, PaymentStatus::Paid(_)), paid, "{source}");
        assert_eq!(status == PaymentStatus::Closed, !paid, "{source}");
    }
}

#[tokio::test]
async fn ten_thousand_is_not_refunded_unless_money_moved() {
    let known = r#"{"code":"10000","out_request_no":"7310000000000000002","refund_amount":"5.00","refund_status":"REFUND_SUCCESS"}"#;
    let unknown = r#"{"code":"10000","msg":"Success"}"#;
    for (change, query, status) in [
        (r#","fund_change":"Y""#, unknown, RefundStatus::Success),
        (r#","fund_change":"N""#, known, RefundStatus::Success),
        (r#","fund_change":"N""#, unknown, RefundStatus::Processing),
        ("", unknown, RefundStatus::Processing),
    ] {
        let source =
            format!(r#"{{"code":"10000","out_trade_no":"7310000000000000001"{change},"refund_fee":"5.00"}}"#);
        let answers = [
            ("alipay.trade.refund", source.as_str()),
            ("alipay.trade.fastpay.refund.query", query),
        ];
        let server = gateway(&answers).await;
        let alipay = alipay(&server.uri());
        let reply = alipay
            .refund(&alipay.prepare_refund(&refund_request()).unwrap())
            .await
            .unwrap();
        assert_eq!(reply.status, status, "{source} {query}");
    }
}

#[tokio::test]
async fn placing_again_what_is_paid_or_closed_says_so() {
    for (sub_code, kind) in [
        ("ACQ.TRADE_HAS_SUCCESS", Kind::AlreadyPaid),
        ("ACQ.TRADE_HAS_CLOSE", Kind::AlreadyClosed),
        ("ACQ.CONTEXT_INCONSISTENT", Kind::NumberReused),
    ] {
        let source = format!(r#"{{"code":"40004","sub_code":"{sub_code}"}}"#);
        let server = gateway(&[("alipay.trade.precreate", &source)]).await;
        let alipay = alipay(&server.uri());
        let content = alipay.prepare_place(&place_request()).unwrap();
        is(&alipay.place(&content).await.unwrap_err(), Rejected, kind);
    }
}
