//! A transition of a refund, and what it does to the trading's sums.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, UpdateMany,
    sea_query::{CaseStatement, Expr},
};
use trade_core::{Amount, Refund, RefundChange, RefundState, port::RefundCommit};

use super::read;
use crate::{
    fault::Fault,
    outbox,
    table::{
        refund_journal,
        refund_record::{self, changed_columns},
        trading::{Column, Entity, yes_no},
    },
    transaction::{Verdict, Write},
};

#[derive(Debug)]
pub(super) struct Transition(pub(super) RefundChange);

#[async_trait]
impl Write for Transition {
    type Outcome = RefundCommit;
    const OPERATION: &'static str = "commit a refund";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<RefundCommit>, Fault> {
        let Self(change) = self;
        let Some(before) = read::find(tx, change.after.refund_no).await? else {
            return Err(Fault::Broken("there is no refund of that number"));
        };
        let updated = refund_record::Entity::update_many()
            .set(changed_columns(&change.after))
            .filter(refund_record::Column::RefundNo.eq(before.refund_no.get()))
            .filter(refund_record::Column::Version.eq(change.from_version))
            .exec(tx)
            .await?;
        // The state that was read belongs to this version: each version has one state.
        if updated.rows_affected == 0 || before.version != change.from_version {
            return Ok(Verdict::RollBack(RefundCommit::Stale));
        }
        if let Some(update) = sums(before.state, change.after.state, before.amount)
            && !moves_sums(tx, &before, update).await?
        {
            return Ok(Verdict::RollBack(RefundCommit::NotCovered));
        }
        refund_journal::Entity::insert(refund_journal::new_row(&change.journal))
            .exec_without_returning(tx)
            .await?;
        if let Some(event) = &change.event {
            outbox::put(tx, event).await?;
        }
        Ok(Verdict::Commit(RefundCommit::Done))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<RefundCommit>, Fault> {
        Ok(None)
    }
}

/// What a move does to the sums of the trading, if anything. What comes back from failure must be
/// covered anew; the checks of the table hold the rest within what was paid.
fn sums(before: RefundState, after: RefundState, amount: Amount) -> Option<UpdateMany<Entity>> {
    let fen = amount.get();
    let reserved = || Expr::col(Column::RefundReserved).add(fen);
    let refunded = || Expr::col(Column::Refund).add(fen);
    match (before, after) {
        (RefundState::Applied | RefundState::Sending(_), RefundState::Success) => {
            Some(Entity::update_many().col_expr(Column::Refund, refunded()))
        }
        (RefundState::Applied | RefundState::Sending(_), RefundState::Failed) => Some(
            Entity::update_many()
                .col_expr(Column::IsRefund, still_refunded(fen))
                .col_expr(Column::RefundReserved, Expr::col(Column::RefundReserved).sub(fen)),
        ),
        (RefundState::Failed, RefundState::Success) => Some(
            Entity::update_many()
                .col_expr(Column::RefundReserved, reserved())
                .col_expr(Column::IsRefund, Expr::value(yes_no(true)))
                .col_expr(Column::Refund, refunded())
                .filter(reserved().lte(Expr::col(Column::TradingAmount))),
        ),
        (RefundState::Applied | RefundState::Sending(_), RefundState::Applied | RefundState::Sending(_))
        | (RefundState::Failed, RefundState::Applied | RefundState::Sending(_) | RefundState::Failed)
        | (RefundState::Success, _) => None,
    }
}

/// `is_refund` after `fen` of the reserve are given back, by the reserve as it was before. It stands
/// before the reserve in the statement, since MySQL shows later expressions what earlier ones set.
fn still_refunded(fen: i64) -> Expr {
    CaseStatement::new()
        .case(
            Expr::col(Column::RefundReserved).gt(fen),
            Expr::value(yes_no(true)),
        )
        .finally(Expr::value(yes_no(false)))
        .into()
}

/// Whether the sums could be moved. A refund has its trading: a reference holds that.
async fn moves_sums(
    tx: &DatabaseTransaction,
    refund: &Refund,
    update: UpdateMany<Entity>,
) -> Result<bool, Fault> {
    let updated = update
        .filter(Column::TradingOrderNo.eq(refund.trading_order_no.get()))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected == 1)
}
