//! What happens to every server of the sweep: each flow once, in an order that lets them meet.

use std::time::Duration;

use serde_json::{Value, json};
use trade_core::{TradingOrderNo, port::TradeStore};
use trade_sandbox::{
    Channel as Bank,
    faults::{Fault, FaultKind},
    notice::{NoticeKind, NoticeState},
};
use trade_testkit::oracle::Promises;

use super::{ports::ANNOUNCED, server::World};

const ALI: &str = "ALI_PAY";
const WECHAT: &str = "WECHAT_PAY";

/// Plays it; what was promised to callers on the way.
pub(crate) async fn play(world: &mut World) -> Promises {
    let mut promises = Promises::default();
    switch_and_pay_both(world, &mut promises).await;
    let paid = pay_unnoticed(world, &mut promises).await;
    refund_in_parts(world, &mut promises, &paid).await;
    close_one_and_let_one_expire(world, &mut promises).await;
    promises
}

/// The order is paid at the new channel, and then at the old one, too: that goes back by itself.
async fn switch_and_pay_both(world: &mut World, promises: &mut Promises) {
    let old = create(world, promises, "create", ALI, 1).await;
    let new = create(world, promises, "switch", WECHAT, 1).await;
    world.sandbox.pay(Bank::Wechat, &new).unwrap();
    world.notices().await;
    world.tick().await;
    world.sandbox.pay(Bank::Alipay, &old).unwrap();
    world.notices().await;
    world.tick().await;
}

/// The notice of a payment never comes: the job finds it. In the answer to the placing an HTML page came.
async fn pay_unnoticed(world: &mut World, promises: &mut Promises) -> String {
    world.sandbox.fault(Fault {
        operation: Some("native".into()),
        ..Fault::new(FaultKind::Garbage)
    });
    let number = create(world, promises, "unnoticed", WECHAT, 2).await;
    world.sandbox.fault(Fault {
        operation: Some("notice.payment".into()),
        times: 100,
        ..Fault::new(FaultKind::DropBefore)
    });
    world.sandbox.pay(Bank::Wechat, &number).unwrap();
    world.advance(Duration::from_secs(61)).await;
    world.tick().await;
    world.sandbox.withdraw_faults();
    world.tick().await;
    number
}

/// Two parts under numbers of the caller's, the second in its turn; and one as the old route makes it.
async fn refund_in_parts(world: &mut World, promises: &mut Promises, trading: &str) {
    for (key, yuan) in [("part-1", "5.00"), ("part-2", "6.00")] {
        let body = json!({
            "productAppId": "jzo2o.orders", "productRefundNo": key, "tradingOrderNo": trading,
            "refundAmount": yuan, "reason": "退一部分",
        });
        let (status, refund) = world.post("/trade/inner/refunds", key, &body).await;
        assert_eq!(status, 200, "{refund}");
        promises.refunds.push(text(&refund, "refundNo"));
    }
    world.advance(Duration::from_secs(61)).await;
    world.tick().await;
    world.notices().await;
    world.tick().await;
    let path = format!("/trade/inner/refund-record/refund?tradingOrderNo={trading}&refundAmount=8.90");
    let (status, answer) = world.post(&path, "old-route", &Value::Null).await;
    assert_eq!(status, 200, "{answer}");
}

/// One is closed by its caller; one is never paid and closed by the clock.
async fn close_one_and_let_one_expire(world: &mut World, promises: &mut Promises) {
    let given_up = create(world, promises, "give-up", WECHAT, 3).await;
    let path = format!("/trade/inner/tradings/{given_up}/close");
    let (status, closed) = world.post(&path, "close", &Value::Null).await;
    assert_eq!(status, 200, "{closed}");
    create(world, promises, "expire", ALI, 4).await;
    world.advance(Duration::from_secs(21 * 60)).await;
    world.tick().await;
}

async fn create(world: &mut World, promises: &mut Promises, key: &str, channel: &str, order: i64) -> String {
    let body = json!({
        "enterpriseId": "1001", "productAppId": "jzo2o.orders", "productOrderNo": order.to_string(),
        "tradingChannel": channel, "tradingAmount": "19.90", "memo": "日常保洁", "changeChannel": true,
    });
    let (status, made) = world.post("/trade/inner/native", key, &body).await;
    assert_eq!(status, 200, "{made}");
    let number = text(&made, "tradingOrderNo");
    promises
        .tradings
        .push(TradingOrderNo::from_digits(&number).unwrap());
    number
}

fn text(answer: &Value, field: &str) -> String {
    let text = answer[field].as_str();
    text.unwrap_or_else(|| panic!("no {field} in {answer}"))
        .to_owned()
}

/// What besides its answers the server has promised: acknowledgements of notices, and announcements.
pub(crate) async fn add_promises(world: &World, store: &dyn TradeStore, promises: &mut Promises) {
    let acknowledged = world.sandbox.notices().into_iter();
    for notice in acknowledged.filter(|notice| notice.state == NoticeState::Acknowledged) {
        let Some(trading) = TradingOrderNo::from_digits(&notice.out_trade_no) else {
            continue;
        };
        match notice.kind {
            NoticeKind::Payment => promises.settled.push(trading),
            NoticeKind::Refund => promises.refunded.extend(notice.refund_no.clone()),
        }
        let on_record = store.notices_of(trading).await.unwrap();
        assert!(
            !on_record.is_empty(),
            "{} was acknowledged and is not on record",
            notice.id
        );
    }
    let announced = std::fs::read_to_string(world.folder.path().join(ANNOUNCED)).unwrap_or_default();
    promises.announced = announced.lines().map(|line| line.parse().unwrap()).collect();
}
