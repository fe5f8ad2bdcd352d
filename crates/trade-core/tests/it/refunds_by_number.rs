//! Many refunds of one trading, under the caller's own numbers, within the channel's rules.

use std::time::Duration;

use trade_core::{
    Amount, Channel, ErrorKind, Fen, ProductAppId, ProductRefundNo, Refund, RefundOrigin, RefundState,
    RefundStep, Trading, TradingOrderNo,
    handler::RefundStatus,
    port::{CallStore, RefundFilter, RefundStore},
    service::{CreateRefund, MessageCode, NoticeOutcome, TradeError},
};

use crate::support::{Fault, SHOP, World, notice_of_console_refund};

const DAY: Duration = Duration::from_secs(24 * 3600);

async fn paid(world: &World, channel: Channel) -> Trading {
    let trading = world.create(channel, 1).await.unwrap();
    world.channel(channel).pay(trading.trading_order_no);
    world.service.query(trading.trading_order_no).await.unwrap()
}

fn asked(trading: &Trading, number: &str, fen: i64) -> CreateRefund {
    CreateRefund {
        product_app_id: ProductAppId::new(SHOP).unwrap(),
        product_refund_no: ProductRefundNo::new(number).unwrap(),
        trading_order_no: trading.trading_order_no,
        amount: Amount::new(fen).unwrap(),
        reason: Some("少做了一间房".into()),
    }
}

async fn refund(world: &World, trading: &Trading, number: &str, fen: i64) -> Result<Refund, TradeError> {
    world.service.create_refund(&asked(trading, number, fen)).await
}

async fn sums(world: &World, trading: &Trading) -> (Fen, Fen) {
    let row = world.row(trading.trading_order_no).await;
    (row.refund_reserved, row.refunded)
}

fn fen(amount: i64) -> Fen {
    Fen::new(amount).unwrap()
}

#[tokio::test]
async fn parts_wait_their_turn_and_all_go_back() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    let first = refund(&world, &trading, "r-1", 500).await.unwrap();
    assert_eq!(first.state, RefundState::Success);
    let second = refund(&world, &trading, "r-2", 500).await.unwrap();
    let third = refund(&world, &trading, "r-3", 990).await.unwrap();
    assert_eq!(
        (second.state, third.state),
        (RefundState::Applied, RefundState::Applied)
    );
    assert_eq!(second.send_at, first.send_at.plus(Duration::from_secs(60)));
    assert_eq!(third.send_at, first.send_at.plus(Duration::from_secs(120)));
    assert_eq!(
        sums(&world, &trading).await,
        (fen(1990), fen(500)),
        "reserved at once"
    );
    let error = refund(&world, &trading, "r-4", 1).await.unwrap_err();
    assert_eq!(error.code(), MessageCode::BasicRefundOutFail);
    world.run(59).await;
    assert_eq!(world.wechat.calls("refund"), 1, "not before its turn");
    world.run(2).await;
    assert_eq!(world.wechat.calls("refund"), 2);
    world.run(60).await;
    assert_eq!(sums(&world, &trading).await, (fen(1990), fen(1990)));
    assert_eq!(world.wechat.ledger.lock().unwrap().refunds.len(), 3);
}

#[tokio::test]
async fn a_number_makes_one_refund_and_is_not_lent_to_another() {
    let world = World::new().await;
    let trading = paid(&world, Channel::AliPay).await;
    let first = refund(&world, &trading, "r-1", 500).await.unwrap();
    for _ in 0..3 {
        assert_eq!(
            refund(&world, &trading, "r-1", 500).await.unwrap().refund_no,
            first.refund_no
        );
    }
    let error = refund(&world, &trading, "r-1", 501).await.unwrap_err();
    assert!(matches!(error, TradeError::RefundNumberUsed { refund_no, .. } if refund_no == first.refund_no));
    let number = ProductRefundNo::new("r-1").unwrap();
    let app = ProductAppId::new(SHOP).unwrap();
    let found = world
        .service
        .query_refund_by_product_no(&app, &number)
        .await
        .unwrap();
    assert_eq!(found.refund_no, first.refund_no);
    let other_app = ProductAppId::new("other").unwrap();
    let error = world
        .service
        .query_refund_by_product_no(&other_app, &number)
        .await
        .unwrap_err();
    assert_eq!(error.code(), MessageCode::RefundNotFound);
    assert_eq!(world.alipay.calls("refund"), 1);
    assert_eq!(sums(&world, &trading).await.0, fen(500));
}

#[tokio::test]
async fn bad_refunds_send_nothing_and_reserve_nothing() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    let mut foreign = asked(&trading, "r-1", 100);
    foreign.product_app_id = ProductAppId::new("other").unwrap();
    let error = world.service.create_refund(&foreign).await.unwrap_err();
    assert_eq!(
        error.code(),
        MessageCode::NotFound,
        "another app's trading does not exist for it"
    );
    let mut unknown = asked(&trading, "r-1", 100);
    unknown.trading_order_no = TradingOrderNo::new(9).unwrap();
    let error = world.service.create_refund(&unknown).await.unwrap_err();
    assert_eq!(error.code(), MessageCode::NotFound);
    let error = refund(&world, &trading, "r-1", 1991).await.unwrap_err();
    assert_eq!(error.code(), MessageCode::BasicRefundOutFail);
    world.clock.advance(DAY * 366);
    let error = refund(&world, &trading, "r-1", 100).await.unwrap_err();
    assert!(
        matches!(error, TradeError::RefundTooLate { days: 365, .. }),
        "{error}"
    );
    assert_eq!(world.wechat.calls("refund"), 0);
    assert_eq!(sums(&world, &trading).await, (Fen::ZERO, Fen::ZERO));
}

#[tokio::test]
async fn the_channel_makes_fifty_of_one_payment() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    for number in 0..50 {
        refund(&world, &trading, &format!("r-{number}"), 1).await.unwrap();
    }
    let error = refund(&world, &trading, "r-50", 1).await.unwrap_err();
    assert!(
        matches!(error, TradeError::TooManyRefunds { most: 50, .. }),
        "{error}"
    );
    world.run(50 * 60).await;
    assert_eq!(sums(&world, &trading).await, (fen(50), fen(50)));
}

#[tokio::test]
async fn a_refusal_after_an_unknown_attempt_ends_it_once_nothing_can_be_under_way() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    world.wechat.fail([Fault::None, Fault::LostBefore]);
    let unknown = refund(&world, &trading, "r-1", 500).await.unwrap();
    assert_eq!(unknown.state, RefundState::Sending(RefundStep::Unknown));
    world.wechat.refuse_refunds(true);
    world.run(35).await;
    let row = world.store.refund(unknown.refund_no).await.unwrap().unwrap();
    assert_eq!(
        row.state,
        RefundState::Sending(RefundStep::Unknown),
        "the first may still arrive"
    );
    assert_eq!(sums(&world, &trading).await.0, fen(500));
    world.run(600).await;
    let row = world.store.refund(unknown.refund_no).await.unwrap().unwrap();
    assert_eq!(row.state, RefundState::Failed);
    assert_eq!(sums(&world, &trading).await.0, Fen::ZERO);
}

#[tokio::test]
async fn what_is_given_up_is_stuck_with_a_reason_until_somebody_retries_it() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    world.wechat.short_of_money(true);
    let refund = refund(&world, &trading, "r-1", 500).await.unwrap();
    for _ in 0..4 * 24 * 6 {
        world.clock.advance(Duration::from_secs(600));
        world.tick().await;
    }
    let stuck = RefundFilter {
        stuck: true,
        ..RefundFilter::default()
    };
    let page = trade_core::port::Page {
        before: None,
        limit: 10,
    };
    let listed = world.service.list_refunds(&stuck, page).await.unwrap();
    assert!(
        listed[0].stuck.as_ref().unwrap().contains("top it up"),
        "{listed:?}"
    );
    assert_eq!(listed[0].next_check_at, None);
    assert_eq!(world.service.counts().await.unwrap().stuck_refunds, 1);
    let calls = world.wechat.calls("refund");
    assert!(calls < 200, "calls are bounded: {calls}");
    world.wechat.short_of_money(false);
    world.service.retry_refund(refund.refund_no).await.unwrap();
    world.run(2).await;
    let row = world.store.refund(refund.refund_no).await.unwrap().unwrap();
    assert_eq!((row.state, row.stuck), (RefundState::Success, None));
    assert_eq!(world.wechat.ledger.lock().unwrap().refunds.len(), 1);
}

#[tokio::test]
async fn a_refund_made_in_the_console_counts_once() {
    let world = World::new().await;
    let trading = paid(&world, Channel::AliPay).await;
    let number = trading.trading_order_no;
    world.alipay.console_refund(number, "console-9", 1500);
    let notice = notice_of_console_refund(number, "console-9", None, Some(1500), 1990);
    for _ in 0..3 {
        let answer = world.notify(Channel::AliPay, &notice).await;
        assert_eq!(answer.outcome, NoticeOutcome::Taken);
    }
    assert_eq!(sums(&world, &trading).await, (fen(1500), fen(1500)));
    let imported = &world.service.refunds_of(number).await.unwrap()[0];
    assert_eq!(imported.origin, RefundOrigin::Console);
    assert_eq!(imported.out_refund_no, "console-9");
    let error = refund(&world, &trading, "r-1", 500).await.unwrap_err();
    assert_eq!(error.code(), MessageCode::BasicRefundOutFail);
    refund(&world, &trading, "r-2", 490).await.unwrap();
    world.run(61).await;
    assert_eq!(sums(&world, &trading).await, (fen(1990), fen(1990)));
}

#[tokio::test]
async fn a_console_refund_beside_a_refund_of_ours_is_taken_in_once_ours_is_refused() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    let number = trading.trading_order_no;
    world.wechat.fail([Fault::None, Fault::NotSent]);
    let ours = refund(&world, &trading, "r-1", 1000).await.unwrap();
    assert_eq!(ours.state, RefundState::Applied);
    world.wechat.console_refund(number, "console-1", 1990);
    let notice = notice_of_console_refund(number, "console-1", Some(1990), None, 1990);
    let answer = world.notify(Channel::WechatPay, &notice).await;
    assert!(matches!(answer.outcome, NoticeOutcome::Later(_)));
    assert!(world.row(number).await.stuck.unwrap().contains("console"));
    world.run(900).await;
    assert_eq!(
        world.service.refunds_of(number).await.unwrap()[0].state,
        RefundState::Failed
    );
    let answer = world.notify(Channel::WechatPay, &notice).await;
    assert_eq!(answer.outcome, NoticeOutcome::Taken);
    assert_eq!(sums(&world, &trading).await, (fen(1990), fen(1990)));
    assert_eq!(world.row(number).await.stuck, None);
}

#[tokio::test]
async fn a_console_refund_nobody_told_of_is_suspected_before_the_next_refund() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    world
        .wechat
        .console_refund(trading.trading_order_no, "console-1", 1500);
    let error = refund(&world, &trading, "r-1", 500).await.unwrap_err();
    assert_eq!(
        error.code(),
        MessageCode::NativeRefundFail,
        "the channel refuses what is not there"
    );
    let row = world.row(trading.trading_order_no).await;
    assert!(row.stuck.unwrap().contains("merchant console"));
    assert_eq!(row.refund_reserved, Fen::ZERO);
}

#[tokio::test]
async fn every_call_is_noted_for_the_timeline() {
    let world = World::new().await;
    let trading = paid(&world, Channel::WechatPay).await;
    world.wechat.refunds_become(RefundStatus::Processing);
    world
        .wechat
        .fail([Fault::None, Fault::Reject(ErrorKind::NotEnough)]);
    refund(&world, &trading, "r-1", 500).await.unwrap();
    let calls = world.store.calls_of(trading.trading_order_no).await.unwrap();
    let seen: Vec<_> = calls
        .iter()
        .map(|call| (call.operation.as_str(), call.outcome.as_str()))
        .collect();
    assert_eq!(
        seen,
        [
            ("place", "ok"),
            ("query", "ok"),
            ("query", "ok"),
            ("refund", "rejected")
        ]
    );
    assert!(calls[3].refund_no.is_some());
    assert_eq!(calls[3].code, "FAKE");
}
