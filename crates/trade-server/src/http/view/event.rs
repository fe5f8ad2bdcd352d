//! Events, for operators.

use serde::Serialize;
use trade_core::{Event, Timestamp, port::WaitingEvent};

use crate::advice;

/// An event.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct EventView {
    event_id: String,
    product_app_id: String,
    product_order_no: String,
    trading_order_no: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    refund_no: Option<String>,
    routing_key: &'static str,
    status_name: String,
    seq: Option<i64>,
    /// When it happened.
    occurred_at: Option<String>,
}

impl From<&Event> for EventView {
    fn from(event: &Event) -> Self {
        let message = &event.message;
        Self {
            event_id: event.event_id.to_string(),
            product_app_id: message.product_app_id.to_string(),
            product_order_no: message.product_order_no.to_string(),
            trading_order_no: message.trading_order_no.to_string(),
            refund_no: message.refund_no.map(|number| number.to_string()),
            routing_key: event.routing_key.code(),
            status_name: message.status_name.clone(),
            seq: message.seq,
            occurred_at: message.occurred_at.map(Timestamp::to_beijing_text),
        }
    }
}

/// An event that needs a person.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(in crate::http) struct StuckEvent {
    #[serde(flatten)]
    event: EventView,
    attempts: u32,
    /// Why.
    reason: String,
    /// When it was refused first.
    since: Option<String>,
    /// What to do.
    action: String,
}

impl From<&WaitingEvent> for StuckEvent {
    fn from(waiting: &WaitingEvent) -> Self {
        let event = &waiting.event;
        Self {
            event: EventView::from(event),
            attempts: event.attempts,
            reason: waiting.reason.clone().unwrap_or_default(),
            since: event.refused_since.map(Timestamp::to_beijing_text),
            action: advice::about_stuck_event(event),
        }
    }
}
