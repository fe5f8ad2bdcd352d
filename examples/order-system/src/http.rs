//! HTTP: parse and check, call the service, show the result. Nothing is decided here.
//!
//! The routes under `/orders-manager/consumer` and the pages under `/` are for customers. `/operator`,
//! `/orders-manager/operation`, `/orders-manager/worker` and `/metrics` trust whoever reaches them, so a
//! proxy must let none of them through from outside; and it alone may set `X-User-Id`.

mod api;
mod envelope;
mod guard;
mod health;
mod input;
mod language;
mod operation;
mod pages;
mod user;
mod view;

use axum::{
    Router,
    extract::DefaultBodyLimit,
    middleware,
    response::{IntoResponse, Response},
    routing::{get, post, put},
};
use tower_http::catch_panic::CatchPanicLayer;

use crate::{error::OrderError, service::Orders};
use envelope::Failed;

/// The largest request body.
const BODY_LIMIT: usize = 64 * 1024;

/// Every route.
pub(crate) fn router(orders: Orders) -> Router {
    Router::new()
        .nest("/orders-manager/consumer/orders", consumer())
        .nest("/orders-manager/operation/orders", operation())
        .route(
            "/orders-manager/worker/orders/{id}/{step}",
            put(operation::worker_step),
        )
        .merge(pages::routes())
        .route("/livez", get(health::live))
        .route("/readyz", get(health::ready))
        .route("/metrics", get(health::metrics))
        .layer(middleware::from_fn(guard::same_site))
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::custom(panicked))
        .with_state(orders)
}

fn consumer() -> Router<Orders> {
    Router::new()
        .route("/place", post(api::place))
        .route("/pay/{id}", put(api::pay))
        .route("/pay/{id}/result", get(api::pay_result))
        .route("/cancel", put(api::cancel))
        .route("/evaluate/{id}", put(api::evaluate))
        .route("/consumerQueryList", get(api::list))
        .route("/{id}", get(api::detail))
}

fn operation() -> Router<Orders> {
    Router::new()
        .route("/cancel", put(operation::cancel))
        .route("/page", get(operation::page))
        .route("/{id}", get(operation::detail))
        .route("/{id}/refund", put(operation::refund_again))
}

/// The cause is in the log; the caller learns only that it was ours.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    Failed::new(OrderError::Interrupted, language::Lang::Chinese).into_response()
}

/// Does the work of a request in a task of its own, so that a caller who hangs up does not cut it between
/// two steps.
async fn whole<T: Send + 'static>(
    work: impl Future<Output = Result<T, OrderError>> + Send + 'static,
) -> Result<T, OrderError> {
    tokio::spawn(work).await.map_err(|error| {
        tracing::error!(%error, "the work of a request did not end by itself");
        OrderError::Interrupted
    })?
}
