//! High-water marks of the number generators.

use async_trait::async_trait;
use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter,
};
use trade_core::{
    Timestamp,
    port::{HighWater, StoreError},
};

use crate::{
    fault::Fault,
    store::SqlStore,
    table::id_mark::{ActiveModel, Column, Entity},
    transaction::{Verdict, Write, execute},
};

/// Writes a row of a node that no generator can be, for a transaction that is rolled back.
pub(crate) async fn probe(tx: &DatabaseTransaction) -> Result<(), Fault> {
    insert(tx, -1, 0).await
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
struct Raise {
    node: i64,
    mark: Timestamp,
}

#[async_trait]
impl Write for Raise {
    type Outcome = ();
    const OPERATION: &'static str = "store a high-water mark";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<()>, Fault> {
        match Entity::find_by_id(self.node).one(tx).await? {
            None => insert(tx, self.node, self.mark.ms()).await?,
            Some(stored) if stored.mark_ms >= self.mark.ms() => {}
            Some(_) => {
                let raised = ActiveModel {
                    mark_ms: Set(self.mark.ms()),
                    ..Default::default()
                };
                // The comparison again, for engines that let two transactions read before one writes.
                Entity::update_many()
                    .set(raised)
                    .filter(Column::Node.eq(self.node))
                    .filter(Column::MarkMs.lt(self.mark.ms()))
                    .exec(tx)
                    .await?;
            }
        }
        Ok(Verdict::Commit(()))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<()>, Fault> {
        // Another process stored the node's first mark at the same time: compare with it.
        Ok(None)
    }
}

#[async_trait]
impl HighWater for SqlStore {
    async fn load(&self, node: i64) -> Result<Option<Timestamp>, StoreError> {
        let row = Entity::find_by_id(node).one(self.reader()).await;
        let row = row.map_err(|error| Fault::from(error).during("read a high-water mark"))?;
        Ok(row.map(|row| Timestamp::from_ms(row.mark_ms)))
    }

    async fn store(&self, node: i64, mark: Timestamp) -> Result<(), StoreError> {
        execute(self.writer(), Raise { node, mark }).await
    }
}
