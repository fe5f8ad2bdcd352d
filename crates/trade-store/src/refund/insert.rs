//! A new refund, and the reserve it takes.

use async_trait::async_trait;
use sea_orm::{
    ColumnTrait, DatabaseConnection, DatabaseTransaction, EntityTrait, ExprTrait, QueryFilter, QuerySelect,
    sea_query::{Expr, Func},
};
use trade_core::{NewRefund, Refund, RefundState, Timestamp, TradingState, port::RefundInserted};

use super::read;
use crate::{
    fault::Fault,
    outbox,
    table::{
        refund_journal, refund_record,
        trading::{Column, Entity, yes_no},
    },
    transaction::{Verdict, Write},
};

#[derive(Debug)]
pub(super) struct Insert(pub(super) NewRefund);

#[async_trait]
impl Write for Insert {
    type Outcome = RefundInserted;
    const OPERATION: &'static str = "insert a refund";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<RefundInserted>, Fault> {
        Ok(match put(tx, &self.0).await? {
            done @ RefundInserted::Done(_) => Verdict::Commit(done),
            refused => Verdict::RollBack(refused),
        })
    }

    async fn explain(&self, connection: &DatabaseConnection) -> Result<Option<RefundInserted>, Fault> {
        let existing = read::same_number(connection, &self.0.refund).await?;
        Ok(existing.map(|existing| RefundInserted::Exists(Box::new(existing))))
    }
}

/// Makes the refund of a surplus in the transaction of its mark.
///
/// # Errors
/// It cannot be made, and so the mark cannot either: a surplus is covered by itself, and its refund's
/// number is made of its own, so that the rows must be damaged.
pub(crate) async fn put_of_surplus(tx: &DatabaseTransaction, new: &NewRefund) -> Result<(), Fault> {
    match put(tx, new).await? {
        RefundInserted::Done(_) => Ok(()),
        RefundInserted::NotCovered => Err(Fault::Broken("the sums of a surplus do not cover its refund")),
        RefundInserted::Exists(_) => Err(Fault::Broken("the number of a surplus's refund exists")),
    }
}

/// Writes reserve, row, journal and event. Unless it is done, nothing else may be committed with it.
async fn put(tx: &DatabaseTransaction, new: &NewRefund) -> Result<RefundInserted, Fault> {
    // The reserve first: it holds the trading's row, so that whoever races is seen from here on. A
    // number that exists goes before it all the same: its refund is covered already.
    let covered = reserve(tx, &new.refund).await?;
    if let Some(existing) = read::same_number(tx, &new.refund).await? {
        return Ok(RefundInserted::Exists(Box::new(existing)));
    }
    if new.sole
        && let Some(standing) = read::standing(tx, new.refund.trading_order_no).await?
    {
        return Ok(RefundInserted::Exists(Box::new(standing)));
    }
    if !covered {
        return Ok(RefundInserted::NotCovered);
    }
    let mut refund = new.refund.clone();
    if let Some(last) = last_turn(tx, &refund).await? {
        refund.send_at = refund.send_at.max(last.plus(new.gap));
    }
    refund_record::Entity::insert(refund_record::new_row(&refund))
        .exec_without_returning(tx)
        .await?;
    refund_journal::Entity::insert(refund_journal::new_row(&new.journal))
        .exec_without_returning(tx)
        .await?;
    if let Some(event) = &new.event {
        outbox::put(tx, event).await?;
    }
    Ok(RefundInserted::Done(Box::new(refund)))
}

/// Reserves the amount, if the settled trading has as much left: one statement decides, so two
/// refunds that race cannot both be right.
async fn reserve(tx: &DatabaseTransaction, refund: &Refund) -> Result<bool, Fault> {
    let fen = refund.amount.get();
    let reserved = || Expr::col(Column::RefundReserved).add(fen);
    let mut update = Entity::update_many()
        .col_expr(Column::RefundReserved, reserved())
        .col_expr(Column::IsRefund, Expr::value(yes_no(true)));
    if refund.state == RefundState::Success {
        update = update.col_expr(Column::Refund, Expr::col(Column::Refund).add(fen));
    }
    let updated = update
        .filter(Column::TradingOrderNo.eq(refund.trading_order_no.get()))
        .filter(Column::StateKey.eq(TradingState::Settled.key()))
        .filter(reserved().lte(Expr::col(Column::TradingAmount)))
        .exec(tx)
        .await?;
    Ok(updated.rows_affected == 1)
}

/// The latest turn of the trading's refunds; what the channel refused keeps nothing waiting.
async fn last_turn(tx: &DatabaseTransaction, refund: &Refund) -> Result<Option<Timestamp>, Fault> {
    use refund_record::Column as Row;
    let turn = Func::coalesce([Expr::col(Row::SendAt), Expr::col(Row::CreateTime)]);
    let last: Option<Option<i64>> = refund_record::Entity::find()
        .select_only()
        .column_as(Expr::from(Func::max(turn)), "last")
        .filter(Row::TradingOrderNo.eq(refund.trading_order_no.get()))
        .filter(Row::StateKey.ne(RefundState::Failed.key()))
        .into_tuple()
        .one(tx)
        .await?;
    Ok(last.flatten().map(Timestamp::from_ms))
}
