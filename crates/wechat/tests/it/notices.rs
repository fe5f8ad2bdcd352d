//! Genuine notices and the facts in them, and what WeChat Pay is answered.

use serde_json::{Value, json};
use trade_core::{
    Channel, Fen, RefundNo,
    handler::{NoticeFact, PayHandler, PaymentStatus, RefundStatus, Verdict},
};

use crate::support::{REFUND, TRADING, alone, notice, trading, transaction};

fn refund(status: &str) -> Value {
    json!({
        "mchid": "1900000001", "out_trade_no": TRADING.to_string(),
        "transaction_id": "4200002026092100000000000001", "out_refund_no": REFUND.to_string(),
        "refund_id": "50000002026092100000000000001", "refund_status": status,
        "user_received_account": "支付用户零钱",
        "amount": {"total": 1990, "refund": 500, "payer_total": 1890, "payer_refund": 475},
    })
}

#[tokio::test]
async fn a_payment() {
    let wechat = alone();
    let verified = wechat
        .verify_notice(&notice("TRANSACTION.SUCCESS", &transaction()))
        .await
        .unwrap();
    assert_eq!(verified.channel, Channel::WechatPay);
    assert_eq!(verified.enterprise_id, wechat.enterprise());
    assert_eq!(verified.notice_id, "EV-2026092122131800001");
    assert_eq!(verified.answer.code, "TRANSACTION.SUCCESS");
    let NoticeFact::Payment(payment) = verified.fact else {
        panic!("{:?}", verified.fact);
    };
    assert_eq!(payment.trading_order_no(), Some(trading()));
    let PaymentStatus::Paid(paid) = payment.status else {
        panic!("{:?}", payment.status);
    };
    assert_eq!(paid.total, Fen::new(1_990).unwrap());
    assert_eq!(paid.payer_total, Some(Fen::new(1_890).unwrap()));
    assert_eq!(paid.currency, "CNY");
    assert_eq!(paid.payer_id.as_deref(), Some("oPAYER"));
}

#[tokio::test]
async fn refunds() {
    for (status, expected) in [
        ("SUCCESS", RefundStatus::Success),
        ("ABNORMAL", RefundStatus::Abnormal),
        ("CLOSED", RefundStatus::Closed),
    ] {
        let notice = notice(&format!("REFUND.{status}"), &refund(status));
        let verified = alone().verify_notice(&notice).await.unwrap();
        let NoticeFact::Refund(refund) = verified.fact else {
            panic!("{:?}", verified.fact);
        };
        assert_eq!(refund.status, expected);
        assert_eq!(refund.trading_order_no(), Some(trading()));
        assert_eq!(refund.refund_no(), Some(RefundNo::new(REFUND).unwrap()));
        assert_eq!(refund.refund_id.as_deref(), Some("50000002026092100000000000001"));
        assert_eq!(refund.amount, Some(Fen::new(500).unwrap()));
        assert_eq!((refund.cumulative, refund.payment), (None, None));
    }
}

#[tokio::test]
async fn events_of_other_products_are_taken_without_a_fact() {
    let combined = json!({"combine_out_trade_no": "C1", "combine_mchid": "1900000001", "sub_orders": []});
    for (event, plain) in [
        ("TRANSACTION.SUCCESS", combined),
        ("MCHTRANSFER.BILL.FINISHED", json!({"mchid": "1900000001"})),
        ("PAYSCORE.USER_CONFIRM", json!([])),
    ] {
        let verified = alone().verify_notice(&notice(event, &plain)).await.unwrap();
        assert!(
            matches!(verified.fact, NoticeFact::Other(_)),
            "{event}: {:?}",
            verified.fact
        );
    }
}

#[tokio::test]
async fn a_number_that_is_not_ours_is_told_as_it_is() {
    let mut plain = transaction();
    plain["out_trade_no"] = json!("OLD-SHOP_42");
    let verified = alone()
        .verify_notice(&notice("TRANSACTION.SUCCESS", &plain))
        .await
        .unwrap();
    let NoticeFact::Payment(payment) = verified.fact else {
        panic!("{:?}", verified.fact);
    };
    assert_eq!(
        (payment.out_trade_no.as_str(), payment.trading_order_no()),
        ("OLD-SHOP_42", None)
    );
}

#[test]
fn acknowledgements() {
    let wechat = alone();
    let taken = wechat.acknowledge(Verdict::Taken);
    assert_eq!(
        (taken.status, taken.content_type, taken.body.as_str()),
        (200, None, "")
    );

    let refused = wechat.acknowledge(Verdict::Refused(&"wrong \"signature\""));
    assert_eq!(
        (refused.status, refused.content_type),
        (400, Some("application/json"))
    );
    assert_eq!(refused.body, r#"{"code":"FAIL","message":"wrong \"signature\""}"#);

    let later = wechat.acknowledge(Verdict::Later(&"库".repeat(100)));
    assert_eq!(later.status, 500);
    let body: Value = serde_json::from_str(&later.body).unwrap();
    assert_eq!(body["code"], "FAIL");
    assert_eq!(body["message"].as_str().unwrap().chars().count(), 64);
}
