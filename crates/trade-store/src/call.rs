//! The record of calls to the channels.

use async_trait::async_trait;
use sea_orm::{ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, QueryFilter, QueryOrder};
use trade_core::{
    Timestamp, TradingOrderNo,
    port::{CallEntry, CallStore, StoreError},
};

use crate::{
    fault::Fault,
    prune::Prune,
    store::SqlStore,
    table::{
        BadColumn,
        channel_call::{Column, Entity, new_row},
    },
    transaction::{Verdict, Write, execute},
};

/// The rows one statement writes: engines limit the values in a statement.
const BATCH: usize = 500;

#[derive(Debug)]
struct Append(Vec<CallEntry>);

#[async_trait]
impl Write for Append {
    type Outcome = ();
    const OPERATION: &'static str = "note calls to a channel";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<()>, Fault> {
        for calls in self.0.chunks(BATCH) {
            Entity::insert_many(calls.iter().map(new_row))
                .exec_without_returning(tx)
                .await?;
        }
        Ok(Verdict::Commit(()))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<()>, Fault> {
        Ok(None)
    }
}

impl SqlStore {
    async fn read_calls(&self, trading_order_no: TradingOrderNo) -> Result<Vec<CallEntry>, Fault> {
        let rows = Entity::find()
            .filter(Column::TradingOrderNo.eq(trading_order_no.get()))
            .order_by_asc(Column::At)
            .order_by_asc(Column::Id)
            .all(self.reader())
            .await?;
        let calls: Result<_, BadColumn> = rows.into_iter().map(CallEntry::try_from).collect();
        Ok(calls?)
    }
}

#[async_trait]
impl CallStore for SqlStore {
    async fn append_calls(&self, calls: &[CallEntry]) -> Result<(), StoreError> {
        execute(self.writer(), Append(calls.to_vec())).await
    }

    async fn calls_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<CallEntry>, StoreError> {
        let calls = self.read_calls(trading_order_no).await;
        calls.map_err(|fault| fault.during("read the calls about a trading"))
    }

    async fn prune_calls(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let prune = Prune {
            table: "channel_call",
            time: "at",
            before,
            limit,
        };
        execute(self.writer(), prune).await
    }
}
