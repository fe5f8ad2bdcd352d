//! What became of an event that was offered, and a person's wish to have it announced again.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    sea_query::{Expr, Func},
};
use trade_core::{Event, EventId, Timestamp};

use crate::{
    fault::Fault,
    table::trade_outbox::{ActiveModel, Column, Entity, NEVER},
    transaction::{Verdict, Write},
};

/// A report about an event that still waits.
#[derive(Debug)]
pub(super) enum Report {
    Sent {
        event_id: EventId,
        at: Timestamp,
    },
    Failed {
        event_id: EventId,
        retry_at: Timestamp,
        reason: String,
    },
    Refused {
        event_id: EventId,
        at: Timestamp,
        retry_at: Option<Timestamp>,
        reason: String,
    },
    /// It was claimed, and not offered.
    Release {
        event_id: EventId,
        now: Timestamp,
    },
}

impl Report {
    fn event_id(&self) -> EventId {
        match self {
            Self::Sent { event_id, .. }
            | Self::Failed { event_id, .. }
            | Self::Refused { event_id, .. }
            | Self::Release { event_id, .. } => *event_id,
        }
    }
}

#[async_trait]
impl Write for Report {
    type Outcome = ();
    const OPERATION: &'static str = "note what became of an event";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<()>, Fault> {
        let waiting = Entity::update_many()
            .filter(Column::EventId.eq(self.event_id().get()))
            .filter(Column::DueAt.is_not_null());
        let not_stuck = Column::DueAt.lt(NEVER);
        let put_off = |until: i64, reason: &String| ActiveModel {
            due_at: Set(Some(until)),
            last_error: Set(Some(reason.clone())),
            ..Default::default()
        };
        let one_more = Expr::col(Column::Attempts).add(1);
        let update = match self {
            Self::Sent { at, .. } => waiting.set(ActiveModel {
                due_at: Set(None),
                sent_at: Set(Some(at.ms())),
                ..Default::default()
            }),
            Self::Failed { retry_at, reason, .. } => waiting
                .set(put_off(retry_at.ms(), reason))
                .col_expr(Column::Attempts, one_more)
                .filter(not_stuck),
            Self::Refused {
                at, retry_at, reason, ..
            } => {
                let first = Func::coalesce([Expr::col(Column::RefusedAt), Expr::val(at.ms())]);
                waiting
                    .set(put_off(retry_at.map_or(NEVER, Timestamp::ms), reason))
                    .col_expr(Column::Attempts, one_more)
                    .col_expr(Column::RefusedAt, first.into())
                    .filter(not_stuck)
            }
            Self::Release { now, .. } => waiting
                .set(ActiveModel {
                    due_at: Set(Some(now.ms())),
                    ..Default::default()
                })
                .filter(not_stuck),
        };
        update.exec(tx).await?;
        Ok(Verdict::Commit(()))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<()>, Fault> {
        Ok(None)
    }
}

/// Puts an event back as if it had never been offered.
#[derive(Debug)]
pub(super) struct Resend {
    pub(super) event_id: EventId,
    pub(super) now: Timestamp,
}

#[async_trait]
impl Write for Resend {
    type Outcome = Option<Event>;
    const OPERATION: &'static str = "put an event back";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<Option<Event>>, Fault> {
        let back = ActiveModel {
            due_at: Set(Some(self.now.ms())),
            attempts: Set(0),
            refused_at: Set(None),
            last_error: Set(None),
            ..Default::default()
        };
        let is_it = Column::EventId.eq(self.event_id.get());
        Entity::update_many()
            .set(back)
            .filter(is_it.clone())
            .exec(tx)
            .await?;
        let row = Entity::find().filter(is_it).one(tx).await?;
        Ok(Verdict::Commit(row.map(Event::try_from).transpose()?))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<Option<Event>>, Fault> {
        Ok(None)
    }
}
