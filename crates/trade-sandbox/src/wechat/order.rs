//! Query and close.

use serde_json::Value;

use super::{
    call::Call,
    refusal::{Location, Refusal},
    reply::Answer,
    schema::{self, Field, Kind, required},
    view,
};
use crate::{
    Channel,
    faults::Plan,
    ledger::{Book, Order, OrderState},
    world::World,
};

const CLOSE: &[Field] = &[required("mchid", Kind::Text(32))];

/// `GET /v3/pay/transactions/id/{transaction_id}?mchid=`. Finds paid orders only: others have no such number.
pub(super) fn query_by_transaction(
    world: &World,
    call: &Call,
    transaction_id: &str,
    plan: &Plan,
) -> Result<Answer, Refusal> {
    call.check_mchid(call.param("mchid"), Location::Query)?;
    world.ledger.read(|book| {
        let order = book.order_by_transaction(Channel::Wechat, transaction_id);
        show(book, order, plan)
    })
}

/// `GET /v3/pay/transactions/out-trade-no/{out_trade_no}?mchid=`.
pub(super) fn query_by_number(
    world: &World,
    call: &Call,
    out_trade_no: &str,
    plan: &Plan,
) -> Result<Answer, Refusal> {
    call.check_mchid(call.param("mchid"), Location::Query)?;
    let key = world.order_key(Channel::Wechat, out_trade_no);
    world.ledger.read(|book| show(book, book.order(&key), plan))
}

fn show(book: &Book, order: Option<&Order>, plan: &Plan) -> Result<Answer, Refusal> {
    let order = order.ok_or_else(Refusal::order_not_exist)?;
    Ok(Answer::Json(view::transaction(
        book,
        order,
        plan.wrong_amount_fen,
    )))
}

/// `POST /v3/pay/transactions/out-trade-no/{out_trade_no}/close`. Closing a closed order is fine.
pub(super) fn close(world: &World, call: &Call, out_trade_no: &str) -> Result<Answer, Refusal> {
    let body = call.json()?;
    schema::check(&[CLOSE], &body)?;
    call.check_mchid(body.get("mchid").and_then(Value::as_str), Location::Body)?;
    let key = world.order_key(Channel::Wechat, out_trade_no);
    let now_ms = world.clock.now_ms();
    world.ledger.write(|book| {
        let state = book.order(&key).map(|order| order.state);
        match state {
            None => Err(Refusal::order_not_exist()),
            Some(OrderState::Paid | OrderState::Finished) => Err(Refusal::order_paid()),
            Some(OrderState::Closed) => Ok(Answer::Nothing),
            Some(OrderState::Created | OrderState::Scanned) => {
                let closed = book.close(&key, now_ms);
                closed
                    .map(|_order| Answer::Nothing)
                    .map_err(|_gone| Refusal::order_not_exist())
            }
        }
    })
}
