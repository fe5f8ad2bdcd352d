//! Claiming events, so that only one instance announces each.

use std::collections::BTreeSet;

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set,
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, Order, QueryFilter, QuerySelect,
    sea_query::{LockBehavior, LockType},
};
use trade_core::{Event, Timestamp};

use super::{due, waits_behind_another};
use crate::{
    ends::{is_full, with_the_last},
    fault::Fault,
    legible::legible,
    table::trade_outbox::{ActiveModel, Column, Entity, Model},
    transaction::{Verdict, Write},
};

/// Takes due events until a time.
#[derive(Debug)]
pub(super) struct Claim {
    pub(super) now: Timestamp,
    pub(super) until: Timestamp,
    pub(super) limit: u32,
}

impl Claim {
    async fn locked(&self, tx: &DatabaseTransaction, order: Order, limit: u64) -> Result<Vec<Model>, Fault> {
        let locked =
            due(self.now, order, limit).lock_with_behavior(LockType::Update, LockBehavior::SkipLocked);
        Ok(locked.all(tx).await?)
    }
}

/// What was taken.
#[derive(Debug)]
pub(super) struct Claimed {
    pub(super) events: Vec<Event>,
    /// How many more cannot be read: they keep back their orders, and are in nobody else's way until that time.
    pub(super) illegible: usize,
}

/// Those of the rows before which nothing of their order waits. A statement that locks rows takes on MySQL and MariaDB
/// what was committed a moment ago, and looks for what waits before it in what was committed when it began: of two
/// events committed between, it would give both. The next statement sees all that is before a row we hold.
async fn first_of_their_orders(tx: &DatabaseTransaction, rows: &[Model]) -> Result<BTreeSet<i64>, Fault> {
    let first: Vec<i64> = Entity::find()
        .select_only()
        .column(Column::Id)
        .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
        .filter(waits_behind_another().not())
        .into_tuple()
        .all(tx)
        .await?;
    Ok(first.into_iter().collect())
}

#[async_trait]
impl Write for Claim {
    type Outcome = Claimed;
    const OPERATION: &'static str = "claim the events that are due";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<Claimed>, Fault> {
        // What another instance is claiming at this moment is passed over. (SQLite has one writer at a time.)
        let limit = u64::from(self.limit);
        let mut rows = self.locked(tx, Order::Asc, limit).await?;
        if is_full(&rows, limit) {
            let last = self.locked(tx, Order::Desc, limit / 2).await?;
            with_the_last(&mut rows, last, |row| row.id);
        }
        let first = first_of_their_orders(tx, &rows).await?;
        rows.retain(|row| first.contains(&row.id));
        let claimed = ActiveModel {
            due_at: Set(Some(self.until.ms())),
            ..Default::default()
        };
        Entity::update_many()
            .set(claimed)
            .filter(Column::Id.is_in(rows.iter().map(|row| row.id)))
            .exec(tx)
            .await?;
        let count = rows.len();
        let events: Vec<Event> = legible(rows);
        let illegible = count.saturating_sub(events.len());
        Ok(Verdict::Commit(Claimed { events, illegible }))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<Claimed>, Fault> {
        Ok(None)
    }
}
