//! How refunds end, and refunds the merchant makes by hand.

use std::{collections::BTreeMap, sync::Arc};

use axum::{Json, extract::State};

use super::{
    Refusal,
    input::{Input, required},
};
use crate::{
    Channel, beijing,
    ledger::{
        Book, LedgerError, NewRefund, Order, OrderKey, OrderState, Refund, RefundKey, RefundOutcome,
        RefundState,
    },
    world::World,
};

const OUTCOMES: [&str; 4] = ["success", "processing", "abnormal", "closed"];
const AMOUNTS_FEN: std::ops::RangeInclusive<i64> = 1..=10_000_000_000;

/// `POST /sandbox/refunds/{channel}/{out_refund_no}`: decides how a refund on its way ends.
pub(super) async fn settle(State(world): State<Arc<World>>, input: Input) -> Result<Json<Refund>, Refusal> {
    let channel = input.path_channel()?;
    input.only(&["outcome", "out_trade_no"])?;
    let outcome = match required("outcome", input.choice("outcome", &OUTCOMES)?)? {
        "success" => RefundOutcome::Success,
        "processing" => RefundOutcome::Processing,
        "abnormal" => RefundOutcome::Abnormal,
        _ => RefundOutcome::Closed,
    };
    let of_order = input.text("out_trade_no", 64)?;
    world.catch_up();
    let refund = world
        .ledger
        .read(|book| find(book, channel, input.path("out_refund_no"), of_order.as_deref()))?;
    // What the merchant does in the console with an abnormal refund: the money goes another way.
    if refund.state == RefundState::Abnormal && outcome == RefundOutcome::Success {
        let now_ms = world.clock.now_ms();
        world
            .ledger
            .write(|book| book.resume_refund(&refund.key, now_ms).map(drop))?;
        return Ok(Json(settled(&world, &refund.key)?));
    }
    Ok(Json(world.settle_refund(&refund.key, outcome)?))
}

/// At Alipay a number is unique within its order only.
fn find(book: &Book, channel: Channel, number: &str, of_order: Option<&str>) -> Result<Refund, Refusal> {
    let matches = |refund: &&Refund| {
        refund.key.channel == channel
            && refund.key.number == number
            && of_order.is_none_or(|order| refund.order.out_trade_no == order)
    };
    let mut found = book.refunds().filter(matches);
    let refund = found
        .next()
        .ok_or_else(|| LedgerError::RefundNotFound(number.to_owned()))?;
    if found.next().is_some() {
        return Err(Refusal::field(
            "out_trade_no",
            "is required: several orders have a refund of this number",
        ));
    }
    Ok(refund.clone())
}

/// `POST /sandbox/console-refund/{channel}/{out_trade_no}`: the merchant refunds in the channel's console, so
/// that the number is the console's. WeChat Pay sends no notice of it; Alipay tells the payment's address.
pub(super) async fn from_console(
    State(world): State<Arc<World>>,
    input: Input,
) -> Result<Json<Refund>, Refusal> {
    let key = world.order_key(input.path_channel()?, input.path("out_trade_no"));
    input.only(&["amount_fen", "reason"])?;
    let amount_fen = required("amount_fen", input.integer("amount_fen", &AMOUNTS_FEN)?)?;
    let reason = input.text("reason", 80)?;
    world.catch_up();
    let now_ms = world.clock.now_ms();
    let refund = world.ledger.write(|book| {
        let order = refundable(book, &key, amount_fen)?;
        let new = new_refund(&world, order, amount_fen, reason);
        Ok::<_, Refusal>(book.open_refund(new, now_ms)?.key.clone())
    })?;
    Ok(Json(settled(&world, &refund)?))
}

/// The paid order, if enough of it is left.
fn refundable<'book>(book: &'book Book, key: &OrderKey, amount_fen: i64) -> Result<&'book Order, Refusal> {
    let order = book
        .order(key)
        .ok_or_else(|| LedgerError::OrderNotFound(key.out_trade_no.clone()))?;
    if order.state != OrderState::Paid {
        let message = format!(
            "order {} cannot be refunded: it is unpaid, refunded in full, or too old",
            key.out_trade_no
        );
        return Err(Refusal::conflict("not_refundable", message));
    }
    let left_fen = order.amount_fen.saturating_sub(book.reserved_fen(key));
    if amount_fen > left_fen {
        let rule = format!("must be at most {left_fen}: that is what is left to refund");
        return Err(Refusal::field("amount_fen", rule));
    }
    Ok(order)
}

fn new_refund(world: &World, order: &Order, amount_fen: i64, reason: Option<String>) -> NewRefund {
    let now_ms = world.clock.now_ms();
    let number = format!(
        "CONSOLE{}{}",
        beijing::compact_date(now_ms),
        world.random.digits(10)
    );
    let (scope, refund_id, notify_url, delay_ms) = match order.key.channel {
        Channel::Wechat => (
            order.key.merchant.clone(),
            format!("5030{}", world.random.digits(25)),
            None,
            world.config.wechat.refund_delay_ms,
        ),
        Channel::Alipay => (
            order.key.out_trade_no.clone(),
            world.random.digits(28),
            order.notify_url.clone(),
            0,
        ),
    };
    NewRefund {
        key: RefundKey {
            channel: order.key.channel,
            scope,
            number,
        },
        order: order.key.clone(),
        refund_id,
        amount_fen,
        reason,
        notify_url,
        fingerprint: String::new(),
        outcome: RefundOutcome::Success,
        settles_ms: now_ms.saturating_add(i64::from(delay_ms)),
        memo: BTreeMap::new(),
    }
}

/// Settles what is due now and shows the refund.
fn settled(world: &World, key: &RefundKey) -> Result<Refund, LedgerError> {
    world.catch_up();
    world
        .ledger
        .read(|book| book.refund(key).cloned())
        .ok_or_else(|| LedgerError::RefundNotFound(key.number.clone()))
}
