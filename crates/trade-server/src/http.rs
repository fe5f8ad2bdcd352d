//! HTTP: parse and check, call the service, show the result. Nothing is decided here.
//!
//! Only `/trade/open` is for the world outside: the channels prove who they are by their signatures.
//! `/trade/admin` (operators) asks for a token when one is set, and the routes that start jobs always do.
//! `/trade/inner` (order systems), `/metrics` and the health routes trust whoever reaches them, so a proxy
//! must let none of them through.

mod admin;
mod ancestor;
mod bearer;
mod events;
mod fields;
mod health;
mod idempotency;
mod job;
mod native;
mod notify;
mod problem;
mod refunds;
mod request;
mod tradings;
mod view;

use std::{fmt, sync::Arc};

use async_trait::async_trait;
use axum::{
    Router,
    extract::DefaultBodyLimit,
    http::StatusCode,
    middleware::from_fn_with_state,
    response::Response,
    routing::{get, post},
};
use tokio::sync::watch;
use tokio_util::task::TaskTracker;
use tower_http::catch_panic::CatchPanicLayer;
use trade_core::{Secret, port::Random, service::TradeService};

pub use health::{Outside, RedisHealth};
pub use problem::Problem;

use crate::{jobs::Jobs, metrics::Metrics, qr::QrOptions};

/// The largest request body.
const BODY_LIMIT: usize = 64 * 1024;

/// What the routes work with.
#[derive(Clone)]
pub struct App {
    /// The payment service, for the order systems and operators.
    pub service: TradeService,
    /// The same for the channels' notices, with connections of its own to the store.
    pub notices: TradeService,
    /// The jobs, for whoever runs them from outside.
    pub jobs: Jobs,
    /// What operators send with their requests, when they must.
    pub admin_token: Option<Secret>,
    /// How codes are drawn.
    pub qr: QrOptions,
    /// Changes whenever an event was announced, so that streams read on.
    pub announced: watch::Receiver<u64>,
    /// Tells whether requests can be served.
    pub probe: Arc<dyn Probe>,
    /// Redis and the broker, when they are configured: the server goes on without them, and says so.
    pub outside: Outside,
    /// Where requests and notices are counted.
    pub metrics: Metrics,
    /// Ids of requests that come without one.
    pub random: Arc<dyn Random>,
    /// The work that goes on when a caller hangs up.
    pub works: TaskTracker,
    /// Set when the server is going down: not ready for new work, still finishing what it has.
    pub draining: watch::Receiver<bool>,
}

/// Tells whether the things this server cannot do without are there.
#[async_trait]
pub trait Probe: Send + Sync + 'static {
    /// `Ok`, or what is missing.
    ///
    /// # Errors
    /// What is missing, in words for the operator.
    async fn ready(&self) -> Result<(), String>;
}

impl App {
    fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }
}

impl fmt::Debug for App {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("App")
            .field("service", &self.service)
            .finish_non_exhaustive()
    }
}

/// Every route, over `app`.
pub fn router(app: App) -> Router {
    Router::new()
        .nest("/trade/inner", inner())
        .nest("/trade/admin", operators(&app))
        .route("/trade/open/notify/wx/{enterprise_id}", post(notify::wechat))
        .route("/trade/open/notify/alipay/{enterprise_id}", post(notify::alipay))
        .route("/livez", get(health::livez))
        .route("/readyz", get(health::readyz))
        .route("/metrics", get(admin::metrics))
        .fallback(unknown_route)
        .method_not_allowed_fallback(wrong_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .layer(CatchPanicLayer::custom(panicked))
        .layer(from_fn_with_state(app.clone(), request::observe))
        .with_state(app)
}

/// For the order systems: bare answers, errors as problems with the `INNER-ERROR` header.
fn inner() -> Router<App> {
    Router::new()
        .route("/native", post(native::create))
        .route("/native/qrcode/{trading_order_no}", get(native::qr_code))
        .route("/tradings", get(tradings::list))
        .route(
            "/tradings/findTradResultByTradingOrderNo",
            get(tradings::find_result),
        )
        .route("/tradings/{trading_order_no}", get(tradings::show))
        .route("/tradings/{trading_order_no}/close", post(tradings::close))
        .route("/tradings/{trading_order_no}/history", get(tradings::history))
        .route("/tradings/{trading_order_no}/timeline", get(tradings::timeline))
        .route("/tradings/{trading_order_no}/qr.svg", get(native::qr_svg))
        .route("/refunds", post(refunds::create).get(refunds::list))
        .route("/refunds/{product_refund_no}", get(refunds::show_by_product_no))
        .route("/refund-record/refund", post(refunds::refund))
        .route("/refund-record/{refund_no}", get(refunds::show))
        .route("/refund-record/{refund_no}/history", get(refunds::history))
        .route("/basic/query/{trading_order_no}", post(ancestor::query))
        .route("/basic/refund/{refund_no}", post(ancestor::query_refund))
        .route("/refund/records", get(ancestor::refund_records))
        .route("/events", get(events::stream))
}

/// For the people who run the server.
fn operators(app: &App) -> Router<App> {
    let runs_jobs = Router::new()
        .route("/jobs/{job}", post(job::run))
        .route_layer(from_fn_with_state(app.clone(), bearer::required));
    Router::new()
        .route("/stuck", get(admin::stuck))
        .route("/tradings/{trading_order_no}/retry", post(admin::retry_trading))
        .route("/refunds/{refund_no}/retry", post(admin::retry_refund))
        .route("/events/{event_id}/resend", post(admin::resend_event))
        .route_layer(from_fn_with_state(app.clone(), bearer::asked_for))
        .merge(runs_jobs)
}

async fn unknown_route() -> Problem {
    Problem::new(
        StatusCode::NOT_FOUND,
        "there is no such route: see the README for the routes",
    )
}

async fn wrong_method() -> Problem {
    Problem::new(
        StatusCode::METHOD_NOT_ALLOWED,
        "this route does not take that method",
    )
}

/// The cause is in the log; the caller learns only that it was ours.
fn panicked(_: Box<dyn std::any::Any + Send>) -> Response {
    tracing::error!("a request handler panicked");
    axum::response::IntoResponse::into_response(Problem::new(
        StatusCode::INTERNAL_SERVER_ERROR,
        "a fault of this server: nothing is lost, try again, and look at its log",
    ))
}
