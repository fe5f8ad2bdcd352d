//! What an operator counts. Each count walks through an index of what is counted, not through the table.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QuerySelect, QueryTrait, Select,
    sea_query::SelectStatement,
};
use trade_core::{
    RefundState, RefundStep, Step, Timestamp, TradingState,
    port::{Census, Counts, StoreError},
};

use crate::{
    fault::Fault,
    store::SqlStore,
    table::{refund_record, time, trade_outbox, trading},
};

/// Live tradings by state: exactly they hold a live slot.
fn live() -> Select<trading::Entity> {
    use trading::Column;
    trading::Entity::find()
        .select_only()
        .column(Column::StateKey)
        .column_as(Column::Id.count(), "rows")
        .column_as(Column::UpdateTime.min(), "oldest")
        .filter(Column::LiveSlot.gt(""))
        .group_by(Column::StateKey)
}

fn stuck_tradings() -> Select<trading::Entity> {
    use trading::Column;
    trading::Entity::find()
        .select_only()
        .column_as(Column::IsStuck.count(), "rows")
        .filter(Column::IsStuck.eq(1))
}

fn running_refunds() -> Select<refund_record::Entity> {
    use refund_record::Column;
    let running = RefundState::ALL.into_iter().filter(|state| !state.is_final());
    refund_record::Entity::find()
        .select_only()
        .column(Column::StateKey)
        .column_as(Column::Id.count(), "rows")
        .column_as(Column::CreateTime.min(), "oldest")
        .column_as(Column::UpdateTime.min(), "unchanged")
        .filter(Column::RefundStatus.is_in(running.map(|state| i32::from(state.code()))))
        .group_by(Column::StateKey)
}

fn stuck_refunds() -> Select<refund_record::Entity> {
    use refund_record::Column;
    refund_record::Entity::find()
        .select_only()
        .column_as(Column::IsStuck.count(), "rows")
        .filter(Column::IsStuck.eq(1))
}

fn unsent_events() -> Select<trade_outbox::Entity> {
    use trade_outbox::Column;
    trade_outbox::Entity::find()
        .select_only()
        .column_as(Column::DueAt.count(), "rows")
        .column_as(Column::OccurredAt.min(), "oldest")
        // Any time there can be: an index is searched for values, not for there being one.
        .filter(Column::DueAt.gte(i64::MIN))
}

fn stuck_events() -> Select<trade_outbox::Entity> {
    use trade_outbox::Column;
    trade_outbox::Entity::find()
        .select_only()
        .column_as(Column::DueAt.count(), "rows")
        .filter(Column::DueAt.eq(trade_outbox::NEVER))
}

async fn tradings(connection: &impl ConnectionTrait, counts: &mut Counts) -> Result<(), Fault> {
    let states: Vec<(String, i64, Option<i64>)> = live().into_tuple().all(connection).await?;
    for (state, rows, oldest) in states {
        match TradingState::from_key(&state) {
            Some(TradingState::Paying(Step::Placed)) => counts.waiting_tradings = number(rows),
            _ => {
                counts.open_tradings = counts.open_tradings.saturating_add(number(rows));
                counts.oldest_open_at = earlier(counts.oldest_open_at, oldest);
                if state == TradingState::Paying(Step::Unknown).key() {
                    (counts.unknown_tradings, counts.oldest_unknown_at) = (number(rows), time(oldest));
                }
            }
        }
    }
    Ok(())
}

async fn refunds(connection: &impl ConnectionTrait, counts: &mut Counts) -> Result<(), Fault> {
    let states: Vec<(String, i64, Option<i64>, Option<i64>)> =
        running_refunds().into_tuple().all(connection).await?;
    for (state, rows, oldest, unchanged) in states {
        counts.running_refunds = counts.running_refunds.saturating_add(number(rows));
        counts.oldest_refund_at = earlier(counts.oldest_refund_at, oldest);
        if state == RefundState::Sending(RefundStep::Unknown).key() {
            (counts.unknown_refunds, counts.oldest_unknown_refund_at) = (number(rows), time(unchanged));
        }
    }
    Ok(())
}

fn earlier(one: Option<Timestamp>, other: Option<i64>) -> Option<Timestamp> {
    [one, time(other)].into_iter().flatten().min()
}

/// The number of rows, and the oldest of them.
async fn rows(
    connection: &impl ConnectionTrait,
    query: SelectStatement,
) -> Result<(u64, Option<Timestamp>), Fault> {
    let Some(row) = connection.query_one(&query).await? else {
        return Ok((0, None));
    };
    let oldest = row.column_names().len() > 1;
    let oldest = if oldest { row.try_get_by_index(1)? } else { None };
    Ok((number(row.try_get_by_index(0)?), time(oldest)))
}

fn number(rows: i64) -> u64 {
    u64::try_from(rows).unwrap_or(0)
}

async fn count(connection: &impl ConnectionTrait) -> Result<Counts, Fault> {
    let mut counts = Counts::default();
    tradings(connection, &mut counts).await?;
    (counts.stuck_tradings, _) = rows(connection, stuck_tradings().into_query()).await?;
    refunds(connection, &mut counts).await?;
    (counts.stuck_refunds, _) = rows(connection, stuck_refunds().into_query()).await?;
    (counts.unsent_events, counts.oldest_event_at) = rows(connection, unsent_events().into_query()).await?;
    (counts.stuck_events, _) = rows(connection, stuck_events().into_query()).await?;
    Ok(counts)
}

#[async_trait]
impl Census for SqlStore {
    async fn counts(&self) -> Result<Counts, StoreError> {
        let counts = count(self.reader()).await;
        counts.map_err(|fault| fault.during("count its rows"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::engine::plan;

    #[tokio::test]
    async fn no_count_walks_through_a_table() {
        let store = SqlStore::in_memory().await.unwrap();
        let queries = [
            (live().into_query(), "ux_trading_live_slot"),
            (stuck_tradings().into_query(), "ix_trading_is_stuck"),
            (running_refunds().into_query(), "ix_refund_record_refund_status"),
            (stuck_refunds().into_query(), "ix_refund_record_is_stuck"),
            (unsent_events().into_query(), "ix_trade_outbox_due_at"),
            (stuck_events().into_query(), "ix_trade_outbox_due_at"),
        ];
        for (query, index) in queries {
            let plan = plan(store.reader(), &query).await;
            assert!(plan.contains(index) && plan.contains("SEARCH"), "{plan}");
        }
    }
}
