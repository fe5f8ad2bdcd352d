//! Refunds: reserved first, the same number for ever, accepted is not refunded.

use trade_core::{
    Amount, Channel, ErrorKind, Fen, RefundState, RefundStep, Trading,
    handler::RefundStatus,
    port::RefundStore,
    service::{MessageCode, NoticeOutcome, TradeError},
};

use crate::support::{Fault, World, refund_notice};

async fn paid(world: &World, channel: Channel) -> Trading {
    let trading = world.create(channel, 1).await.unwrap();
    world.channel(channel).pay(trading.trading_order_no);
    world.service.query(trading.trading_order_no).await.unwrap()
}

fn fen(amount: i64) -> Amount {
    Amount::new(amount).unwrap()
}

#[tokio::test]
async fn a_refund_is_done_once_however_often_it_is_asked_for() {
    for channel in Channel::ALL {
        let world = World::new().await;
        let trading = paid(&world, channel).await;
        let first = world
            .service
            .refund(trading.trading_order_no, fen(1990), None)
            .await
            .unwrap();
        assert_eq!(first.state, RefundState::Success);
        let again = world
            .service
            .refund(trading.trading_order_no, fen(1990), None)
            .await
            .unwrap();
        assert_eq!(first.refund_no, again.refund_no);
        assert_eq!(world.channel(channel).calls("refund"), 1);
        let row = world.row(trading.trading_order_no).await;
        assert_eq!(
            (row.refund_reserved, row.refunded),
            (fen(1990).fen(), fen(1990).fen())
        );
    }
}

#[tokio::test]
async fn only_a_settled_trading_and_no_more_than_was_paid() {
    let world = World::new().await;
    let unpaid = world.create(Channel::WechatPay, 2).await.unwrap();
    let error = world
        .service
        .refund(unpaid.trading_order_no, fen(1), None)
        .await
        .unwrap_err();
    assert!(matches!(error, TradeError::NotRefundable { .. }), "{error}");
    let trading = paid(&world, Channel::WechatPay).await;
    let error = world
        .service
        .refund(trading.trading_order_no, fen(1991), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), MessageCode::BasicRefundOutFail);
    let unknown = trade_core::TradingOrderNo::new(5).unwrap();
    let error = world.service.refund(unknown, fen(1), None).await.unwrap_err();
    assert_eq!(error.code(), MessageCode::NotFound);
    assert_eq!(world.wechat.calls("refund"), 0);
    assert_eq!(
        world.row(trading.trading_order_no).await.refund_reserved,
        Fen::ZERO
    );
}

#[tokio::test]
async fn an_unknown_outcome_is_finished_with_the_same_number() {
    for fault in [Fault::LostBefore, Fault::LostAfter, Fault::NotSent] {
        let world = World::new().await;
        let trading = paid(&world, Channel::WechatPay).await;
        world.wechat.fail([Fault::None, fault]);
        let refund = world
            .service
            .refund(trading.trading_order_no, fen(500), None)
            .await
            .unwrap();
        assert!(!refund.state.is_final(), "{fault:?}");
        world.run(40).await;
        let row = world.store.refund(refund.refund_no).await.unwrap().unwrap();
        assert_eq!(row.state, RefundState::Success, "{fault:?}");
        assert_eq!(world.wechat.ledger.lock().unwrap().refunds.len(), 1);
        let row = world.row(trading.trading_order_no).await;
        assert_eq!(
            (row.refund_reserved, row.refunded),
            (fen(500).fen(), fen(500).fen())
        );
    }
}

#[tokio::test]
async fn accepted_is_not_refunded() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    world.wechat.refunds_become(RefundStatus::Processing);
    let refund = world
        .service
        .refund(trading.trading_order_no, fen(1990), None)
        .await
        .unwrap();
    assert_eq!(refund.state, RefundState::Sending(RefundStep::Accepted));
    assert_eq!(world.row(trading.trading_order_no).await.refunded, Fen::ZERO);
    world.wechat.refunds_become(RefundStatus::Success);
    world.run(120).await;
    assert_eq!(
        world.store.refund(refund.refund_no).await.unwrap().unwrap().state,
        RefundState::Success
    );
    let announced: Vec<_> = world
        .events()
        .await
        .iter()
        .map(|event| event.message.status_code)
        .collect();
    assert_eq!(announced, [4, 1, 2]);
}

#[tokio::test]
async fn a_refused_refund_gives_its_reserve_back() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    world
        .wechat
        .fail([Fault::None, Fault::Reject(ErrorKind::RefundNotAllowed)]);
    let error = world
        .service
        .refund(trading.trading_order_no, fen(1990), None)
        .await
        .unwrap_err();
    assert_eq!(error.code(), MessageCode::NativeRefundFail);
    assert_eq!(
        world.row(trading.trading_order_no).await.refund_reserved,
        Fen::ZERO
    );
    let second = world
        .service
        .refund(trading.trading_order_no, fen(1990), None)
        .await
        .unwrap();
    assert_eq!(second.state, RefundState::Success);
}

#[tokio::test]
async fn a_short_balance_keeps_the_number_and_goes_on() {
    let world = World::new().await;
    let trading = paid(&world, Channel::AliPay).await;
    world
        .alipay
        .fail([Fault::None, Fault::Reject(ErrorKind::NotEnough)]);
    let refund = world
        .service
        .refund(trading.trading_order_no, fen(1990), None)
        .await
        .unwrap();
    assert_eq!(refund.state, RefundState::Sending(RefundStep::Unfunded));
    assert_eq!(
        world.row(trading.trading_order_no).await.refund_reserved,
        fen(1990).fen()
    );
    world.run(90).await;
    assert_eq!(
        world.store.refund(refund.refund_no).await.unwrap().unwrap().state,
        RefundState::Success
    );
    assert_eq!(world.alipay.ledger.lock().unwrap().refunds.len(), 1);
}

#[tokio::test]
async fn a_refund_notice_settles_the_refund_and_must_fit() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    let number = trading.trading_order_no;
    world.wechat.refunds_become(RefundStatus::Processing);
    let refund = world.service.refund(number, fen(700), None).await.unwrap();
    let wrong = world
        .notify(
            Channel::WechatPay,
            &refund_notice(number, refund.refund_no, 701, 1990),
        )
        .await;
    assert!(matches!(wrong.outcome, NoticeOutcome::Refused(_)));
    for _ in 0..3 {
        let taken = world
            .notify(
                Channel::WechatPay,
                &refund_notice(number, refund.refund_no, 700, 1990),
            )
            .await;
        assert_eq!(taken.outcome, NoticeOutcome::Taken);
    }
    assert_eq!(
        world.store.refund(refund.refund_no).await.unwrap().unwrap().state,
        RefundState::Success
    );
    assert_eq!(world.row(number).await.refunded, fen(700).fen());
}

#[tokio::test]
async fn a_refund_notice_that_overtook_the_payment_settles_first() {
    let world = World::new().await;
    let trading = world.create(Channel::AliPay, 1).await.unwrap();
    world.alipay.pay(trading.trading_order_no);
    let elsewhere = trade_core::RefundNo::new(77).unwrap();
    let body = refund_notice(trading.trading_order_no, elsewhere, 100, 1990);
    let answer = world.notify(Channel::AliPay, &body).await;
    assert!(
        matches!(answer.outcome, NoticeOutcome::Later(_)),
        "the channel does not confirm it yet"
    );
    world.alipay.console_refund(trading.trading_order_no, "77", 100);
    let answer = world.notify(Channel::AliPay, &body).await;
    assert_eq!(answer.outcome, NoticeOutcome::Taken);
    assert_eq!(world.states_announced().await, ["YJS", "SUCCESS"]);
    let row = world.row(trading.trading_order_no).await;
    assert_eq!(
        (row.refund_reserved, row.refunded),
        (fen(100).fen(), fen(100).fen())
    );
}
