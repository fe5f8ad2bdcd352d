//! For the people who run the server: what needs them, and trying again. They take `admin.token`, where one is
//! set; with or without it, they may not be reachable from outside.

use axum::{
    Json,
    extract::{Path, State},
    http::header,
    response::{IntoResponse, Response},
};
use trade_core::{
    EventId, RefundNo, TradingOrderNo,
    port::{Page, RefundFilter, TradingFilter},
};

use super::{
    App, Problem,
    fields::path_id,
    refunds, tradings,
    view::{EventView, RefundRecord, Stuck, StuckEvent, StuckRefund, StuckTrading, TradingRes},
};
use crate::metrics;

/// The most of each kind that is shown at once: more is an outage, and the metrics have the count.
const FIRST: Page = Page {
    before: None,
    limit: 200,
};

/// `GET /trade/admin/stuck`: the tradings, refunds and events that need a person, with why and what to do.
pub(super) async fn stuck(State(app): State<App>) -> Result<Json<Stuck>, Problem> {
    let now = app.service.ports().clock.now();
    let of_tradings = TradingFilter {
        stuck: true,
        ..TradingFilter::default()
    };
    let of_refunds = RefundFilter {
        stuck: true,
        ..RefundFilter::default()
    };
    let tradings = app.service.list(&of_tradings, FIRST).await?;
    let refunds = app.service.list_refunds(&of_refunds, FIRST).await?;
    let events = app.service.waiting_events(true, FIRST.limit).await?;
    Ok(Json(Stuck {
        events: events.iter().map(StuckEvent::from).collect(),
        tradings: tradings.iter().map(StuckTrading::from).collect(),
        refunds: refunds
            .iter()
            .map(|refund| StuckRefund::new(refund, now))
            .collect(),
    }))
}

/// `POST /trade/admin/tradings/{tradingOrderNo}/retry`
pub(super) async fn retry_trading(
    State(app): State<App>,
    number: Path<String>,
) -> Result<Json<TradingRes>, Problem> {
    let number = path_id("tradingOrderNo", &number, TradingOrderNo::new)?;
    let trading = app.service.retry_trading(number).await?;
    Ok(Json(tradings::view(&app, &trading)?))
}

/// `POST /trade/admin/refunds/{refundNo}/retry`
pub(super) async fn retry_refund(
    State(app): State<App>,
    number: Path<String>,
) -> Result<Json<RefundRecord>, Problem> {
    let number = path_id("refundNo", &number, RefundNo::new)?;
    let refund = app.service.retry_refund(number).await?;
    Ok(Json(refunds::view(&app, &refund)))
}

/// `POST /trade/admin/events/{eventId}/resend`: announced again, whatever became of it before.
pub(super) async fn resend_event(
    State(app): State<App>,
    id: Path<String>,
) -> Result<Json<EventView>, Problem> {
    let id = path_id("eventId", &id, EventId::new)?;
    let event = app.service.resend(id, "the admin route").await?;
    Ok(Json(EventView::from(&event)))
}

/// `GET /metrics`, for Prometheus.
pub(super) async fn metrics(State(app): State<App>) -> Response {
    let text = app.metrics.text(app.jobs.service()).await;
    ([(header::CONTENT_TYPE, metrics::CONTENT_TYPE)], text).into_response()
}
