//! Notices: the genuine is told apart from the tampered, a payment from a refund.

use trade_core::handler::{
    Headers, NoticeError, NoticeFact, PayHandler, PaymentStatus, RawNotice, RefundStatus, Verdict,
};

use crate::support::{APP_ID, PAID, REFUND, TRADING, alipay, encode, notice, sign};

fn with<'a>(changes: &[(&'a str, &'a str)]) -> Vec<(&'a str, &'a str)> {
    let mut fields: Vec<_> = PAID
        .iter()
        .filter(|(name, _)| !changes.iter().any(|(key, _)| key == name))
        .copied()
        .collect();
    fields.extend_from_slice(changes);
    fields
}

async fn fact(fields: &[(&str, &str)]) -> NoticeFact {
    alipay("http://127.0.0.1:1")
        .verify_notice(&notice(fields))
        .await
        .unwrap()
        .fact
}

#[tokio::test]
async fn a_payment_is_told_with_its_facts() {
    let NoticeFact::Payment(payment) = fact(&PAID).await else {
        panic!()
    };
    let PaymentStatus::Paid(paid) = payment.status else {
        panic!()
    };
    assert_eq!(payment.out_trade_no, TRADING);
    assert_eq!((paid.total.get(), paid.currency.as_str()), (1990, "CNY"));
    assert_eq!(paid.transaction_id.as_str(), "2026092122001400000000000001");
    assert_eq!(paid.paid_at.unwrap().to_beijing_text(), "2026-09-21 22:13:18");
}

#[tokio::test]
async fn refunds_come_in_the_clothes_of_payments() {
    let partial = with(&[
        ("refund_fee", "5.00"),
        ("gmt_refund", "2026-09-21 22:20:00.123"),
        ("out_biz_no", REFUND),
    ]);
    let full = with(&[
        ("trade_status", "TRADE_CLOSED"),
        ("refund_fee", "19.90"),
        ("out_biz_no", REFUND),
    ]);
    for (fields, cumulative) in [(partial, 500), (full, 1990)] {
        let NoticeFact::Refund(refund) = fact(&fields).await else {
            panic!("{fields:?}")
        };
        assert_eq!(
            (refund.status, refund.out_refund_no.as_deref()),
            (RefundStatus::Success, Some(REFUND))
        );
        assert_eq!(
            (refund.cumulative.unwrap().get(), refund.amount),
            (cumulative, None)
        );
        assert_eq!(refund.payment.unwrap().total.get(), 1990);
    }
    let finished = fact(&with(&[("trade_status", "TRADE_FINISHED")])).await;
    assert!(
        matches!(finished, NoticeFact::Payment(payment) if matches!(payment.status, PaymentStatus::Paid(_)))
    );
    let mut closed = with(&[("trade_status", "TRADE_CLOSED")]);
    closed.retain(|(name, _)| *name != "gmt_payment");
    assert!(
        matches!(fact(&closed).await, NoticeFact::Payment(payment) if payment.status == PaymentStatus::Closed)
    );
    assert!(matches!(
        fact(&with(&[("trade_status", "TRADE_ODD")])).await,
        NoticeFact::Other(_)
    ));
}

#[tokio::test]
async fn a_refund_is_told_apart_by_any_of_its_marks() {
    let refund = |fact: NoticeFact| match fact {
        NoticeFact::Refund(refund) => Some((
            refund.status,
            refund.out_refund_no,
            refund.amount.map(|fen| fen.get()),
            refund.cumulative.map(|fen| fen.get()),
        )),
        NoticeFact::Payment(_) | NoticeFact::Other(_) => None,
    };
    let ours = || Some(REFUND.to_owned());
    for (changes, expected) in [
        (
            vec![("gmt_refund", "2026-09-21 22:20:00.123")],
            Some((RefundStatus::Success, None, None, None)),
        ),
        (
            vec![("refund_fee", "5.00")],
            Some((RefundStatus::Success, None, None, Some(500))),
        ),
        (
            vec![("out_biz_no", REFUND)],
            Some((RefundStatus::Success, ours(), None, None)),
        ),
        (
            vec![
                ("refund_fee", "8.00"),
                ("refund_amount", "3.00"),
                ("out_request_no", REFUND),
            ],
            Some((RefundStatus::Success, ours(), Some(300), Some(800))),
        ),
        (
            vec![("refund_fee", "5.00"), ("refund_status", "REFUND_PROCESSING")],
            Some((RefundStatus::Processing, None, None, Some(500))),
        ),
        (
            vec![("refund_fee", "5.00"), ("refund_status", "REFUND_FAIL")],
            Some((RefundStatus::Closed, None, None, Some(500))),
        ),
        // No refund: nothing was refunded, or it says nothing.
        (vec![("refund_fee", "0.00")], None),
        (vec![("refund_fee", ""), ("gmt_refund", "")], None),
        (vec![("gmt_close", "2026-12-21 22:20:00")], None),
    ] {
        assert_eq!(refund(fact(&with(&changes)).await), expected, "{changes:?}");
    }
}

#[tokio::test]
async fn a_trade_closed_is_unpaid_only_without_any_fact_of_a_payment() {
    for (changes, paid) in [
        (vec![("gmt_payment", "")], false),
        (
            vec![("gmt_payment", ""), ("gmt_close", "2026-09-21 23:00:00")],
            false,
        ),
        (vec![("gmt_payment", "2026-09-21 22:13:18")], true),
        (vec![("gmt_payment", ""), ("refund_fee", "19.90")], true),
    ] {
        let mut changes = changes;
        changes.push(("trade_status", "TRADE_CLOSED"));
        let found = match fact(&with(&changes)).await {
            NoticeFact::Payment(payment) => match payment.status {
                PaymentStatus::Paid(_) => true,
                PaymentStatus::Closed => false,
                other => panic!("{other:?}"),
            },
            NoticeFact::Refund(refund) => refund.payment.is_some(),
            NoticeFact::Other(other) => panic!("{other}"),
        };
        assert_eq!(found, paid, "{changes:?}");
    }
}

#[tokio::test]
async fn a_notice_is_named_by_its_event_and_recorded_without_the_payer() {
    let alipay = alipay("http://127.0.0.1:1");
    let fields = with(&[
        ("buyer_logon_id", "zhang***@example.com"),
        ("buyer_id", "2088000000000042"),
    ]);
    let verified = alipay.verify_notice(&notice(&fields)).await.unwrap();
    assert_eq!(verified.notice_id, "n-1");
    assert_eq!(verified.enterprise_id.get(), 1001);
    assert_eq!(verified.answer.code, "TRADE_SUCCESS");
    assert!(verified.answer.body.contains(TRADING));
    for hidden in ["zhang", "sign", "2088000000000042"] {
        assert!(!verified.answer.body.contains(hidden), "{hidden}");
    }
}

#[tokio::test]
async fn only_rsa2_is_taken_whatever_the_signature() {
    let alipay = alipay("http://127.0.0.1:1");
    let message: Vec<_> = PAID
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let signature = sign(message.join("&").as_bytes());
    for sign_type in ["RSA", "rsa2", "RSA2 ", "SM2", ""] {
        let mut pairs = PAID.to_vec();
        pairs.extend([("sign_type", sign_type), ("sign", signature.as_str())]);
        let error = alipay.verify_notice(&encode(&pairs)).await.unwrap_err();
        assert!(
            matches!(error, NoticeError::BadSignature(_)),
            "{sign_type}: {error}"
        );
    }
    // A signature that covers sign_type is one of another kind of message.
    let mut sorted = PAID.to_vec();
    sorted.push(("sign_type", "RSA2"));
    sorted.sort_unstable();
    let message: Vec<_> = sorted
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let signature = sign(message.join("&").as_bytes());
    let mut pairs = PAID.to_vec();
    pairs.extend([("sign_type", "RSA2"), ("sign", signature.as_str())]);
    assert!(alipay.verify_notice(&encode(&pairs)).await.is_err());
}

#[tokio::test]
async fn fields_without_a_value_are_signed_either_way() {
    let alipay = alipay("http://127.0.0.1:1");
    let mut fields = with(&[("body", "")]);
    fields.sort_unstable();
    for keep in [true, false] {
        let kept = fields.iter().filter(|(_, value)| keep || !value.is_empty());
        let message: Vec<_> = kept.map(|(name, value)| format!("{name}={value}")).collect();
        let signature = sign(message.join("&").as_bytes());
        let mut pairs = fields.clone();
        pairs.extend([("sign_type", "RSA2"), ("sign", signature.as_str())]);
        assert!(
            alipay.verify_notice(&encode(&pairs)).await.is_ok(),
            "kept: {keep}"
        );
    }
}

#[tokio::test]
async fn more_than_forty_mutations_are_refused() {
    let alipay = alipay("http://127.0.0.1:1");
    let genuine = notice(&PAID);
    let text = String::from_utf8(genuine.body.clone()).unwrap();
    let mut mutations = Vec::new();
    for pair in text.split('&') {
        let (name, _) = pair.split_once('=').unwrap();
        mutations.push((format!("without {name}"), text.replace(pair, "x=1")));
        mutations.push((format!("{name} twice"), format!("{text}&{pair}")));
        mutations.push((format!("{name} longer"), text.replace(pair, &format!("{pair}1"))));
        mutations.push((format!("{name} renamed"), text.replace(pair, &format!("x{pair}"))));
    }
    for (name, body) in [
        ("empty", String::new()),
        ("more", format!("{text}&more=1")),
        ("blank at the end", text.replace("=19.90", "=19.90%20")),
        ("encoded twice", text.replace('%', "%25")),
        ("json", r#"{"trade_status":"TRADE_SUCCESS"}"#.into()),
        ("cut", text[..text.len() / 2].to_owned()),
        ("RSA", text.replace("sign_type=RSA2", "sign_type=RSA")),
        ("blank before", text.replace("=19.90", "=%2019.90")),
        ("html", text.replace("%3D", "%26%2361%3B")),
        ("other charset", text.replace("charset=utf-8", "charset=GBK")),
        ("odd charset", text.replace("charset=utf-8", "charset=latin1")),
        ("half a percent", format!("{text}&x=%4")),
        ("no hex", format!("{text}&x=%zz")),
        ("a name alone", format!("{text}&x")),
        ("byte order mark", format!("\u{feff}{text}")),
        ("new line", text.replace("=19.90", "=19.90\n")),
        ("large", format!("{text}&x={}", "1".repeat(64 * 1024))),
    ] {
        mutations.push((name.into(), body));
    }
    assert!(mutations.len() > 40, "{}", mutations.len());
    for (name, body) in mutations {
        let raw = RawNotice {
            headers: Headers::default(),
            body: body.into_bytes(),
        };
        let error = alipay.verify_notice(&raw).await.expect_err(&name);
        assert!(!error.is_transient(), "{name}: {error}");
    }
    assert!(alipay.verify_notice(&genuine).await.is_ok());
}

#[tokio::test]
async fn a_genuine_notice_of_another_merchant_is_not_ours() {
    let alipay = alipay("http://127.0.0.1:1");
    for change in [("app_id", "2021000000000009"), ("seller_id", "2088000000000009")] {
        let error = alipay.verify_notice(&notice(&with(&[change]))).await.unwrap_err();
        assert!(
            matches!(error, NoticeError::WrongMerchant(_)),
            "{change:?}: {error}"
        );
    }
    let through_a_provider = with(&[("app_id", "2021000000000009"), ("auth_app_id", APP_ID)]);
    assert!(alipay.verify_notice(&notice(&through_a_provider)).await.is_ok());
    for missing in [
        "seller_id",
        "total_amount",
        "trade_no",
        "notify_id",
        "out_trade_no",
        "trade_status",
    ] {
        let fields: Vec<_> = PAID
            .iter()
            .filter(|(name, _)| *name != missing)
            .copied()
            .collect();
        assert!(
            alipay.verify_notice(&notice(&fields)).await.is_err(),
            "without {missing}"
        );
    }
    for amount in ["19.905", "-1", "x"] {
        assert!(
            alipay
                .verify_notice(&notice(&with(&[("total_amount", amount)])))
                .await
                .is_err(),
            "{amount}"
        );
    }
}

#[test]
fn the_acknowledgement_is_seven_bytes() {
    let alipay = alipay("http://127.0.0.1:1");
    let taken = alipay.acknowledge(Verdict::Taken);
    assert_eq!((taken.status, taken.body.as_str()), (200, "success"));
    assert_eq!(taken.content_type, Some("text/plain"));
    for (verdict, status) in [(Verdict::Refused(&"why"), 400), (Verdict::Later(&"why"), 500)] {
        let refused = alipay.acknowledge(verdict);
        assert_eq!((refused.status, refused.body.as_str()), (status, "fail"));
    }
}
