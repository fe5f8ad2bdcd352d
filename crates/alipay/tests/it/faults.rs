//! What goes wrong between us and the sandbox: the error is honest, and sending the same again converges.

use std::sync::Arc;

use trade_alipay::{Alipay, AlipayConfig, VerifyKeys};
use trade_core::{
    Certainty::{self, NotSent, Rejected, Unknown},
    ErrorKind as Kind, Secret, Timestamp, TradingOrderNo,
    handler::{NoticeError, NoticeFact, PayHandler, PaymentStatus, RefundStatus},
    memory::ManualClock,
};
use trade_sandbox::{
    Channel,
    faults::{Fault, FaultKind},
};

use crate::{
    sandbox::{Bank, Mode, config_of},
    support::is,
};

/// Faults of a call, with what the caller is told.
fn faults() -> Vec<(FaultKind, Certainty, Kind)> {
    let status = |status, effect| FaultKind::Status { status, effect };
    vec![
        (FaultKind::DropBefore, Unknown, Kind::Network),
        (FaultKind::DropAfter, Unknown, Kind::Network),
        (status(500, false), Unknown, Kind::ChannelFault),
        (status(500, true), Unknown, Kind::ChannelFault),
        (status(502, false), Unknown, Kind::ChannelFault),
        (status(502, true), Unknown, Kind::ChannelFault),
        (FaultKind::RateLimit, NotSent, Kind::RateLimited),
        (FaultKind::Garbage, Unknown, Kind::Nonsense),
        (FaultKind::BadSignature, Unknown, Kind::Unverifiable),
        (FaultKind::WrongKey, Unknown, Kind::Unverifiable),
        (FaultKind::Unsigned, Unknown, Kind::Unverifiable),
    ]
}

#[tokio::test]
async fn a_place_that_failed_is_sent_again_as_it_was_and_makes_one_order() {
    for mode in [Mode::KEY, Mode::CERT] {
        let bank = Bank::open(mode).await;
        for (round, (fault, certainty, kind)) in (1..).zip(faults()) {
            bank.sandbox
                .fault(Fault::new(fault).at(Channel::Alipay).on("precreate"));
            let content = bank.place_content(round, 1990);
            let error = bank.alipay.place(&content).await.expect_err("a fault strikes");
            assert_eq!((error.certainty(), error.kind()), (certainty, kind), "{fault:?}");
            bank.alipay.place(&content).await.unwrap();
            let number = TradingOrderNo::new(round).unwrap();
            assert!(bank.pay(number));
            assert_eq!(bank.net(number), 1990, "{fault:?}");
        }
    }
}

#[tokio::test]
async fn a_refund_that_failed_is_sent_again_as_it_was_and_moves_money_once() {
    let bank = Bank::open(Mode::KEY).await;
    for (round, (fault, certainty, kind)) in (1..).zip(faults()) {
        let number = bank.place(round).await;
        assert!(bank.pay(number));
        bank.sandbox
            .fault(Fault::new(fault).at(Channel::Alipay).on("refund"));
        let content = bank.refund_content(number, 1000 + round, 500);
        let error = bank.alipay.refund(&content).await.expect_err("a fault strikes");
        assert_eq!((error.certainty(), error.kind()), (certainty, kind), "{fault:?}");
        let seen = bank.refund_status(number, 1000 + round).await;
        let moved = bank.net(number) == 1490;
        let expected = if moved {
            RefundStatus::Success
        } else {
            RefundStatus::Absent
        };
        assert_eq!(seen, expected, "{fault:?}");
        // Whether it moved before or moves now: the same content ends in one refund.
        let reply = bank.alipay.refund(&content).await.unwrap();
        assert_eq!(reply.status, RefundStatus::Success, "{fault:?}");
        assert_eq!(reply.amount.map(|amount| amount.get()), Some(500));
        assert_eq!(bank.net(number), 1490, "{fault:?}");
    }
}

#[tokio::test]
async fn a_query_that_failed_says_nothing_about_the_payment() {
    let bank = Bank::open(Mode::KEY).await;
    let number = bank.place(1).await;
    assert!(bank.pay(number));
    for operation in ["query", "close"] {
        for (fault, certainty, kind) in faults() {
            bank.sandbox
                .fault(Fault::new(fault).at(Channel::Alipay).on(operation));
            let error = match operation {
                "query" => bank.alipay.query(number).await.map(drop),
                _ => bank.alipay.close(number).await.map(drop),
            };
            let error = error.expect_err("a fault strikes");
            // A close of a paid trade is a refusal, whose content nobody vouches for when it is unsigned.
            assert_eq!(
                (error.certainty(), error.kind()),
                (certainty, kind),
                "{operation} {fault:?}"
            );
        }
    }
    assert!(matches!(bank.status(number).await, PaymentStatus::Paid(_)));
}

#[tokio::test]
async fn an_answer_in_gbk_is_read_and_one_with_another_amount_is_told_as_it_is() {
    let bank = Bank::open(Mode::KEY).await;
    let number = bank.place(1).await;
    let gbk = || Fault::new(FaultKind::Gbk).at(Channel::Alipay).on("query");
    bank.sandbox.fault(gbk());
    let waiting = bank.alipay.query(number).await.unwrap();
    assert_eq!(waiting.status, PaymentStatus::Waiting);
    assert!(!waiting.answer.message.is_ascii(), "{}", waiting.answer.message);
    assert!(bank.pay(number));
    bank.sandbox.fault(gbk());
    assert!(matches!(bank.status(number).await, PaymentStatus::Paid(_)));
    let wrong = FaultKind::WrongAmount { by_fen: -1 };
    bank.sandbox
        .fault(Fault::new(wrong).at(Channel::Alipay).on("query"));
    let PaymentStatus::Paid(paid) = bank.status(number).await else {
        panic!()
    };
    assert_eq!(
        paid.total.get(),
        1989,
        "comparing is the caller's, who knows the order"
    );
}

#[tokio::test]
async fn copies_of_a_notice_say_the_same_under_one_id() {
    let bank = Bank::open(Mode::KEY).await;
    let number = bank.place(1).await;
    let copies = FaultKind::Duplicate { copies: 2 };
    bank.sandbox
        .fault(Fault::new(copies).at(Channel::Alipay).on("notice"));
    assert!(bank.pay(number));
    let notices = bank.notices().await;
    assert_eq!(notices.len(), 3);
    for notice in &notices {
        assert_eq!(
            (&notice.notice_id, &notice.fact),
            (&notices[0].notice_id, &notices[0].fact)
        );
    }
}

#[tokio::test]
async fn a_notice_that_somebody_else_wrote_is_refused_and_the_next_one_is_taken() {
    for fault in [
        FaultKind::BadSignature,
        FaultKind::WrongKey,
        FaultKind::Unsigned,
        FaultKind::ProbeSignature,
    ] {
        let bank = Bank::open(Mode::KEY).await;
        let number = bank.place(1).await;
        bank.sandbox
            .fault(Fault::new(fault).at(Channel::Alipay).on("notice"));
        assert!(bank.pay(number));
        assert!(bank.sandbox.quiet().await);
        let id = bank.sandbox.notices()[0].id.clone();
        assert!(bank.sandbox.resend_notice(&id));
        let judged = bank.judged().await;
        assert_eq!(judged.len(), 2, "{fault:?}");
        let refused = judged[0].as_ref().unwrap_err();
        assert!(
            matches!(refused, NoticeError::BadSignature(_)),
            "{fault:?}: {refused}"
        );
        assert_eq!(judged[1].as_ref().unwrap().notice_id, id);
    }
}

#[tokio::test]
async fn a_notice_in_gbk_is_taken_and_an_amount_is_told_as_it_was_signed() {
    for (fault, fen) in [
        (FaultKind::Gbk, 1990),
        (FaultKind::WrongAmount { by_fen: 1 }, 1991),
    ] {
        let bank = Bank::open(Mode::KEY).await;
        let number = bank.place(1).await;
        bank.sandbox
            .fault(Fault::new(fault).at(Channel::Alipay).on("notice"));
        assert!(bank.pay(number));
        let NoticeFact::Payment(payment) = &bank.notices().await[0].fact else {
            panic!("{fault:?}")
        };
        let PaymentStatus::Paid(paid) = &payment.status else {
            panic!("{fault:?}")
        };
        assert_eq!(paid.total.get(), fen, "{fault:?}");
        assert_eq!(payment.trading_order_no(), Some(number));
    }
}

#[tokio::test]
async fn a_wrong_configuration_is_told_as_one_and_nothing_is_executed() {
    let bank = Bank::open(Mode::KEY).await;
    let number = bank.place(1).await;
    let kit = bank.sandbox.merchant().alipay;
    let with = |change: &dyn Fn(&mut AlipayConfig)| {
        let clock = Arc::new(ManualClock::new(Timestamp::from_ms(bank.sandbox.now_ms())));
        let mut config = config_of(kit.clone(), Mode::KEY, "http://127.0.0.1:9/notify", clock);
        change(&mut config);
        Alipay::new(config).unwrap()
    };
    // The gateway does not know the app, so it cannot sign: nothing was executed.
    let unknown_app = with(&|config| config.app_id = "2021000000000009".into());
    let error = unknown_app.query(number).await.unwrap_err();
    is(&error, NotSent, Kind::Configuration);
    assert_eq!(error.code(), Some("isv.invalid-app-id"));
    // Our key is not the one the gateway has: it says so, and shows what it verified.
    let other_key = std::fs::read_to_string(crate::support::key_file("key_pkcs8.pem")).unwrap();
    let wrong_key = with(&|config| config.private_key = Secret::new(other_key.clone()));
    let error = wrong_key.query(number).await.unwrap_err();
    assert_eq!(error.kind(), Kind::Configuration);
    assert_ne!(error.certainty(), Unknown);
    assert_eq!(error.code(), Some("isv.invalid-signature"));
    assert!(error.message().unwrap().contains("out_trade_no"), "{error}");
    // What we take for Alipay's key is not: nothing it says can be believed.
    let stranger = crate::support::key_file("public_spki.pem");
    let not_alipay = with(&|config| config.keys = VerifyKeys::public_key(stranger.clone()));
    let error = not_alipay.query(number).await.unwrap_err();
    is(&error, Unknown, Kind::Unverifiable);
    assert!(error.to_string().contains("alipay_public_key"), "{error}");
    // The clock is an hour behind.
    let behind = Timestamp::from_ms(bank.sandbox.now_ms() - 3_600_000);
    let late = with(&|config| config.clock = Arc::new(ManualClock::new(behind)));
    let error = late.query(number).await.unwrap_err();
    is(&error, Rejected, Kind::Configuration);
    assert!(error.hint().contains("clock"), "{error}");
}
