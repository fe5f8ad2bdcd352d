//! The outbox: events wait here, committed with what they tell, until they are announced.

mod claim;
mod position;
mod report;

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, Condition, DatabaseTransaction, EntityTrait, ExprTrait, Order, QueryFilter, QueryOrder,
    QuerySelect, Select,
    sea_query::{Alias, Expr, Query},
};
use trade_core::{
    Event, EventDraft, EventId, Timestamp,
    port::{OrderKey, Outbox, StoreError, WaitingEvent},
};

use self::report::Report;
use crate::{
    fault::Fault,
    legible::{first_legible, legible},
    store::SqlStore,
    table::{
        BadColumn,
        trade_outbox::{Column, Entity, Model, NEVER, new_row},
        trading,
    },
    transaction::execute,
};

/// Adds an event as the next of its order, in the transaction of what it tells.
pub(crate) async fn put(tx: &DatabaseTransaction, draft: &EventDraft) -> Result<(), Fault> {
    // Who else adds one to the order waits here, and then sees this one.
    trading::Entity::find()
        .filter(trading::Column::ProductAppId.eq(draft.message.product_app_id.as_str()))
        .filter(trading::Column::ProductOrderNo.eq(draft.message.product_order_no.get()))
        .order_by_asc(trading::Column::TradingOrderNo)
        .lock_exclusive()
        .one(tx)
        .await?;
    let last: Option<Option<i64>> = Entity::find()
        .select_only()
        .column_as(Column::Seq.max(), "last")
        .filter(Column::ProductAppId.eq(draft.message.product_app_id.as_str()))
        .filter(Column::ProductOrderNo.eq(draft.message.product_order_no.get()))
        .into_tuple()
        .one(tx)
        .await?;
    let seq = last.flatten().unwrap_or(0).saturating_add(1);
    Entity::insert(new_row(draft, seq)?)
        .exec_without_returning(tx)
        .await?;
    Ok(())
}

fn events(rows: Vec<Model>) -> Result<Vec<Event>, Fault> {
    let events: Result<_, BadColumn> = rows.into_iter().map(Event::try_from).collect();
    Ok(events?)
}

/// Whether an event of the same order waits that was committed before.
fn waits_behind_another() -> Condition {
    let earlier = Alias::new("earlier");
    let column = |column: Column| Expr::col((earlier.clone(), column));
    let same_order_before = Query::select()
        .expr(Expr::val(1))
        .from_as(Entity, earlier.clone())
        .and_where(column(Column::ProductAppId).equals((Entity, Column::ProductAppId)))
        .and_where(column(Column::ProductOrderNo).equals((Entity, Column::ProductOrderNo)))
        .and_where(column(Column::Seq).lt(Expr::col((Entity, Column::Seq))))
        .and_where(column(Column::DueAt).is_not_null())
        .take();
    Condition::all().add(Expr::exists(same_order_before))
}

fn due(now: Timestamp, order: Order, limit: u64) -> Select<Entity> {
    Entity::find()
        .filter(Column::DueAt.lte(now.ms()))
        .filter(waits_behind_another().not())
        // In the order of the index that leads to them: however many are due, no more are read than are taken.
        .order_by(Column::DueAt, order.clone())
        .order_by(Column::Id, order)
        .limit(limit)
}

fn waiting(only_stuck: bool, limit: u32) -> Select<Entity> {
    Entity::find()
        .filter(Column::DueAt.gte(if only_stuck { NEVER } else { i64::MIN }))
        // By an expression, so that no engine walks through all that was ever announced to get the rows in order.
        .order_by_asc(Expr::col(Column::Id).add(0))
        .limit(u64::from(limit))
}

impl SqlStore {
    /// Gives a position to every event that has none yet.
    async fn give_positions(&self) -> Result<(), StoreError> {
        loop {
            let waits = Entity::find().filter(Column::Position.is_null()).limit(1);
            let waits = waits.one(self.reader()).await;
            if waits
                .map_err(|error| Fault::from(error).during("look for new events"))?
                .is_none()
            {
                return Ok(());
            }
            execute(self.writer(), position::Give).await?;
        }
    }

    async fn read_after(&self, after: i64, limit: u32) -> Result<Vec<Event>, Fault> {
        let query = Entity::find()
            .filter(Column::Position.gt(after))
            .order_by_asc(Column::Position);
        first_legible(self.reader(), query, u64::from(limit)).await
    }

    async fn read_waiting(&self, only_stuck: bool, limit: u32) -> Result<Vec<WaitingEvent>, Fault> {
        let rows = waiting(only_stuck, limit).all(self.reader()).await?;
        Ok(legible(rows))
    }

    async fn read_of(&self, order: &OrderKey) -> Result<Vec<Event>, Fault> {
        let rows = Entity::find()
            .filter(Column::ProductAppId.eq(order.product_app_id.as_str()))
            .filter(Column::ProductOrderNo.eq(order.product_order_no.get()))
            .order_by_asc(Column::Seq)
            .all(self.reader())
            .await?;
        events(rows)
    }

    async fn read_last_position(&self) -> Result<i64, Fault> {
        let last: Option<Option<i64>> = Entity::find()
            .select_only()
            .column_as(Column::Position.max(), "last")
            .into_tuple()
            .one(self.reader())
            .await?;
        Ok(last.flatten().unwrap_or(0))
    }
}

#[async_trait]
impl Outbox for SqlStore {
    async fn claim_events(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        self.give_positions().await?;
        // Mostly there is nothing, and then nothing is locked.
        let first = due(now, Order::Asc, 1).one(self.reader()).await;
        let first = first.map_err(|error| Fault::from(error).during("look for events that are due"))?;
        if first.is_none() {
            return Ok(Vec::new());
        }
        loop {
            let claimed = execute(self.writer(), claim::Claim { now, until, limit }).await?;
            // Those that cannot be read are out of the way now.
            let is_done = !claimed.events.is_empty() || claimed.illegible == 0 || until <= now;
            if is_done {
                return Ok(claimed.events);
            }
        }
    }

    async fn release_event(&self, event_id: EventId, now: Timestamp) -> Result<(), StoreError> {
        execute(self.writer(), Report::Release { event_id, now }).await
    }

    async fn event_sent(&self, event_id: EventId, at: Timestamp) -> Result<(), StoreError> {
        execute(self.writer(), Report::Sent { event_id, at }).await
    }

    async fn event_failed(
        &self,
        event_id: EventId,
        retry_at: Timestamp,
        reason: &str,
    ) -> Result<(), StoreError> {
        let report = Report::Failed {
            event_id,
            retry_at,
            reason: reason.to_owned(),
        };
        execute(self.writer(), report).await
    }

    async fn event_refused(
        &self,
        event_id: EventId,
        at: Timestamp,
        retry_at: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let report = Report::Refused {
            event_id,
            at,
            retry_at,
            reason: reason.to_owned(),
        };
        execute(self.writer(), report).await
    }

    async fn resend_event(&self, event_id: EventId, now: Timestamp) -> Result<Option<Event>, StoreError> {
        execute(self.writer(), report::Resend { event_id, now }).await
    }

    async fn waiting_events(&self, only_stuck: bool, limit: u32) -> Result<Vec<WaitingEvent>, StoreError> {
        let waiting = self.read_waiting(only_stuck, limit).await;
        waiting.map_err(|fault| fault.during("read the events that wait"))
    }

    async fn events_after(&self, after: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.give_positions().await?;
        let later = self.read_after(after, limit).await;
        later.map_err(|fault| fault.during("read the events after a position"))
    }

    async fn events_of(&self, order: &OrderKey) -> Result<Vec<Event>, StoreError> {
        let of_order = self.read_of(order).await;
        of_order.map_err(|fault| fault.during("read the events of an order"))
    }

    async fn last_position(&self) -> Result<i64, StoreError> {
        self.give_positions().await?;
        let last = self.read_last_position().await;
        last.map_err(|fault| fault.during("read the position of the last event"))
    }
}

#[cfg(test)]
mod tests {
    use sea_orm::QueryTrait;

    use super::*;
    use crate::engine::plan;

    #[tokio::test]
    async fn what_was_announced_is_not_walked_through() {
        let store = SqlStore::in_memory().await.unwrap();
        let now = Timestamp::from_ms(0);
        let queries = [
            due(now, Order::Asc, 1),
            due(now, Order::Desc, 1),
            waiting(false, 1),
            waiting(true, 1),
        ];
        for query in queries {
            let plan = plan(store.reader(), &query.into_query()).await;
            assert!(plan.contains("USING INDEX ix_trade_outbox_due_at"), "{plan}");
            assert!(!plan.contains("SCAN"), "{plan}");
        }
    }
}
