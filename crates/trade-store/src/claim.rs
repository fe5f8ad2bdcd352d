//! A claim on a trading or a refund: the same columns in both tables.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, DatabaseConnection, DatabaseTransaction, ExprTrait,
    sea_query::{Expr, Query, UpdateStatement},
};
use trade_core::{
    RefundNo, Timestamp, TradingOrderNo,
    port::{Claim, Shard},
};

use crate::{
    fault::Fault,
    table::ms,
    transaction::{Verdict, Write},
};

/// The row that is claimed.
#[derive(Debug)]
pub(crate) enum Row {
    Trading(TradingOrderNo),
    Refund(RefundNo),
}

#[derive(Debug)]
pub(crate) struct ClaimRow {
    pub(crate) row: Row,
    pub(crate) claim: Claim,
}

impl ClaimRow {
    fn update(&self) -> UpdateStatement {
        let mut update = Query::update();
        match self.row {
            Row::Trading(number) => update
                .table("trading")
                .value("is_stuck", i32::from(self.claim.stuck.is_some()))
                .and_where(Expr::col("trading_order_no").eq(number.get())),
            Row::Refund(number) => update
                .table("refund_record")
                .and_where(Expr::col("refund_no").eq(number.get())),
        };
        let seen = match self.claim.seen.map(Timestamp::ms) {
            Some(seen) => Expr::col("next_check_at").eq(seen),
            None => Expr::col("next_check_at").is_null(),
        };
        update
            .value("next_check_at", ms(self.claim.next_check_at))
            .value("checks", i64::from(self.claim.checks))
            .value("stuck", self.claim.stuck.clone())
            .and_where(Expr::col("version").eq(self.claim.version))
            .and_where(seen)
            .take()
    }
}

/// The rows of a part, by their number; no condition for all of them.
pub(crate) fn in_shard(number: impl ColumnTrait, shard: Shard) -> Condition {
    if shard == Shard::ALL {
        return Condition::all();
    }
    let rest = number.into_expr().modulo(i64::from(shard.total()));
    Condition::all().add(rest.eq(i64::from(shard.index())))
}

#[async_trait]
impl Write for ClaimRow {
    type Outcome = bool;
    const OPERATION: &'static str = "claim a trading or a refund";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<bool>, Fault> {
        let updated = tx.execute(&self.update()).await?;
        Ok(Verdict::Commit(updated.rows_affected() == 1))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<bool>, Fault> {
        Ok(None)
    }
}
