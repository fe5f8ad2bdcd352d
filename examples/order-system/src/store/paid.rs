//! What a payment does to an order: told by an event or found by a query, applied once.

use sea_orm::{
    ActiveModelTrait, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, QueryFilter, sea_query::Expr,
};
use trade_core::{Channel, Timestamp, TradingOrderNo};

use super::{
    Store,
    orders::{By, Change, begin_refund, note, owe, transition},
    table::{Order, order},
};
use crate::status::{Event, OrderStatus, PayStatus};

/// A settled trading of an order: the one that counts.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    pub(crate) trading_order_no: TradingOrderNo,
    pub(crate) channel: Channel,
    pub(crate) transaction_id: Option<String>,
    pub(crate) paid_at: Timestamp,
}

/// What it did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Paid {
    /// The order waited for it: 0 to 100.
    Settled,
    /// It was known.
    Known,
    /// The order was cancelled before it came: the money goes back.
    Late,
    /// The order is paid by another trading, which the trade server never says twice: a person must look.
    Contradiction,
    /// There is no such order.
    NoOrder,
}

impl Store {
    /// Applies a payment in a transaction of its own.
    pub(crate) async fn pay_success(
        &self,
        id: i64,
        payment: &Payment,
        now: Timestamp,
    ) -> Result<Paid, DbErr> {
        let tx = self.begin().await?;
        let paid = pay_success(&tx, id, payment, now).await?;
        tx.commit().await?;
        Ok(paid)
    }
}

/// Applies a payment.
pub(super) async fn pay_success(
    tx: &DatabaseTransaction,
    id: i64,
    payment: &Payment,
    now: Timestamp,
) -> Result<Paid, DbErr> {
    let number = payment.trading_order_no.get();
    let by = By::system(format!("trading {number} at {}", payment.channel));
    let settled = transition(tx, id, Event::Payed, &by, now, |update| write(update, payment)).await?;
    if settled {
        return Ok(Paid::Settled);
    }
    let Some(order) = order::Entity::find_by_id(id).one(tx).await? else {
        return Ok(Paid::NoOrder);
    };
    if order.is_paid() {
        return Ok(if order.trading_order_no == Some(number) {
            Paid::Known
        } else {
            Paid::Contradiction
        });
    }
    late(tx, &order, payment, &by, now).await
}

fn write(update: Change, payment: &Payment) -> Change {
    update
        .col_expr(order::Column::PayStatus, Expr::value(PayStatus::Paid.code()))
        .col_expr(order::Column::PayTime, Expr::value(payment.paid_at.ms()))
        .col_expr(
            order::Column::TradingOrderNo,
            Expr::value(payment.trading_order_no.get()),
        )
        .col_expr(order::Column::TradingChannel, Expr::value(payment.channel.code()))
        .col_expr(
            order::Column::TransactionId,
            Expr::value(payment.transaction_id.clone()),
        )
}

/// A payment of an order that is cancelled: it stays cancelled, and owes the money.
async fn late(
    tx: &DatabaseTransaction,
    order: &Order,
    payment: &Payment,
    by: &By,
    now: Timestamp,
) -> Result<Paid, DbErr> {
    let update = order::Entity::update_many()
        .col_expr(order::Column::UpdateTime, Expr::value(now.ms()))
        .filter(order::Column::Id.eq(order.id))
        .filter(order::Column::OrdersStatus.eq(OrderStatus::Canceled.code()))
        .filter(order::Column::PayStatus.eq(PayStatus::NoPay.code()));
    let done = begin_refund(write(update, payment)).exec(tx).await?;
    if done.rows_affected != 1 {
        return Ok(Paid::Contradiction);
    }
    let stays = OrderStatus::Canceled;
    note(tx, order.id, "LATE_PAYMENT", (Some(stays), stays), by, now).await?;
    owe(
        tx,
        order.id,
        payment.trading_order_no.get(),
        order.real_pay_amount,
        now,
    )
    .await?;
    Ok(Paid::Late)
}

/// Takes an order's row for the rest of the transaction, where the engine locks rows.
pub(super) async fn locked(tx: &DatabaseTransaction, id: i64) -> Result<Option<Order>, DbErr> {
    use sea_orm::QuerySelect;
    order::Entity::find_by_id(id).lock_exclusive().one(tx).await
}

/// Remembers how far the events of an order were applied.
pub(super) async fn remember_seq(tx: &DatabaseTransaction, order: Order, seq: i64) -> Result<(), DbErr> {
    let mut row = order::ActiveModel {
        id: sea_orm::ActiveValue::Unchanged(order.id),
        ..Default::default()
    };
    row.seen_seq = sea_orm::ActiveValue::Set(Some(seq));
    row.update(tx).await.map(drop)
}
