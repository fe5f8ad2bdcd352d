//! What a user, time or the channel does to an order: `POST /sandbox/orders/{channel}/{out_trade_no}/...`.

use std::sync::Arc;

use axum::{Json, extract::State};

use super::{Refusal, input::Input};
use crate::{
    ledger::{Order, OrderKey},
    world::{Payer, World},
};

type Answer = Result<Json<Order>, Refusal>;

/// `.../pay`: a user scans the code and pays.
pub(super) async fn pay(State(world): State<Arc<World>>, input: Input) -> Answer {
    let key = key(&world, &input)?;
    input.only(&["payer", "bank_type", "coupon_fen"])?;
    let amount_fen = world
        .ledger
        .read(|book| book.order(&key).map(|order| order.amount_fen));
    let coupon_fen = input.integer("coupon_fen", &(0..=amount_fen.unwrap_or(i64::MAX)))?;
    let payer = Payer {
        id: input.text("payer", 128)?,
        bank_type: input.text("bank_type", 32)?,
        coupon_fen: coupon_fen.unwrap_or(0),
    };
    Ok(Json(world.pay(&key, payer)?))
}

/// `.../scan`: a user scans the code and leaves.
pub(super) async fn scan(State(world): State<Arc<World>>, input: Input) -> Answer {
    input.only(&[])?;
    Ok(Json(world.scan(&key(&world, &input)?)?))
}

/// `.../expire`: the deadline passes at once.
pub(super) async fn expire(State(world): State<Arc<World>>, input: Input) -> Answer {
    input.only(&[])?;
    Ok(Json(world.expire(&key(&world, &input)?)?))
}

/// `.../close`: the channel closes the order.
pub(super) async fn close(State(world): State<Arc<World>>, input: Input) -> Answer {
    input.only(&[])?;
    Ok(Json(world.close(&key(&world, &input)?)?))
}

fn key(world: &World, input: &Input) -> Result<OrderKey, Refusal> {
    Ok(world.order_key(input.path_channel()?, input.path("out_trade_no")))
}
