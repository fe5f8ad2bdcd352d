//! The Alipay half: the v2 gateway, for an app of its own merchant (自研应用).
//!
//! A call goes through [`gateway`]: parameters ([`params`]), admission in the gateway's order of checks
//! ([`admission`]), one file for each method, and the signed answer ([`envelope`]). Notices go out by
//! [`notice`].
//!
//! What the documentation leaves open is decided so that clients have to be careful: a precreated order has
//! no trade before its code is scanned, a close or cancel leaves such a code alive, and the number of an
//! order whose code has died unscanned stays burnt.

mod admission;
mod amount;
mod answer;
mod bill;
mod cancel;
mod certificate;
mod cipher;
mod close;
mod content;
mod deadline;
mod envelope;
mod gateway;
mod method;
pub(crate) mod notice;
mod params;
mod precreate;
mod query;
mod refund;
mod refund_query;
mod seal;
mod trade;

use std::sync::Arc;

use axum::{Router, routing::get};

use crate::{beijing, world::World};

/// Who pays unless somebody else is named.
pub(crate) const PAYER: &str = "2088000000000042";

/// The fund channel of the balance.
pub(crate) const BALANCE: &str = "ALIPAYACCOUNT";

/// What only this half remembers.
#[derive(Debug, Default)]
pub(crate) struct State {
    bills: bill::Shelf,
}

/// A new trade number: the day, `22`, 18 digits.
pub(crate) fn new_trade_no(world: &World) -> String {
    let day = beijing::compact_date(world.clock.now_ms());
    format!("{day}22{}", world.random.digits(18))
}

/// The routes of the gateway.
pub(crate) fn router(world: Arc<World>) -> Router {
    Router::new()
        .route("/gateway.do", get(gateway::serve).post(gateway::serve))
        .route(bill::DOWNLOAD_PATH, get(bill::download))
        .with_state(world)
}
