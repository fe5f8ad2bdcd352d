//! Whoever asked goes away, at any moment: the work is whole or is not there, and asking again finishes it.
//!
//! Where many moments are too many, every so many-th is tried, counted from a chance one, which is printed.
//! `FAULT_EVERY=1` has them go away at every moment; `FAULT_EVERY` and `FAULT_FROM` show a run again.

use std::{
    future::{Future, poll_fn},
    pin::pin,
    sync::Arc,
    time::Duration,
};

use futures_util::future::{BoxFuture, FutureExt};
use sea_orm::DatabaseConnection;
use tokio::io::AsyncWriteExt;
use trade_core::{
    Amount, Channel, EnterpriseId, ProductAppId, ProductOrderNo, ProductRefundNo, SystemRandom,
    TradingOrderNo,
    handler::{Headers, RawNotice},
    port::Random,
    service::{CreateRefund, CreateTrading, TradeError, TradeService},
};
use trade_server::wire::Environment;

use crate::{
    locks::WithoutLock,
    merchant::MERCHANT,
    race::at_rest,
    server::{self, Empty},
    world::{Tapped, World, payment},
};

/// Drops a call when it would be polled once more than `polls` times; what came of it before that.
async fn abandoned_after<T>(polls: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    let mut left = polls;
    poll_fn(|context| {
        if left == 0 {
            return std::task::Poll::Ready(None);
        }
        left -= 1;
        call.as_mut().poll(context).map(Some)
    })
    .await
}

/// What a caller asks for, as often as it likes.
type Ask = Box<dyn Fn(TradeService) -> BoxFuture<'static, Result<(), TradeError>>>;

fn creation(channel: Channel, order: i64, change_channel: bool) -> CreateTrading {
    CreateTrading {
        enterprise_id: EnterpriseId::new(MERCHANT).unwrap(),
        product_app_id: ProductAppId::new("jzo2o.orders").unwrap(),
        product_order_no: ProductOrderNo::new(order).unwrap(),
        channel,
        amount: Amount::new(1990).unwrap(),
        memo: "日常保洁".into(),
        change_channel,
        expires_at: None,
    }
}

fn create(request: CreateTrading) -> Ask {
    Box::new(move |service| {
        let request = request.clone();
        async move { service.create(&request).await.map(drop) }.boxed()
    })
}

/// An order with a trading; paid, when wanted, without a word about it to the server.
async fn trading(world: &World, order: i64, paid: bool) -> TradingOrderNo {
    let created = world.create("ALI_PAY", order).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    if paid {
        world.pay("ALI_PAY", number);
    }
    TradingOrderNo::from_digits(number).unwrap()
}

fn raw(notice: &Tapped) -> RawNotice {
    let text = |value: &axum::http::HeaderValue| value.to_str().unwrap().to_owned();
    let headers = notice
        .headers
        .iter()
        .map(|(name, value)| (name.to_string(), text(value)));
    RawNotice {
        headers: Headers::new(headers),
        body: notice.body.clone(),
    }
}

/// Every kind of request, on an order of its own that is ready for it.
async fn asks(world: &World, order: i64) -> Vec<(&'static str, Ask)> {
    let create_one = create(creation(Channel::WechatPay, order, false));
    let to_query = trading(world, order + 1, true).await;
    let to_close = trading(world, order + 2, false).await;
    trading(world, order + 3, false).await;
    let switch = create(creation(Channel::WechatPay, order + 3, true));
    let to_refund = trading(world, order + 4, true).await;
    world.server.service().query(to_refund).await.unwrap();
    let refund = CreateRefund {
        product_app_id: ProductAppId::new("jzo2o.orders").unwrap(),
        product_refund_no: ProductRefundNo::new(format!("r-{order}")).unwrap(),
        trading_order_no: to_refund,
        amount: Amount::new(500).unwrap(),
        reason: None,
    };
    let told = trading(world, order + 5, true).await;
    let notice = raw(&world.tapped_about(&told.to_string()).await);
    vec![
        ("create", create_one),
        (
            "query",
            Box::new(move |service| async move { service.query(to_query).await.map(drop) }.boxed()),
        ),
        (
            "close",
            Box::new(move |service| async move { service.close(to_close).await.map(drop) }.boxed()),
        ),
        ("switch", switch),
        (
            "refund",
            Box::new(move |service| {
                let refund = refund.clone();
                async move { service.create_refund(&refund).await.map(drop) }.boxed()
            }),
        ),
        (
            "notice",
            Box::new(move |service| {
                let (notice, merchant) = (notice.clone(), EnterpriseId::new(MERCHANT).unwrap());
                async move { service.notice(merchant, Channel::AliPay, &notice).await.map(drop) }.boxed()
            }),
        ),
    ]
}

/// Asks again as a caller does: what may help to repeat is repeated a while later.
async fn finish(world: &World, name: &str, polls: usize, ask: &Ask) {
    for _ in 0..20 {
        match ask(world.server.service().clone()).await {
            Ok(()) => return,
            Err(error) if error.retry_may_help() => world.advance(Duration::from_secs(31)),
            Err(error) => panic!("{name}, abandoned after {polls} polls: {error}"),
        }
    }
    panic!("{name}, abandoned after {polls} polls, is never finished");
}

fn told(name: &str) -> Option<usize> {
    std::env::var(name).ok().map(|value| value.parse().unwrap())
}

/// A chance number below `step`.
fn chance(step: usize) -> usize {
    let mut byte = [0];
    SystemRandom.fill(&mut byte);
    usize::from(byte[0]) % step
}

/// Has every request abandoned after one chance number of polls and every `step`th from there, until none is left
/// to abandon.
#[expect(clippy::print_stdout, reason = "shown when the test fails, to run it again")]
async fn sweep(world: &World, step: usize, look: impl AsyncFn()) {
    world.hold_notices();
    let step = told("FAULT_EVERY").unwrap_or(step);
    let mut polls = told("FAULT_FROM").unwrap_or_else(|| chance(step));
    println!("FAULT_EVERY={step} FAULT_FROM={polls}");
    let service = world.server.service().clone();
    let (mut order, mut abandoned) = (1, 0);
    loop {
        let mut left = 0;
        for (name, ask) in asks(world, order).await {
            if abandoned_after(polls, ask(service.clone())).await.is_none() {
                left += 1;
            }
            look().await;
            finish(world, name, polls, &ask).await;
        }
        abandoned += left;
        if left == 0 {
            break;
        }
        order += 10;
        polls += step;
    }
    assert!(abandoned * step > 30, "{abandoned} requests were abandoned");
    // Nothing is lost, nothing is twice, nothing is written by halves.
    let rows = at_rest(world).await;
    let refunded: i64 = rows.tradings().map(|row| row.refunded.get()).sum();
    assert_eq!(refunded, 500 * (order / 10 + 1));
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_at_any_moment_leaves_whole_work() {
    let world = World::decorated(Arc::new(WithoutLock)).await;
    sweep(&world, 2, async || {}).await;
    drop(world.stop().await);
}

/// That no connection is left in a transaction. Those of the jobs come and go; one that is left behind is there at
/// every look, until the server rolls it back, many looks later. MariaDB looks itself only when nobody has for a
/// tenth of a second.
async fn none_is_left_in_a_transaction(database: &Empty, raw: &DatabaseConnection) {
    let mut open = Vec::new();
    for _ in 0..60 {
        open = database.open_transactions(raw).await;
        if open.is_empty() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(150)).await;
    }
    panic!("left open: {open:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_goes_away_leaves_no_transaction_on_a_server() {
    for server in server::all() {
        let database = server.empty().await;
        let world = World::set(&[("store", "url", &database.url())], Arc::new(WithoutLock)).await;
        let raw = database.outsider().await;
        sweep(&world, 3, async || {
            none_is_left_in_a_transaction(&database, &raw).await
        })
        .await;
        raw.close().await.unwrap();
        drop(world.stop().await);
        database.end().await;
    }
}

/// A caller closes its socket anywhere in a request, or while it waits for the answer; each `step`th of forty times.
async fn hang_up(world: &World, step: usize, look: impl AsyncFn()) {
    let address = world.base.strip_prefix("http://").unwrap().to_owned();
    let mut asked = 0;
    let orders: Vec<i64> = (1..=40).step_by(step).collect();
    for order in orders.iter().copied() {
        let body = payment("WECHAT_PAY", order).to_string();
        let request = format!(
            "POST /trade/inner/native HTTP/1.1\r\nhost: {address}\r\ncontent-type: application/json\r\n\
             content-length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut socket = tokio::net::TcpStream::connect(&address).await.unwrap();
        // The first hang up before they have said everything, the others a little later each.
        let said = request.len().min(usize::try_from(order).unwrap() * 30);
        socket.write_all(&request.as_bytes()[..said]).await.unwrap();
        if said == request.len() {
            asked += 1;
            tokio::time::sleep(Duration::from_millis(2) * u32::try_from(order).unwrap()).await;
        }
        drop(socket);
        look().await;
        let created = world.create("WECHAT_PAY", order).await;
        let again = world.create("WECHAT_PAY", order).await;
        assert_eq!(created["tradingOrderNo"], again["tradingOrderNo"]);
    }
    assert!(asked * step > 10, "{asked}");
    assert_eq!(world.sandbox.ledger().orders.len(), orders.len());
    at_rest(world).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_caller_that_hangs_up_finds_its_payment_made_once() {
    let world = World::new().await;
    hang_up(&world, 1, async || {}).await;
    for server in server::all() {
        let database = server.empty().await;
        let url = database.url();
        let world = World::set(&[("store", "url", &url)], Environment::default().decorate).await;
        let raw = database.outsider().await;
        hang_up(&world, 4, async || {
            none_is_left_in_a_transaction(&database, &raw).await
        })
        .await;
        raw.close().await.unwrap();
        drop(world.stop().await);
        database.end().await;
    }
}
