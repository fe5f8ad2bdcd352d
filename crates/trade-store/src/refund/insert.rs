//! A new refund, and the reserve it takes.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter,
    sea_query::Expr,
};
use trade_core::{Refund, TradingState, port::RefundInserted};

use super::read;
use crate::{
    fault::Fault,
    table::{
        refund_record,
        trading::{Column, Entity, yes_no},
    },
    transaction::{Verdict, Write},
};

#[derive(Debug)]
pub(super) struct Insert(pub(super) Refund);

impl Insert {
    /// Reserves the amount, if the settled trading has as much left: one statement decides, so two
    /// refunds that race cannot both be right.
    async fn reserve(&self, tx: &DatabaseTransaction) -> Result<bool, Fault> {
        let Self(refund) = self;
        let reserved = || Expr::col(Column::RefundReserved).add(refund.amount.get());
        let updated = Entity::update_many()
            .col_expr(Column::RefundReserved, reserved())
            .col_expr(Column::IsRefund, Expr::value(yes_no(true)))
            .filter(Column::TradingOrderNo.eq(refund.trading_order_no.get()))
            .filter(Column::StateKey.eq(TradingState::Settled.key()))
            .filter(reserved().lte(Expr::col(Column::TradingAmount)))
            .exec(tx)
            .await?;
        Ok(updated.rows_affected == 1)
    }
}

#[async_trait]
impl Write for Insert {
    type Outcome = RefundInserted;
    const OPERATION: &'static str = "insert a refund";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<RefundInserted>, Fault> {
        let Self(refund) = self;
        // The number first: the same refund asked for again is covered already.
        if let Some(existing) = read::find(tx, refund.refund_no).await? {
            return Ok(Verdict::RollBack(RefundInserted::Exists(Box::new(existing))));
        }
        if !self.reserve(tx).await? {
            return Ok(Verdict::RollBack(RefundInserted::NotCovered));
        }
        refund_record::Entity::insert(refund_record::new_row(refund))
            .exec_without_returning(tx)
            .await?;
        Ok(Verdict::Commit(RefundInserted::Done))
    }

    async fn explain(&self, connection: &DatabaseConnection) -> Result<Option<RefundInserted>, Fault> {
        let existing = read::find(connection, self.0.refund_no).await?;
        Ok(existing.map(|existing| RefundInserted::Exists(Box::new(existing))))
    }
}
