//! What the answers of each method come to, and those refusals that are answers.

use trade_core::{
    Certainty::{Rejected, Unknown},
    ErrorKind as Kind,
    handler::{CloseOutcome, PayHandler, PaymentStatus, RefundStatus},
};

use crate::support::{alipay, gateway, is, place_request, refund_query, refund_request, trading};

#[tokio::test]
async fn not_existing_is_waiting_for_a_query_and_nothing_to_close_for_a_close() {
    let methods = [
        "alipay.trade.query",
        "alipay.trade.close",
        "alipay.trade.fastpay.refund.query",
    ];
    for code in [
        "ACQ.TRADE_NOT_EXIST",
        "TRADE_NOT_EXIST",
        "aop.ACQ.TRADE_NOT_EXIST",
    ] {
        let missing = format!(
            r#"{{"code":"40004","msg":"Business Failed","sub_code":"{code}","sub_msg":"交易不存在","buyer_pay_amount":"0.00","out_trade_no":"7310000000000000001"}}"#
        );
        let server = gateway(&methods.map(|method| (method, missing.as_str()))).await;
        let alipay = alipay(&server.uri());
        let observed = alipay.query(trading()).await.unwrap();
        assert_eq!(observed.status, PaymentStatus::Waiting);
        assert_eq!(
            (observed.answer.code.as_str(), observed.answer.message.as_str()),
            (code, "交易不存在")
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
}

#[tokio::test]
async fn a_close_that_meets_a_wrong_state_lets_a_query_decide() {
    let paid = r#"{"code":"10000","trade_no":"T1","trade_status":"TRADE_SUCCESS","total_amount":"19.90"}"#;
    let refunded = r#"{"code":"10000","trade_no":"T1","trade_status":"TRADE_CLOSED","total_amount":"19.90","send_pay_date":"2026-09-21 22:00:00"}"#;
    let closed = r#"{"code":"10000","trade_no":"T1","trade_status":"TRADE_CLOSED"}"#;
    let waiting = r#"{"code":"10000","trade_no":"T1","trade_status":"WAIT_BUYER_PAY"}"#;
    for code in [
        "ACQ.TRADE_STATUS_ERROR",
        "TRADE_STATUS_ERROR",
        "ACQ.REASON_TRADE_STATUS_INVALID",
        "ACQ.REASON_ILLEGAL_STATUS",
        "ACQ.TRADE_HAS_SUCCESS",
        "ACQ.TRADE_HAS_FINISHED",
    ] {
        let refusal = format!(r#"{{"code":"40004","sub_code":"{code}"}}"#);
        for (state, outcome) in [
            (paid, Some(CloseOutcome::AlreadyPaid)),
            (refunded, Some(CloseOutcome::AlreadyPaid)),
            (closed, Some(CloseOutcome::Closed)),
            (waiting, None),
        ] {
            let answers = [
                ("alipay.trade.close", refusal.as_str()),
                ("alipay.trade.query", state),
            ];
            let server = gateway(&answers).await;
            let made = alipay(&server.uri()).close(trading()).await;
            assert_eq!(
                made.as_ref().ok().map(|made| made.outcome),
                outcome,
                "{code} {state}"
            );
            if let Err(error) = made {
                assert_eq!((error.certainty(), error.code()), (Rejected, Some(code)));
            }
        }
    }
}

#[tokio::test]
async fn a_close_that_nobody_can_look_into_has_an_unknown_outcome() {
    let refusal = r#"{"code":"40004","sub_code":"ACQ.TRADE_STATUS_ERROR"}"#;
    let fault = r#"{"code":"20000","sub_code":"isp.unknow-error"}"#;
    let server = gateway(&[("alipay.trade.close", refusal), ("alipay.trade.query", fault)]).await;
    let error = alipay(&server.uri()).close(trading()).await.unwrap_err();
    is(&error, Unknown, Kind::ChannelFault);
    let gone = r#"{"code":"40004","sub_code":"ACQ.TRADE_HAS_CLOSE"}"#;
    let server = gateway(&[("alipay.trade.close", gone)]).await;
    let closed = alipay(&server.uri()).close(trading()).await.unwrap();
    assert_eq!(closed.outcome, CloseOutcome::Closed);
    assert_eq!(closed.answer.code, "ACQ.TRADE_HAS_CLOSE");
}

#[tokio::test]
async fn a_closed_trade_that_was_paid_is_paid() {
    for (status, facts, paid) in [
        ("TRADE_CLOSED", "", false),
        ("TRADE_CLOSED", r#","send_pay_date":"""#, false),
        (
            "TRADE_CLOSED",
            r#","buyer_pay_amount":"0.00","receipt_amount":"0.00","point_amount":"0.00""#,
            false,
        ),
        ("TRADE_CLOSED", r#","send_pay_date":"2026-09-21 22:00:00""#, true),
        ("TRADE_CLOSED", r#","buyer_pay_amount":"19.90""#, true),
        // Paid with a coupon: nothing from the buyer, yet the merchant received it.
        (
            "TRADE_CLOSED",
            r#","buyer_pay_amount":"0.00","receipt_amount":"19.90""#,
            true,
        ),
        ("TRADE_FINISHED", "", true),
        ("TRADE_SUCCESS", "", true),
    ] {
        let source = format!(
            r#"{{"code":"10000","trade_no":"T1","trade_status":"{status}","total_amount":"19.90"{facts}}}"#
        );
        let server = gateway(&[("alipay.trade.query", &source)]).await;
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
async fn a_refund_that_was_accepted_is_never_called_failed() {
    let accepted = r#"{"code":"10000","out_trade_no":"7310000000000000001","fund_change":"N"}"#;
    for query in [
        r#"{"code":"40004","sub_code":"TRADE_NOT_EXIST"}"#,
        r#"{"code":"10000","refund_status":"REFUND_FAIL","refund_amount":"5.00"}"#,
        r#"{"code":"20000","sub_code":"isp.unknow-error"}"#,
        r#"{"code":"10000","out_trade_no":"7310000000000000009","refund_status":"REFUND_SUCCESS"}"#,
        "[]",
    ] {
        let answers = [
            ("alipay.trade.refund", accepted),
            ("alipay.trade.fastpay.refund.query", query),
        ];
        let server = gateway(&answers).await;
        let alipay = alipay(&server.uri());
        let content = alipay.prepare_refund(&refund_request()).unwrap();
        let reply = alipay.refund(&content).await.unwrap();
        assert_eq!(reply.status, RefundStatus::Processing, "{query}");
    }
}

#[tokio::test]
async fn a_refund_query_tells_absent_from_on_its_way() {
    for (facts, status, fen) in [
        ("", RefundStatus::Absent, None),
        (r#","refund_amount":"""#, RefundStatus::Absent, None),
        (r#","refund_amount":"0.00""#, RefundStatus::Absent, None),
        (r#","total_amount":"19.90""#, RefundStatus::Absent, None),
        (r#","refund_amount":"5.00""#, RefundStatus::Processing, Some(500)),
        (
            r#","refund_amount":"5.00","refund_status":"REFUND_PROCESSING""#,
            RefundStatus::Processing,
            Some(500),
        ),
        (
            r#","refund_amount":"5.00","refund_status":"REFUND_SUCCESS""#,
            RefundStatus::Success,
            Some(500),
        ),
    ] {
        let source = format!(r#"{{"code":"10000","msg":"Success"{facts}}}"#);
        let server = gateway(&[("alipay.trade.fastpay.refund.query", &source)]).await;
        let reply = alipay(&server.uri()).query_refund(&refund_query()).await.unwrap();
        assert_eq!(
            (reply.status, reply.amount.map(|amount| amount.get())),
            (status, fen),
            "{source}"
        );
    }
    for nonsense in [
        r#"{"code":"10000","refund_status":"REFUND_ODD"}"#,
        r#"{"code":"10000","refund_amount":"5.001"}"#,
        r#"{"code":"10000","out_request_no":"7310000000000000009","refund_status":"REFUND_SUCCESS"}"#,
    ] {
        let server = gateway(&[("alipay.trade.fastpay.refund.query", nonsense)]).await;
        let error = alipay(&server.uri())
            .query_refund(&refund_query())
            .await
            .unwrap_err();
        is(&error, Unknown, Kind::Nonsense);
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
