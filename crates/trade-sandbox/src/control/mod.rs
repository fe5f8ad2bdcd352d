//! The control API: everything a person or a test can make happen, under `/sandbox`.
//!
//! `openapi.json` is its contract, written by hand; `reference` shows it as a page.

mod document;
mod fault;
mod input;
mod orders;
mod reference;
mod refunds;
mod refusal;
mod whole;

use std::sync::Arc;

use axum::{
    Router,
    http::{Method, StatusCode},
    routing::{MethodRouter, any, delete, get, post},
};

pub(crate) use self::refusal::Refusal;
use crate::world::World;

type Routes = Vec<(Method, &'static str, MethodRouter<Arc<World>>)>;

/// Everything this part serves.
pub(crate) fn routes() -> Routes {
    vec![
        (Method::GET, "/", get(reference::home)),
        (Method::GET, "/sandbox", get(reference::page)),
        (Method::GET, "/sandbox/openapi.json", get(reference::document)),
        (Method::GET, "/sandbox/state", get(whole::state)),
        (Method::GET, "/sandbox/ledger", get(whole::ledger)),
        (Method::POST, "/sandbox/clock/advance", post(whole::advance)),
        (Method::POST, "/sandbox/keys/rotate", post(whole::rotate)),
        (Method::POST, "/sandbox/reset", post(whole::reset)),
        (Method::GET, "/sandbox/notices", get(whole::notices)),
        (Method::POST, "/sandbox/notices/{id}/resend", post(whole::resend)),
        (
            Method::POST,
            "/sandbox/orders/{channel}/{out_trade_no}/pay",
            post(orders::pay),
        ),
        (
            Method::POST,
            "/sandbox/orders/{channel}/{out_trade_no}/scan",
            post(orders::scan),
        ),
        (
            Method::POST,
            "/sandbox/orders/{channel}/{out_trade_no}/expire",
            post(orders::expire),
        ),
        (
            Method::POST,
            "/sandbox/orders/{channel}/{out_trade_no}/close",
            post(orders::close),
        ),
        (
            Method::POST,
            "/sandbox/refunds/{channel}/{out_refund_no}",
            post(refunds::settle),
        ),
        (
            Method::POST,
            "/sandbox/console-refund/{channel}/{out_trade_no}",
            post(refunds::from_console),
        ),
        (Method::GET, "/sandbox/faults", get(fault::list)),
        (Method::POST, "/sandbox/faults", post(fault::add)),
        (Method::DELETE, "/sandbox/faults", delete(fault::clear)),
        (Method::DELETE, "/sandbox/faults/{id}", delete(fault::remove)),
    ]
}

/// The routes.
pub(crate) fn router(world: Arc<World>) -> Router {
    let add = |router: Router<_>, (_, path, handler)| router.route(path, handler);
    routes()
        .into_iter()
        .fold(Router::new(), add)
        .route("/sandbox/{*rest}", any(unknown))
        .method_not_allowed_fallback(wrong_method)
        .with_state(world)
}

async fn unknown() -> Refusal {
    let message = "there is nothing at this address: GET /sandbox lists what there is";
    Refusal::not_found("unknown_address", message.to_owned())
}

async fn wrong_method() -> Refusal {
    let message = "this address does not take this method: GET /sandbox lists what there is";
    Refusal::new(StatusCode::METHOD_NOT_ALLOWED, "wrong_method", message)
}
