//! Closing, expiry, and money that comes late.

use std::time::Duration;

use trade_core::{
    Cause, Channel, ErrorKind, Role, Step, TradingState,
    port::TradingStore,
    service::{NoticeOutcome, TradeError},
};

use crate::support::{Fault, World, notice_of_console_refund, payment};

#[tokio::test]
async fn an_unpaid_trading_is_closed_and_stays_closed() {
    let world = World::new().await;
    let trading = world.create(Channel::WechatPay, 1).await.unwrap();
    let closed = world.service.close(trading.trading_order_no).await.unwrap();
    assert_eq!(closed.state, TradingState::Cancelled);
    assert_eq!(closed.live_code(), None);
    world.service.close(trading.trading_order_no).await.unwrap();
    assert_eq!(world.wechat.calls("close"), 1);
    assert_eq!(world.states_announced().await, ["QXDD"]);
}

#[tokio::test]
async fn paid_wins_over_close() {
    let world = World::new().await;
    let trading = world.create(Channel::WechatPay, 1).await.unwrap();
    world.wechat.pay(trading.trading_order_no);
    let error = world.service.close(trading.trading_order_no).await.unwrap_err();
    assert!(
        matches!(
            error,
            TradeError::NotClosable {
                state: TradingState::Settled,
                ..
            }
        ),
        "{error}"
    );
    assert_eq!(world.wechat.calls("close"), 0);
    assert_eq!(world.states_announced().await, ["YJS"]);
}

#[tokio::test]
async fn nothing_is_closed_at_the_channel_before_it_says_unpaid() {
    let world = World::new().await;
    let trading = world.create(Channel::WechatPay, 1).await.unwrap();
    world.wechat.fail([Fault::LostBefore]);
    world.service.close(trading.trading_order_no).await.unwrap_err();
    assert_eq!(world.wechat.calls("close"), 0);
    assert_eq!(
        world.row(trading.trading_order_no).await.state,
        TradingState::Paying(Step::Closing)
    );
    // The job finishes what the caller began.
    world.run(40).await;
    assert_eq!(
        world.row(trading.trading_order_no).await.state,
        TradingState::Cancelled
    );
}

#[tokio::test]
async fn twenty_minutes_end_a_trading_and_not_a_second_before() {
    for channel in Channel::ALL {
        let world = World::new().await;
        let trading = world.create(channel, 1).await.unwrap();
        world.channel(channel).scan(trading.trading_order_no);
        world.run(20 * 60 - 1).await;
        assert!(world.row(trading.trading_order_no).await.state.is_live());
        world.run(2).await;
        assert_eq!(
            world.row(trading.trading_order_no).await.state,
            TradingState::Cancelled,
            "{channel}"
        );
        assert_eq!(world.states_announced().await, ["QXDD"]);
        assert_eq!(world.sink.published().len(), 1);
    }
}

#[tokio::test]
async fn a_payment_in_the_last_second_settles() {
    let world = World::new().await;
    let trading = world.create(Channel::AliPay, 1).await.unwrap();
    world.clock.advance(Duration::from_secs(20 * 60 - 1));
    assert!(world.alipay.pay(trading.trading_order_no));
    world.run(2).await;
    let row = world.row(trading.trading_order_no).await;
    assert_eq!((row.state, row.role), (TradingState::Settled, Some(Role::Winner)));
    assert_eq!(world.alipay.calls("close"), 0);
}

#[tokio::test]
async fn an_unscanned_code_is_watched_after_its_close_and_a_late_payment_adopted() {
    let world = World::new().await;
    let trading = world.create(Channel::AliPay, 1).await.unwrap();
    // A switch that never came to a new trading: the old one is closed, the order is still unpaid.
    let mut switch = payment(Channel::WechatPay, 1);
    switch.change_channel = true;
    world.wechat.fail([Fault::Reject(ErrorKind::Configuration)]);
    world.service.create(&switch).await.unwrap_err();
    let closed = world.row(trading.trading_order_no).await;
    assert_eq!(closed.state, TradingState::Cancelled);
    assert!(closed.next_check_at.is_some());
    assert!(
        world.alipay.pay(trading.trading_order_no),
        "the code of an unscanned trading lives on"
    );
    world.run(70).await;
    let row = world.row(trading.trading_order_no).await;
    assert_eq!((row.state, row.role), (TradingState::Settled, Some(Role::Winner)));
    assert_eq!(world.states_announced().await, ["QXDD", "FKSB", "YJS"]);
}

#[tokio::test]
async fn a_late_payment_of_what_the_caller_closed_goes_back_by_itself() {
    let world = World::new().await;
    let trading = world.create(Channel::AliPay, 1).await.unwrap();
    let number = trading.trading_order_no;
    world.service.close(number).await.unwrap();
    assert!(world.alipay.pay(number));
    world.run(70).await;
    let row = world.row(number).await;
    assert_eq!(
        (row.state, row.role),
        (TradingState::Settled, Some(Role::Surplus))
    );
    assert_eq!((row.refunded, row.stuck), (row.amount.fen(), None));
    assert_eq!(
        world.states_announced().await,
        ["QXDD", "APPLY_REFUND", "SENDING", "SUCCESS"]
    );
    let origins: Vec<_> = world
        .events()
        .await
        .into_iter()
        .map(|event| event.message.refund_origin)
        .collect();
    assert_eq!(origins[0], None);
    assert!(
        origins[1..]
            .iter()
            .all(|origin| origin.as_deref() == Some("SURPLUS"))
    );
}

#[tokio::test]
async fn closing_what_has_expired_gives_it_up_for_good() {
    let world = World::new().await;
    let trading = world.create(Channel::AliPay, 1).await.unwrap();
    let number = trading.trading_order_no;
    world.run(20 * 60 + 5).await;
    assert!(!world.row(number).await.withdrawn);
    assert!(world.service.close(number).await.unwrap().withdrawn);
    world
        .alipay
        .ledger
        .lock()
        .unwrap()
        .orders
        .get_mut(&number.to_string())
        .unwrap()
        .paid = true;
    world.run(3600 * 2).await;
    let row = world.row(number).await;
    assert_eq!((row.role, row.refunded), (Some(Role::Surplus), row.amount.fen()));
}

#[tokio::test]
async fn a_second_payment_of_an_order_is_never_a_second_winner() {
    let world = World::new().await;
    let old = world.create(Channel::AliPay, 1).await.unwrap();
    world.service.close(old.trading_order_no).await.unwrap();
    let new = world.create(Channel::WechatPay, 1).await.unwrap();
    world.wechat.pay(new.trading_order_no);
    world.alipay.pay(old.trading_order_no);
    world.run(180).await;
    let (old, new) = (
        world.row(old.trading_order_no).await,
        world.row(new.trading_order_no).await,
    );
    assert_eq!(
        (old.state, new.state),
        (TradingState::Settled, TradingState::Settled)
    );
    let mut roles = [old.role, new.role];
    roles.sort_by_key(|role| role.map(Role::key));
    assert_eq!(roles, [Some(Role::Surplus), Some(Role::Winner)]);
    let surplus = if old.role == Some(Role::Surplus) { old } else { new };
    assert_eq!((surplus.refunded, surplus.stuck), (surplus.amount.fen(), None));
    let announced = world.states_announced().await;
    assert_eq!(announced.iter().filter(|state| *state == "YJS").count(), 1);
}

/// A surplus is given back as a whole or not at all: what somebody gave back by hand leaves a rest that is seen.
#[tokio::test]
async fn a_second_payment_that_went_back_in_part_by_hand_stays_visible() {
    let world = World::new().await;
    let number = world.create(Channel::AliPay, 1).await.unwrap().trading_order_no;
    world.service.close(number).await.unwrap();
    world.alipay.ledger.lock().unwrap().misconfigured = true;
    assert!(world.alipay.pay(number));
    world.run(70).await;
    let stuck = world.row(number).await.stuck.unwrap();
    assert!(stuck.contains("cannot be refunded yet"), "{stuck}");

    world.alipay.console_refund(number, "console-1", 500);
    let notice = notice_of_console_refund(number, "console-1", Some(500), None, 1990);
    let answer = world.notify(Channel::AliPay, &notice).await;
    assert_eq!(answer.outcome, NoticeOutcome::Taken);
    world.alipay.ledger.lock().unwrap().misconfigured = false;
    world.service.retry_trading(number).await.unwrap();
    world.run(10).await;
    let row = world.row(number).await;
    assert_eq!(row.refund_reserved.get(), 500);
    let stuck = row.stuck.expect("the rest is not forgotten");
    assert!(stuck.contains("give the rest back there"), "{stuck}");
}

#[tokio::test]
async fn watching_ends_when_the_code_is_dead() {
    let world = World::new().await;
    let trading = world.create(Channel::AliPay, 1).await.unwrap();
    world.service.close(trading.trading_order_no).await.unwrap();
    // It could have been placed until its expiry, and a code lives for two hours.
    world.run(20 * 60 + 2 * 3600 + 100).await;
    assert!(world.row(trading.trading_order_no).await.next_check_at.is_some());
    world.run(100).await;
    assert_eq!(world.row(trading.trading_order_no).await.next_check_at, None);
    let calls = world.alipay.calls("query");
    world.run(600).await;
    assert_eq!(world.alipay.calls("query"), calls);
}

#[tokio::test]
async fn an_outage_over_the_expiry_ends_in_a_close_and_a_long_one_in_stuck() {
    let world = World::new().await;
    let trading = world.create(Channel::WechatPay, 1).await.unwrap();
    world.wechat.fail(vec![Fault::LostBefore; 10_000]);
    for _ in 0..4 * 24 * 6 {
        world.clock.advance(Duration::from_secs(600));
        world.tick().await;
    }
    let row = world.row(trading.trading_order_no).await;
    assert!(row.state.is_live(), "no answer is never taken for unpaid");
    assert!(row.stuck.is_some() && row.next_check_at.is_none());
    assert!(
        world.wechat.calls("query") < 400,
        "calls are bounded: {}",
        world.wechat.calls("query")
    );
}

#[tokio::test]
async fn the_journal_tells_the_story_without_gaps() {
    let world = World::new().await;
    let trading = world.create(Channel::WechatPay, 1).await.unwrap();
    world.service.close(trading.trading_order_no).await.unwrap();
    let story = world.store.journal(trading.trading_order_no).await.unwrap();
    let versions: Vec<_> = story.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, [1, 2, 3, 4]);
    let steps: Vec<_> = story
        .iter()
        .map(|entry| (entry.to_state.key(), entry.cause))
        .collect();
    assert_eq!(
        steps,
        [
            ("paying.intended", Cause::Request),
            ("paying.placed", Cause::Place),
            ("paying.closing", Cause::Request),
            ("cancelled", Cause::Close),
        ]
    );
    for pair in story.windows(2) {
        assert_eq!(Some(pair[0].to_state), pair[1].from_state);
    }
}
