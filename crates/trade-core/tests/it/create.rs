//! Creating: one live trading an order, the same number and content for ever, nothing lost in between.

use std::{sync::Arc, time::Duration};

use trade_core::{
    Certainty, Channel, ErrorKind, Step, TradingState,
    port::{Clock, TradingStore},
    service::{CreateTrading, MessageCode, TradeError},
};

use crate::support::{Fault, World, order, payment};

const BOTH: [Channel; 2] = Channel::ALL;

#[tokio::test]
async fn a_repeat_gives_the_same_trading_and_code() {
    for channel in BOTH {
        let world = World::new().await;
        let first = world.create(channel, 1).await.unwrap();
        let again = world.create(channel, 1).await.unwrap();
        assert_eq!(first.trading_order_no, again.trading_order_no);
        assert_eq!(first.live_code(), again.live_code());
        assert_eq!(
            (
                world.channel(channel).orders(),
                world.channel(channel).calls("place")
            ),
            (1, 1)
        );
    }
}

#[tokio::test]
async fn an_unknown_outcome_stays_pending_and_is_finished_with_the_same_request() {
    for channel in BOTH {
        for fault in [Fault::LostBefore, Fault::LostAfter] {
            let world = World::new().await;
            world.channel(channel).fail([fault]);
            let error = world.create(channel, 1).await.unwrap_err();
            assert_eq!(error.channel_error().unwrap().certainty(), Certainty::Unknown);
            assert!(error.retry_may_help());
            let rows = world.store.tradings_of(&order(1)).await.unwrap();
            assert_eq!(rows.len(), 1);
            assert_eq!(rows[0].state, TradingState::Paying(Step::Unknown));

            world.run(3).await;
            let row = world.row(rows[0].trading_order_no).await;
            assert_eq!(
                row.state,
                TradingState::Paying(Step::Placed),
                "{channel} {fault:?}"
            );
            let ledger = world.channel(channel).ledger.lock().unwrap();
            assert_eq!(ledger.orders.len(), 1);
            assert_eq!(
                ledger.orders[&row.trading_order_no.to_string()].content,
                row.content.as_str()
            );
        }
    }
}

#[tokio::test]
async fn a_caller_who_repeats_after_an_unknown_outcome_gets_the_same_number() {
    let world = World::new().await;
    world.wechat.fail([Fault::LostAfter]);
    world.create(Channel::WechatPay, 1).await.unwrap_err();
    world.clock.advance(Duration::from_secs(3));
    let repeated = world.create(Channel::WechatPay, 1).await.unwrap();
    assert_eq!(repeated.state, TradingState::Paying(Step::Placed));
    assert_eq!(world.store.tradings_of(&order(1)).await.unwrap().len(), 1);
    assert_eq!(world.wechat.orders(), 1);
}

#[tokio::test]
async fn a_request_that_never_left_is_sent_again_at_once() {
    let world = World::new().await;
    world.alipay.fail([Fault::NotSent]);
    let error = world.create(Channel::AliPay, 1).await.unwrap_err();
    assert_eq!(error.channel_error().unwrap().certainty(), Certainty::NotSent);
    let created = world.create(Channel::AliPay, 1).await.unwrap();
    assert!(created.live_code().is_some());
    assert_eq!(world.store.tradings_of(&order(1)).await.unwrap().len(), 1);
}

#[tokio::test]
async fn a_refusal_is_final_and_frees_the_order() {
    let world = World::new().await;
    world.wechat.fail([Fault::Reject(ErrorKind::Configuration)]);
    let error = world.create(Channel::WechatPay, 1).await.unwrap_err();
    assert_eq!(error.code(), MessageCode::NativePayFail);
    assert_eq!(world.states_announced().await, ["FKSB"]);
    let second = world.create(Channel::WechatPay, 1).await.unwrap();
    let rows = world.store.tradings_of(&order(1)).await.unwrap();
    assert_eq!(rows.len(), 2);
    assert_eq!(rows[0].trading_order_no, second.trading_order_no);
    assert_eq!(rows[1].state, TradingState::Failed);
}

#[tokio::test]
async fn bad_terms_store_nothing_and_send_nothing() {
    let world = World::new().await;
    let mut request = payment(Channel::WechatPay, 1);
    request.memo = "长".repeat(128);
    let error = world.service.create(&request).await.unwrap_err();
    assert!(
        matches!(error, TradeError::Invalid { field: "memo", .. }),
        "{error}"
    );
    request = payment(Channel::WechatPay, 1);
    request.enterprise_id = trade_core::EnterpriseId::new(7).unwrap();
    let error = world.service.create(&request).await.unwrap_err();
    assert_eq!(error.code(), MessageCode::ConfigEmpty);
    assert!(world.store.tradings_of(&order(1)).await.unwrap().is_empty());
    assert!(world.wechat.ledger.lock().unwrap().calls.is_empty());
}

#[tokio::test]
async fn terms_are_frozen_while_a_code_lives() {
    let world = World::new().await;
    world.create(Channel::WechatPay, 1).await.unwrap();
    let mut dearer = payment(Channel::WechatPay, 1);
    dearer.amount = trade_core::Amount::new(2990).unwrap();
    let error = world.service.create(&dearer).await.unwrap_err();
    assert!(
        matches!(
            error,
            TradeError::PayingOtherwise {
                field: "tradingAmount",
                ..
            }
        ),
        "{error}"
    );
}

#[tokio::test]
async fn a_paid_order_takes_no_second_payment() {
    let world = World::new().await;
    let trading = world.create(Channel::WechatPay, 1).await.unwrap();
    world.wechat.pay(trading.trading_order_no);
    world.run(6).await;
    for channel in BOTH {
        let error = world.create(channel, 1).await.unwrap_err();
        assert_eq!(error.code(), MessageCode::TradingStateSucceed);
    }
    assert_eq!(world.alipay.orders(), 0);
}

#[tokio::test]
async fn a_switch_closes_the_old_channel_first() {
    let world = World::new().await;
    let old = world.create(Channel::WechatPay, 1).await.unwrap();
    let mut switch = payment(Channel::AliPay, 1);
    let error = world.service.create(&switch).await.unwrap_err();
    assert!(
        matches!(
            error,
            TradeError::PayingElsewhere {
                channel: Channel::WechatPay,
                ..
            }
        ),
        "{error}"
    );
    switch.change_channel = true;
    let new = world.service.create(&switch).await.unwrap();
    assert_eq!(new.channel, Channel::AliPay);
    assert_eq!(
        world.row(old.trading_order_no).await.state,
        TradingState::Cancelled
    );
    assert!(!world.wechat.pay(old.trading_order_no), "the old code is dead");
}

#[tokio::test]
async fn a_switch_that_finds_the_old_one_paid_answers_so() {
    let world = World::new().await;
    let old = world.create(Channel::WechatPay, 1).await.unwrap();
    world.wechat.pay(old.trading_order_no);
    let mut switch = payment(Channel::AliPay, 1);
    switch.change_channel = true;
    let error = world.service.create(&switch).await.unwrap_err();
    assert!(
        matches!(error, TradeError::OrderPaid(number) if number == old.trading_order_no),
        "{error}"
    );
    assert_eq!(world.alipay.orders(), 0);
    assert_eq!(world.states_announced().await, ["YJS"]);
}

#[tokio::test]
async fn a_switch_that_cannot_close_opens_nothing() {
    let world = World::new().await;
    world.create(Channel::WechatPay, 1).await.unwrap();
    // The question before the close is answered, the close and the question after it are not.
    world
        .wechat
        .fail([Fault::None, Fault::LostBefore, Fault::LostBefore]);
    let mut switch = payment(Channel::AliPay, 1);
    switch.change_channel = true;
    let error = world.service.create(&switch).await.unwrap_err();
    assert_eq!(error.code(), MessageCode::NativeQueryFail);
    assert_eq!(world.alipay.orders(), 0);
}

#[tokio::test]
async fn a_switch_goes_on_when_only_the_word_about_the_close_is_lost() {
    for lost in [Fault::LostBefore, Fault::LostAfter] {
        let world = World::new().await;
        let old = world.create(Channel::WechatPay, 1).await.unwrap();
        world.wechat.fail([Fault::None, lost]);
        let mut switch = payment(Channel::AliPay, 1);
        switch.change_channel = true;
        let new = world.service.create(&switch).await.unwrap();
        assert_eq!(new.channel, Channel::AliPay);
        // The watch closes what the lost close did not.
        world.run(10).await;
        assert!(!world.wechat.pay(old.trading_order_no), "{lost:?}");
        assert_eq!(
            world.row(old.trading_order_no).await.state,
            TradingState::Cancelled
        );
    }
}

#[tokio::test]
async fn a_switch_back_finds_what_was_paid_meanwhile() {
    let world = World::new().await;
    let old = world.create(Channel::AliPay, 1).await.unwrap();
    let mut switch = payment(Channel::WechatPay, 1);
    switch.change_channel = true;
    let new = world.service.create(&switch).await.unwrap();
    assert!(
        world.alipay.pay(old.trading_order_no),
        "its code was never scanned"
    );
    switch.channel = Channel::AliPay;
    let error = world.service.create(&switch).await.unwrap_err();
    assert!(
        matches!(error, TradeError::OrderPaid(number) if number == old.trading_order_no),
        "{error}"
    );
    // The payment is adopted, and what was live beside it is closed.
    world.run(2).await;
    let new = world.row(new.trading_order_no).await;
    assert_eq!(new.state, TradingState::Cancelled);
    assert!(!world.wechat.pay(new.trading_order_no));
}

#[tokio::test]
async fn an_expired_code_is_replaced() {
    let world = World::new().await;
    let old = world.create(Channel::WechatPay, 1).await.unwrap();
    world.clock.advance(Duration::from_secs(20 * 60));
    let new = world.create(Channel::WechatPay, 1).await.unwrap();
    assert_ne!(old.trading_order_no, new.trading_order_no);
    assert_eq!(
        world.row(old.trading_order_no).await.state,
        TradingState::Cancelled
    );
}

#[tokio::test]
async fn many_at_once_make_one_trading() {
    let world = Arc::new(World::new().await);
    let barrier = Arc::new(tokio::sync::Barrier::new(32));
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let (world, barrier) = (Arc::clone(&world), Arc::clone(&barrier));
            tokio::spawn(async move {
                barrier.wait().await;
                world.create(Channel::WechatPay, 1).await
            })
        })
        .collect();
    // Waiters sleep on the manual clock.
    for _ in 0..200 {
        tokio::task::yield_now().await;
        world.clock.advance(Duration::from_millis(25));
    }
    let mut numbers = std::collections::BTreeSet::new();
    for task in tasks {
        match task.await.unwrap() {
            Ok(trading) => drop(numbers.insert(trading.trading_order_no)),
            Err(error) => assert!(error.retry_may_help(), "{error}"),
        }
    }
    assert_eq!(numbers.len(), 1);
    assert_eq!((world.wechat.orders(), world.wechat.calls("place")), (1, 1));
}

#[tokio::test]
async fn an_order_systems_own_expiry_is_kept_and_checked() {
    for channel in BOTH {
        let world = World::new().await;
        let now = world.clock.now();
        let until = |secs: u64| CreateTrading {
            expires_at: Some(now.plus(Duration::from_secs(secs))),
            ..payment(channel, 1)
        };
        for (secs, allowed) in [(0, false), (59, false), (432_001, false), (60, true)] {
            let answer = world.service.create(&until(secs)).await;
            assert_eq!(answer.is_ok(), allowed, "{secs}");
            if let Err(error) = answer {
                assert!(error.to_string().starts_with("expiresAt: "), "{error}");
                assert_eq!(world.channel(channel).orders(), 0);
            }
        }
        let rows = world.store.tradings_of(&order(1)).await.unwrap();
        assert_eq!(rows.len(), 1);
        assert_eq!(rows[0].expires_at, now.plus(Duration::from_secs(60)));
        // It is closed when its own time is over, long before the service's twenty minutes.
        world.clock.advance(Duration::from_secs(61));
        world.run(2).await;
        assert_eq!(
            world.row(rows[0].trading_order_no).await.state,
            TradingState::Cancelled
        );
    }
}
