//! High-water marks of the number generators.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait,
    QueryFilter, sea_query::Expr,
};
use trade_core::{
    Timestamp,
    port::{HighWater, StoreError},
};

use crate::{
    engine,
    fault::Fault,
    store::SqlStore,
    table::id_mark::{ActiveModel, Column, Entity},
    transaction::{Verdict, Write, execute},
};

/// No generator has this number: its mark only shows that the table can be written.
const PROBE: i64 = -1;

/// Writes a row of a node that no generator can be. An engine that finds out at the commit alone that its
/// disk is full must commit it; the others roll it back.
pub(crate) async fn probe(tx: &DatabaseTransaction) -> Result<Verdict<()>, Fault> {
    if !engine::writes_at_commit(tx) {
        insert(tx, PROBE, 0).await?;
        return Ok(Verdict::RollBack(()));
    }
    engine::has_room(tx).await?;
    let raised = Entity::update_many()
        .col_expr(Column::MarkMs, Expr::col(Column::MarkMs).add(1))
        .filter(Column::Node.eq(PROBE));
    if raised.exec(tx).await?.rows_affected == 0 {
        insert(tx, PROBE, 0).await?;
    }
    Ok(Verdict::Commit(()))
}

async fn insert(tx: &DatabaseTransaction, node: i64, mark_ms: i64) -> Result<(), Fault> {
    let row = ActiveModel {
        node: Set(node),
        mark_ms: Set(mark_ms),
    };
    Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

#[derive(Debug)]
struct Advance {
    node: i64,
    seen: Option<Timestamp>,
    mark: Timestamp,
}

#[async_trait]
impl Write for Advance {
    type Outcome = bool;
    const OPERATION: &'static str = "move a high-water mark";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<bool>, Fault> {
        let Some(seen) = self.seen else {
            insert(tx, self.node, self.mark.ms()).await?;
            return Ok(Verdict::Commit(true));
        };
        let moved = ActiveModel {
            mark_ms: Set(self.mark.ms()),
            ..Default::default()
        };
        let moved = Entity::update_many()
            .set(moved)
            .filter(Column::Node.eq(self.node))
            .filter(Column::MarkMs.eq(seen.ms()))
            .filter(Column::MarkMs.lt(self.mark.ms()))
            .exec(tx)
            .await?;
        Ok(Verdict::Commit(moved.rows_affected == 1))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<bool>, Fault> {
        // The only thing that must be unique is the node: it has a mark by now.
        Ok(Some(false))
    }
}

#[async_trait]
impl HighWater for SqlStore {
    async fn load(&self, node: i64) -> Result<Option<Timestamp>, StoreError> {
        let row = Entity::find_by_id(node).one(self.reader()).await;
        let row = row.map_err(|error| Fault::from(error).during("read a high-water mark"))?;
        Ok(row.map(|row| Timestamp::from_ms(row.mark_ms)))
    }

    async fn advance(&self, node: i64, seen: Option<Timestamp>, mark: Timestamp) -> Result<bool, StoreError> {
        execute(self.writer(), Advance { node, seen, mark }).await
    }
}
