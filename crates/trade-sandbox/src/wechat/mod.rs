//! The WeChat Pay half: APIv3 for direct merchants.
//!
//! A request passes `gate` (headers, signature), its operation checks body and state, `reply` signs the
//! answer. The order of the checks is WeChat Pay's own, so that a client meets the refusals it would meet
//! there.

mod abnormal;
mod api;
mod authorization;
mod bill;
mod call;
mod certificates;
mod gate;
mod order;
mod prepay;
mod refund;
mod refusal;
mod reply;
mod route;
mod schema;
mod seal;
mod view;

pub(crate) mod notice;

use std::sync::Arc;

use axum::{Router, routing::any};

use crate::{beijing, world::World};

/// Who pays unless somebody else is named.
pub(crate) const PAYER: &str = "oSandboxPayer000000000000001";

/// The bank type of the balance.
pub(crate) const BALANCE: &str = "OTHERS";

/// What only this half remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    bills: bill::Shelf,
}

/// A new transaction number of 28 digits: `420000`, four digits, the day, ten digits.
pub(crate) fn new_transaction_id(world: &World) -> String {
    let day = beijing::compact_date(world.clock.now_ms());
    format!("420000{}{day}{}", world.random.digits(4), world.random.digits(10))
}

/// The routes: everything below `/v3/`.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/v3/{*rest}", any(api::serve))
        .with_state(world)
}
