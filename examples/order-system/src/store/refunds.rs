//! Refunds: what is owed, what came of it, and what went back without this system asking.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use trade_core::{RefundNo, Timestamp};

use super::{
    Store,
    orders::{By, begin_refund, note, owe},
    table::{Order, Refund, Returned, order, refund, returned},
};
use crate::status::RefundStatus;

/// What the trade server says of an order's refund.
#[derive(Debug, Clone)]
pub(crate) struct RefundResult {
    pub(crate) refund_no: RefundNo,
    /// The channel's number, where it gives one.
    pub(crate) refund_id: Option<String>,
    pub(crate) status: RefundStatus,
}

impl Store {
    /// The refunds whose time has come, oldest first.
    pub(crate) async fn due_refunds(&self, now: Timestamp, limit: u64) -> Result<Vec<Refund>, DbErr> {
        refund::Entity::find()
            .filter(refund::Column::CheckAt.lte(now.ms()))
            .order_by_asc(refund::Column::CheckAt)
            .limit(limit)
            .all(&self.db)
            .await
    }

    /// What an order owes, if it does.
    pub(crate) async fn owed(&self, id: i64) -> Result<Option<Refund>, DbErr> {
        refund::Entity::find_by_id(id).one(&self.db).await
    }

    /// Everything that is owed, for the operator; the longest waiting first.
    pub(crate) async fn all_owed(&self, limit: u64) -> Result<Vec<Refund>, DbErr> {
        refund::Entity::find()
            .order_by_asc(refund::Column::CreateTime)
            .limit(limit)
            .all(&self.db)
            .await
    }

    /// How many orders owe money.
    pub(crate) async fn count_owed(&self) -> Result<u64, DbErr> {
        refund::Entity::find().count(&self.db).await
    }

    /// The orders whose refund has failed for good, newest first: an operator must look.
    pub(crate) async fn failed_refunds(&self, limit: u64) -> Result<Vec<Order>, DbErr> {
        order::Entity::find()
            .filter(order::Column::RefundStatus.eq(RefundStatus::Failed.code()))
            .order_by_desc(order::Column::Id)
            .limit(limit)
            .all(&self.db)
            .await
    }

    /// Takes a refund to work on it until `until`; `false`: another instance has it.
    pub(crate) async fn claim_refund(&self, owed: &Refund, until: Timestamp) -> Result<bool, DbErr> {
        let done = refund::Entity::update_many()
            .col_expr(refund::Column::CheckAt, Expr::value(until.ms()))
            .col_expr(refund::Column::Checks, Expr::value(owed.checks.saturating_add(1)))
            .filter(refund::Column::Id.eq(owed.id))
            .filter(refund::Column::CheckAt.eq(owed.check_at))
            .exec(&self.db)
            .await?;
        Ok(done.rows_affected == 1)
    }

    /// Writes down why a refund was not taken, for the operator.
    pub(crate) async fn refund_troubled(&self, id: i64, reason: &str) -> Result<(), DbErr> {
        let reason: String = reason.chars().take(512).collect();
        refund::Entity::update_many()
            .col_expr(refund::Column::LastError, Expr::value(reason))
            .filter(refund::Column::Id.eq(id))
            .exec(&self.db)
            .await
            .map(drop)
    }

    /// Applies what the trade server says, in a transaction of its own.
    pub(crate) async fn refund_result(
        &self,
        id: i64,
        result: &RefundResult,
        now: Timestamp,
    ) -> Result<bool, DbErr> {
        let tx = self.begin().await?;
        let changed = refund_result(&tx, id, result, now).await?;
        tx.commit().await?;
        Ok(changed)
    }

    /// Begins a refund again that has failed for good, under a number of its own. `false`: it has not failed.
    pub(crate) async fn refund_again(&self, order: &Order, by: &By, now: Timestamp) -> Result<bool, DbErr> {
        let Some(trading) = order.trading_order_no else {
            return Ok(false);
        };
        let tx = self.begin().await?;
        let update = order::Entity::update_many()
            .filter(order::Column::Id.eq(order.id))
            .filter(order::Column::RefundStatus.eq(RefundStatus::Failed.code()));
        let done = begin_refund(update).exec(&tx).await?.rows_affected == 1;
        if done {
            let status = order.status()?;
            note(&tx, order.id, "REFUND_AGAIN", (Some(status), status), by, now).await?;
            owe(&tx, order.id, trading, order.real_pay_amount, now).await?;
        }
        tx.commit().await?;
        Ok(done)
    }

    /// What went back to the payer of an order without this system asking.
    pub(crate) async fn returned(&self, id: i64) -> Result<Vec<Returned>, DbErr> {
        returned::Entity::find()
            .filter(returned::Column::OrderId.eq(id))
            .order_by_asc(returned::Column::RefundNo)
            .all(&self.db)
            .await
    }
}

/// Applies what the trade server says of an order's refund; whether that changed its status. A final result
/// ends what is owed.
pub(super) async fn refund_result(
    tx: &DatabaseTransaction,
    id: i64,
    result: &RefundResult,
    now: Timestamp,
) -> Result<bool, DbErr> {
    let mut update = order::Entity::update_many()
        .col_expr(order::Column::RefundStatus, Expr::value(result.status.code()))
        .col_expr(order::Column::RefundNo, Expr::value(result.refund_no.get()))
        .col_expr(order::Column::UpdateTime, Expr::value(now.ms()))
        .filter(order::Column::Id.eq(id))
        .filter(order::Column::RefundStatus.eq(RefundStatus::Refunding.code()));
    if let Some(refund_id) = &result.refund_id {
        update = update.col_expr(order::Column::RefundId, Expr::value(refund_id.clone()));
    }
    let done = update.exec(tx).await?.rows_affected == 1;
    if !done || result.status == RefundStatus::Refunding {
        return Ok(false);
    }
    refund::Entity::delete_by_id(id).exec(tx).await?;
    let Some(order) = order::Entity::find_by_id(id).one(tx).await? else {
        return Ok(false);
    };
    let (name, status) = match result.status {
        RefundStatus::Success => ("REFUND_SUCCESS", order.status()?),
        RefundStatus::Failed | RefundStatus::Refunding => ("REFUND_FAIL", order.status()?),
    };
    let by = By::system(format!("refund {}", result.refund_no));
    note(tx, id, name, (Some(status), status), &by, now).await?;
    Ok(true)
}

/// Keeps the newest about money that went back without this system asking. A refund that has ended does not
/// begin again.
pub(super) async fn keep_returned(tx: &DatabaseTransaction, row: &Returned) -> Result<(), DbErr> {
    let done = returned::Entity::update_many()
        .col_expr(returned::Column::RefundStatus, Expr::value(row.refund_status))
        .col_expr(returned::Column::UpdateTime, Expr::value(row.update_time))
        .filter(returned::Column::RefundNo.eq(row.refund_no))
        .exec(tx)
        .await?;
    if done.rows_affected == 0 {
        let row = returned::ActiveModel::from(row.clone()).reset_all();
        returned::Entity::insert(row).exec_without_returning(tx).await?;
    }
    Ok(())
}
