//! Claiming events, so that only one instance announces each.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use trade_core::{Event, Timestamp};

use super::{due, events};
use crate::{
    fault::Fault,
    table::trade_outbox::{ActiveModel, Column, Entity},
    transaction::{Verdict, Write},
};

/// Takes due events until a time.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
    pub(super) limit: u32,
}

#[async_trait]
impl Write for Claim {
    type Outcome = Vec<Event>;
    const OPERATION: &'static str = "claim the events that are due";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<Vec<Event>>, Fault> {
        // What another instance is claiming at this moment is passed over. (SQLite has one writer at a time.)
        let rows = due(self.now, self.limit)
            .lock_with_behavior(LockType::Update, LockBehavior::SkipLocked)
            .all(tx)
            .await?;
        let claimed = ActiveModel {
            due_at: Set(Some(self.until.ms())),
            ..Default::default()
        };
        Entity::update_many()
            .set(claimed)
            .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
            .exec(tx)
            .await?;
        Ok(Verdict::Commit(events(rows)?))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<Vec<Event>>, Fault> {
        Ok(None)
    }
}
