//! The table `trade_outbox`.

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use trade_core::{Event, EventDraft, EventId, RoutingKey, Timestamp, port::WaitingEvent};

use crate::legible::Numbered;

use super::{BadColumn, checked, known, ms, time};

/// When a stuck event is due: it waits, so that the later ones of its order do, and its time never comes. Programs
/// that know nothing of stuck events read it in the same way.
pub(crate) const NEVER: i64 = i64::MAX;

/// A row. `id` is the event's position; `due_at` is empty once it was announced, and [`NEVER`] when it is stuck;
/// `occurred_at` is empty where a program of before it was there wrote it.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "trade_outbox")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub event_id: i64,
    pub event_key: String,
    pub routing_key: String,
    pub product_app_id: String,
    pub product_order_no: i64,
    pub seq: i64,
    pub message: String,
    pub attempts: i64,
    pub due_at: Option<i64>,
    pub occurred_at: Option<i64>,
    pub position: Option<i64>,
    pub sent_at: Option<i64>,
    pub last_error: Option<String>,
    pub refused_at: Option<i64>,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Numbered for Model {
    const TABLE: &'static str = "trade_outbox";

    fn number(&self) -> i64 {
        self.event_id
    }
}

/// The row of an event that is the `seq`th of its order.
///
/// # Errors
/// Never in practice: every field of a message serializes.
pub(crate) fn new_row(draft: &EventDraft, seq: i64) -> Result<ActiveModel, serde_json::Error> {
    let mut message = draft.message.clone();
    message.seq = Some(seq);
    let due_at = message.occurred_at.unwrap_or(Timestamp::from_ms(0));
    Ok(ActiveModel {
        event_id: Set(draft.event_id.get()),
        event_key: Set(draft.event_key.clone()),
        routing_key: Set(draft.routing_key.code().to_owned()),
        product_app_id: Set(message.product_app_id.as_str().to_owned()),
        product_order_no: Set(message.product_order_no.get()),
        seq: Set(seq),
        message: Set(serde_json::to_string(&message)?),
        attempts: Set(0),
        due_at: Set(Some(due_at.ms())),
        occurred_at: Set(ms(message.occurred_at)),
        ..Default::default()
    })
}

impl TryFrom<Model> for WaitingEvent {
    type Error = BadColumn;

    fn try_from(row: Model) -> Result<Self, BadColumn> {
        Ok(Self {
            next_at: time(row.due_at.filter(|at| *at != NEVER)),
            reason: row.last_error.clone(),
            event: Event::try_from(row)?,
        })
    }
}

impl TryFrom<Model> for Event {
    type Error = BadColumn;

    fn try_from(row: Model) -> Result<Self, BadColumn> {
        Ok(Self {
            event_id: checked("event_id", EventId::new(row.event_id))?,
            routing_key: known("routing_key", RoutingKey::from_code(&row.routing_key))?,
            message: checked("message", serde_json::from_str(&row.message))?,
            // One that was committed since positions were given last comes after all that have one.
            position: row.position.unwrap_or(i64::MAX),
            attempts: checked("attempts", u32::try_from(row.attempts))?,
            refused_since: time(row.refused_at),
        })
    }
}
