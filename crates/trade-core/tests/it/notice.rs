//! Notices: believed only when they fit, and taken once however often they come.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use serde_json::json;
use trade_core::{Channel, Step, Trading, TradingState, port::Observer, service::NoticeOutcome};

use crate::support::{World, merchant};

#[tokio::test]
async fn a_genuine_notice_settles_once() {
    let world = Arc::new(World::new().await);
    let trading = world.create(Channel::WechatPay, 1).await.unwrap();
    let body = world.wechat.notice(trading.trading_order_no, 1990);
    let tasks: Vec<_> = (0..50)
        .map(|_| {
            let (world, body) = (Arc::clone(&world), body.clone());
            tokio::spawn(async move { world.notify(Channel::WechatPay, &body).await })
        })
        .collect();
    for task in tasks {
        let answer = task.await.unwrap();
        assert_eq!(
            (answer.outcome, answer.acknowledgement.status),
            (NoticeOutcome::Taken, 200)
        );
    }
    let row = world.row(trading.trading_order_no).await;
    assert_eq!((row.state, row.version), (TradingState::Settled, 3));
    assert_eq!(world.states_announced().await, ["YJS"]);
}

/// Takes note of how long after each payment its settlement came.
#[derive(Debug, Default)]
struct Lags(Mutex<Vec<(Channel, Option<Duration>)>>);

impl Observer for Lags {
    fn settled(&self, trading: &Trading, lag: Option<Duration>) {
        assert_eq!(trading.state, TradingState::Settled);
        self.0.lock().unwrap().push((trading.channel, lag));
    }
}

#[tokio::test]
async fn each_settlement_is_observed_once() {
    let world = World::new().await;
    let lags = Arc::new(Lags::default());
    let service = world.service.clone().observed_by(lags.clone());
    let world = World { service, ..world };
    let trading = world.create(Channel::WechatPay, 1).await.unwrap();
    let number = trading.trading_order_no;
    let body = world.wechat.notice(number, 1990);
    for _ in 0..3 {
        let answer = world.notify(Channel::WechatPay, &body).await;
        assert_eq!(answer.outcome, NoticeOutcome::Taken);
    }
    world.service.query(number).await.unwrap();
    let seen = lags.0.lock().unwrap().clone();
    assert_eq!(seen, [(Channel::WechatPay, None)], "the channel told no time");
}

#[tokio::test]
async fn authentic_is_not_yet_valid() {
    let world = World::new().await;
    let trading = world.create(Channel::WechatPay, 1).await.unwrap();
    let number = trading.trading_order_no;
    let wrong_amount = world.wechat.notice(number, 1);
    let wrong_merchant = json!({"id": "x", "merchant": 9, "out_trade_no": number.to_string(), "total": 1990});
    let not_ours = json!({"id": "x", "merchant": merchant().get(), "out_trade_no": "A-1", "total": 1990});
    for (body, reason) in [
        (wrong_amount, "mismatch"),
        (wrong_merchant.to_string(), "wrong_merchant"),
        (not_ours.to_string(), "not_our_number"),
        ("forged".into(), "bad_signature"),
    ] {
        let answer = world.notify(Channel::WechatPay, &body).await;
        let NoticeOutcome::Refused(not) = &answer.outcome else {
            panic!("{body}: {answer:?}");
        };
        assert_eq!(not.reason, reason, "{body}: {answer:?}");
        assert_eq!(answer.acknowledgement.status, 400);
    }
    // A notice of the other channel about this trading.
    let answer = world
        .notify(Channel::AliPay, &world.alipay.notice(number, 1990))
        .await;
    assert!(matches!(answer.outcome, NoticeOutcome::Refused(_)), "{answer:?}");
    let row = world.row(number).await;
    assert_eq!((row.state, row.version), (TradingState::Paying(Step::Placed), 2));
    assert!(
        row.stuck.unwrap().contains("0.01 yuan paid"),
        "a wrong amount is shown to a person"
    );
    assert!(world.events().await.is_empty());
}

#[tokio::test]
async fn an_unknown_number_is_sent_again_by_the_channel() {
    let world = World::new().await;
    let body = json!({"id": "x", "merchant": merchant().get(), "out_trade_no": "42", "total": 1990});
    let answer = world.notify(Channel::WechatPay, &body.to_string()).await;
    assert!(matches!(answer.outcome, NoticeOutcome::Later(_)));
    assert_eq!(answer.acknowledgement.status, 500);
}

#[tokio::test]
async fn a_late_close_notice_does_not_unpay() {
    let world = World::new().await;
    let trading = world.create(Channel::AliPay, 1).await.unwrap();
    let number = trading.trading_order_no;
    world
        .notify(Channel::AliPay, &world.alipay.notice(number, 1990))
        .await;
    let closed =
        json!({"id": "c", "merchant": merchant().get(), "out_trade_no": number.to_string(), "closed": true});
    let answer = world.notify(Channel::AliPay, &closed.to_string()).await;
    assert_eq!(answer.outcome, NoticeOutcome::Taken);
    assert_eq!(world.row(number).await.state, TradingState::Settled);
}

#[tokio::test]
async fn a_poll_settles_when_every_notice_is_lost() {
    for channel in Channel::ALL {
        let world = World::new().await;
        let trading = world.create(channel, 1).await.unwrap();
        world.channel(channel).pay(trading.trading_order_no);
        world.run(6).await;
        let row = world.row(trading.trading_order_no).await;
        assert_eq!(row.state, TradingState::Settled);
        assert_eq!(
            row.paid_at,
            Some(world.now().minus(std::time::Duration::from_secs(1)))
        );
        assert_eq!(world.sink.published().len(), 1);
    }
}
