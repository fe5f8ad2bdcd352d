//! Alipay changes its certificate, or a delivery is repeated, while payments go on.

use trade_core::{
    TradingOrderNo,
    handler::{NoticeFact, PayHandler, PaymentStatus, RefundStatus},
};
use trade_sandbox::Channel;

use crate::sandbox::{Bank, Mode};

#[tokio::test]
async fn a_renewed_certificate_is_taken_in_between_one_call_and_the_next() {
    let bank = Bank::open(Mode::CERT).await;
    let before = bank.place(1).await;
    bank.sandbox.rotate_keys(Channel::Alipay).unwrap();
    assert_eq!(bank.status(before).await, PaymentStatus::Waiting);
    assert!(bank.pay(before));
    assert!(matches!(bank.status(before).await, PaymentStatus::Paid(_)));
    assert_eq!(
        bank.refund(before, 11, 1990).await.unwrap(),
        RefundStatus::Success
    );
    let after = bank.place(2).await;
    assert!(bank.pay(after));
    // Whichever certificate they were signed under, all notices are Alipay's.
    let notices = bank.notices().await;
    let paid: Vec<_> = notices
        .iter()
        .filter_map(|notice| match &notice.fact {
            NoticeFact::Payment(payment) => payment.trading_order_no(),
            NoticeFact::Refund(_) | NoticeFact::Other(_) => None,
        })
        .collect();
    assert_eq!((notices.len(), paid), (3, vec![before, after]));
}

#[tokio::test]
async fn a_delivery_that_is_repeated_later_is_the_same_notice_with_another_signature() {
    let bank = Bank::open(Mode::KEY).await;
    let number = TradingOrderNo::new(1).unwrap();
    bank.alipay.place(&bank.place_content(1, 1990)).await.unwrap();
    assert!(bank.pay(number));
    assert_eq!(bank.notices().await.len(), 1);
    bank.wait(std::time::Duration::from_secs(240));
    let id = bank.sandbox.notices()[0].id.clone();
    assert!(bank.sandbox.resend_notice(&id));
    let notices = bank.notices().await;
    assert_eq!(notices.len(), 2);
    assert_ne!(
        notices[0].answer.body, notices[1].answer.body,
        "the time of sending is signed anew"
    );
    for notice in notices {
        assert_eq!(notice.notice_id, id);
        assert!(matches!(notice.fact, NoticeFact::Payment(_)));
    }
}
