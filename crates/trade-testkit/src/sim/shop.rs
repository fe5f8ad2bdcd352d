//! Order systems: they create, switch, close and refund, repeat themselves, and remember what they are told.

use futures_util::FutureExt;
use trade_core::{
    Amount, Channel, ProductRefundNo, Refund, Trading, TradingOrderNo,
    port::{Page, TradingFilter, TradingStore},
    service::{CreateRefund, CreateTrading, TradeError},
};

use super::{
    client::ask,
    post::{MERCHANT, enterprise},
    world::{State, World},
};
use crate::fixture;

/// The orders of a world.
const ORDERS: i64 = 2;

/// What each costs, in fen.
const COSTS: i64 = 1_000;

/// Everything a trading was ever about, newest first.
fn tradings(state: &State) -> Vec<Trading> {
    let page = Page {
        before: None,
        limit: 100,
    };
    let filter = TradingFilter::default();
    let listed = state.store.list_tradings(&filter, page).now_or_never();
    listed.expect("memory never waits").expect("memory never fails")
}

fn some_trading(state: &mut State) -> Option<Trading> {
    let mut tradings = tradings(state);
    if tradings.is_empty() {
        return None;
    }
    let place = state.rng.usize(0..tradings.len());
    Some(tradings.swap_remove(place))
}

/// One thing an order system does.
pub(super) async fn act(world: World) {
    match world.with(|state| state.rng.u8(0..100)) {
        0..45 => create(world).await,
        45..55 => close(world).await,
        55..65 => look(world).await,
        65..90 => refund_by_number(world).await,
        90..96 => refund(world).await,
        _ => look_at_refund(world).await,
    }
}

/// What was paid when a request began, and whether it had the house to itself.
struct Before {
    paid_live: Vec<TradingOrderNo>,
    begun: Option<u64>,
}

fn before(state: &mut State, order: i64) -> Before {
    let live = tradings(state).into_iter().filter(|row| row.state.is_live());
    let of_order = live.filter(|row| row.product_order_no == fixture::order_no(order));
    let numbers: Vec<_> = of_order.map(|row| row.trading_order_no).collect();
    let is_paid = |number: &TradingOrderNo| {
        let order = state.ledger.orders.iter().find(|order| order.number == *number);
        order.is_some_and(|order| order.paid_ms > 0)
    };
    Before {
        paid_live: numbers.into_iter().filter(is_paid).collect(),
        begun: (state.busy == 0).then_some(state.begun),
    }
}

async fn create(world: World) {
    let (order, channel, change_channel) = world.with(|state| {
        let channel = [Channel::WechatPay, Channel::AliPay][state.rng.usize(0..2)];
        (state.rng.i64(1..=ORDERS), channel, state.rng.u8(0..4) > 0)
    });
    let request = CreateTrading {
        enterprise_id: enterprise(MERCHANT),
        product_app_id: fixture::app(),
        product_order_no: fixture::order_no(order),
        channel,
        amount: Amount::new(COSTS + order).expect("an amount"),
        memo: "日常保洁".into(),
        change_channel,
        expires_at: None,
    };
    let before = world.with(|state| {
        state.tell(|| format!("shop: pay order {order} at {channel}, switching: {change_channel}"));
        before(state, order)
    });
    let made = ask(&world, async move |service| service.create(&request).await).await;
    world.with(|state| match made {
        Some(Ok(trading)) => handed_out(state, &trading, &before),
        Some(Err(error)) => state.tell(|| format!("shop: order {order} is answered {error}")),
        None => state.tell(|| format!("shop: order {order} is not answered")),
    });
}

/// A code is out: from now on anybody may pay it.
fn handed_out(state: &mut State, trading: &Trading, before: &Before) {
    let number = trading.trading_order_no;
    state.tell(|| format!("shop: the code of {number} is out"));
    state.changed = true;
    state.promises.tradings.push(number);
    if trading.code_url.is_none() {
        state
            .wrong
            .insert(format!("{number} was given out without a code"));
    }
    let code = (trading.channel, number);
    if !state.codes.contains(&code) {
        state.codes.push(code);
    }
    // Nobody else was at work, so whoever made this code was the one to ask what became of the others.
    let alone = before.begun.is_some_and(|begun| state.begun == begun + 1);
    if let Some(paid) = before.paid_live.iter().find(|paid| **paid != number)
        && alone
    {
        state.wrong.insert(format!(
            "{number} was given out although {paid} was live and had been paid"
        ));
    }
}

async fn close(world: World) {
    let Some(trading) = world.with(some_trading) else {
        return;
    };
    let number = trading.trading_order_no;
    world.tell(|| format!("shop: close {number}"));
    let closed = ask(&world, async move |service| service.close(number).await).await;
    if let Some(Err(error)) = closed {
        world.tell(|| format!("shop: closing {number} is answered {error}"));
    }
}

async fn look(world: World) {
    if let Some(trading) = world.with(some_trading) {
        let number = trading.trading_order_no;
        ask(&world, async move |service| service.query(number).await.ok()).await;
    }
}

/// What a shop asks to have back: mostly a part, sometimes too much.
fn some_amount(state: &mut State, trading: &Trading) -> Amount {
    let fen = match state.rng.u8(0..10) {
        0..3 => trading.amount.get(),
        3 => trading.amount.get() + 1,
        _ => 1 + state.rng.i64(0..trading.amount.get()),
    };
    Amount::new(fen).expect("an amount")
}

async fn refund_by_number(world: World) {
    let request = world.with(|state| {
        let trading = some_trading(state)?;
        let number = format!("r-{}", state.rng.u8(1..=5));
        Some(CreateRefund {
            product_app_id: fixture::app(),
            product_refund_no: ProductRefundNo::new(number).expect("a valid number"),
            trading_order_no: trading.trading_order_no,
            amount: some_amount(state, &trading),
            reason: None,
        })
    });
    let Some(request) = request else {
        return;
    };
    let number = request.product_refund_no.as_str().to_owned();
    world.tell(|| {
        format!(
            "shop: refund {number} of {}: {}",
            request.trading_order_no, request.amount
        )
    });
    let made = ask(&world, async move |service| service.create_refund(&request).await).await;
    answered(&world, &number, made, true);
}

/// The route of the service this one replaces.
async fn refund(world: World) {
    let Some((trading, amount)) = world.with(|state| {
        let trading = some_trading(state)?;
        let amount = some_amount(state, &trading);
        Some((trading.trading_order_no, amount))
    }) else {
        return;
    };
    world.tell(|| format!("shop: refund {amount} of {trading}"));
    let made = ask(&world, async move |service| {
        service.refund(trading, amount, None).await
    })
    .await;
    answered(&world, "without a number", made, false);
}

/// A refund was answered: it exists from now on, and its number means no other.
fn answered(world: &World, number: &str, made: Option<Result<Refund, TradeError>>, named: bool) {
    world.with(|state| match made {
        Some(Ok(refund)) => {
            state.changed = true;
            state.tell(|| format!("shop: {number} is refund {}, {}", refund.refund_no, refund.state));
            state.promises.refunds.push(refund.out_refund_no.clone());
            let is = refund.refund_no.get();
            let was = if named {
                *state.refund_numbers.entry(number.to_owned()).or_insert(is)
            } else {
                is
            };
            if was != is {
                state
                    .wrong
                    .insert(format!("{number} is refund {was} and refund {is}"));
            }
        }
        Some(Err(error)) => state.tell(|| format!("shop: refund {number} is answered {error}")),
        None => state.tell(|| format!("shop: refund {number} is not answered")),
    });
}

async fn look_at_refund(world: World) {
    let number = world.with(|state| {
        let known: Vec<_> = state.refund_numbers.values().copied().collect();
        (!known.is_empty()).then(|| known[state.rng.usize(0..known.len())])
    });
    if let Some(number) = number {
        let number = fixture::refund_no(number);
        ask(&world, async move |service| {
            service.query_refund(number).await.ok()
        })
        .await;
    }
}
