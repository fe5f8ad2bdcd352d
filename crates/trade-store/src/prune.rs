//! Forgetting the oldest rows of a table that is only a record.

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, ExprTrait,
    sea_query::{Expr, Query},
};
use trade_core::Timestamp;

use crate::{
    fault::Fault,
    transaction::{Verdict, Write},
};

/// The rows one statement names: engines limit the values in a statement.
const BATCH: u32 = 500;

/// Deletes up to `limit` rows whose time is before `before`, the oldest first.
#[derive(Debug)]
pub(crate) struct Prune {
    pub(crate) table: &'static str,
    pub(crate) time: &'static str,
    pub(crate) before: Timestamp,
    pub(crate) limit: u32,
}

impl Prune {
    async fn oldest(&self, tx: &DatabaseTransaction, limit: u32) -> Result<Vec<i64>, Fault> {
        let query = Query::select()
            .column("id")
            .from(self.table)
            .and_where(Expr::col(self.time).lt(self.before.ms()))
            .order_by(self.time, sea_orm::Order::Asc)
            .limit(u64::from(limit))
            .take();
        let rows = tx.query_all(&query).await?;
        let ids: Result<_, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
        Ok(ids?)
    }
}

#[async_trait]
impl Write for Prune {
    /// How many rows went.
    type Outcome = u64;
    const OPERATION: &'static str = "forget old records";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<u64>, Fault> {
        let (mut left, mut gone) = (self.limit, 0_u64);
        while left > 0 {
            let batch = std::cmp::min(left, BATCH);
            let ids = self.oldest(tx, batch).await?;
            let found = u32::try_from(ids.len()).unwrap_or(batch);
            let delete = Query::delete()
                .from_table(self.table)
                .and_where(Expr::col("id").is_in(ids))
                .take();
            gone = gone.saturating_add(tx.execute(&delete).await?.rows_affected());
            left = if found < batch { 0 } else { left - batch };
        }
        Ok(Verdict::Commit(gone))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<u64>, Fault> {
        Ok(None)
    }
}
