//! Writing orders: placed whole, then moved by compare-and-set alone.

use sea_orm::{
    ActiveModelTrait, ActiveValue::Set, ColumnTrait, ConnectionTrait, DatabaseTransaction, DbErr,
    EntityTrait, QueryFilter, UpdateMany, sea_query::Expr,
};
use trade_core::{Channel, Timestamp, TradingOrderNo};

use super::{
    Store,
    table::{Canceled, Order, Refund, canceled, history, order, refund},
};
use crate::status::{Actor, Event, OrderStatus, RefundStatus};

/// Who does something, and why: for the history.
#[derive(Debug, Clone)]
pub(crate) struct By {
    pub(crate) actor: Actor,
    /// The customer's, worker's or operator's number.
    pub(crate) id: Option<i64>,
    pub(crate) detail: String,
}

impl By {
    pub(crate) fn system(detail: impl Into<String>) -> Self {
        Self {
            actor: Actor::System,
            id: None,
            detail: detail.into(),
        }
    }
}

/// More columns that a transition sets.
pub(super) type Change = UpdateMany<order::Entity>;

/// Moves an order, if it stands where the event leads from. `false`: somebody else was faster.
pub(super) async fn transition(
    tx: &DatabaseTransaction,
    id: i64,
    event: Event,
    by: &By,
    now: Timestamp,
    more: impl FnOnce(Change) -> Change + Send,
) -> Result<bool, DbErr> {
    let (from, to) = event.step();
    let update = order::Entity::update_many()
        .col_expr(order::Column::OrdersStatus, Expr::value(to.code()))
        .col_expr(order::Column::UpdateTime, Expr::value(now.ms()))
        .col_expr(order::Column::CheckAt, Expr::value(now.ms()))
        .col_expr(order::Column::Checks, Expr::value(0))
        .filter(order::Column::Id.eq(id))
        .filter(order::Column::OrdersStatus.eq(from.code()));
    if more(update).exec(tx).await?.rows_affected != 1 {
        return Ok(false);
    }
    note(tx, id, event.name(), (Some(from), to), by, now).await?;
    Ok(true)
}

/// Adds a line to the history.
pub(super) async fn note(
    tx: &DatabaseTransaction,
    id: i64,
    event: &str,
    (from, to): (Option<OrderStatus>, OrderStatus),
    by: &By,
    now: Timestamp,
) -> Result<(), DbErr> {
    let line = history::ActiveModel {
        order_id: Set(id),
        event: Set(event.to_owned()),
        from_status: Set(from.map(OrderStatus::code)),
        to_status: Set(to.code()),
        actor_type: Set(by.actor.code()),
        actor_id: Set(by.id),
        detail: Set(by.detail.chars().take(255).collect()),
        at: Set(now.ms()),
        ..Default::default()
    };
    history::Entity::insert(line).exec_without_returning(tx).await?;
    Ok(())
}

impl Store {
    /// Adds a new order. A unique violation means that its number is taken.
    pub(crate) async fn insert_order(&self, order: &Order) -> Result<(), DbErr> {
        let tx = self.begin().await?;
        let row: order::ActiveModel = order.clone().into();
        order::Entity::insert(row.reset_all())
            .exec_without_returning(&tx)
            .await?;
        let by = By {
            actor: Actor::Customer,
            id: Some(order.user_id),
            detail: String::new(),
        };
        let now = Timestamp::from_ms(order.create_time);
        note(&tx, order.id, "PLACE", (None, OrderStatus::NoPay), &by, now).await?;
        tx.commit().await
    }

    /// Writes down the trading an order is being paid by. `false`: it does not wait for its payment any more.
    pub(crate) async fn set_trading(
        &self,
        id: i64,
        trading: TradingOrderNo,
        channel: Channel,
        now: Timestamp,
    ) -> Result<bool, DbErr> {
        let done = order::Entity::update_many()
            .col_expr(order::Column::TradingOrderNo, Expr::value(trading.get()))
            .col_expr(order::Column::TradingChannel, Expr::value(channel.code()))
            .col_expr(order::Column::UpdateTime, Expr::value(now.ms()))
            .filter(order::Column::Id.eq(id))
            .filter(order::Column::OrdersStatus.eq(OrderStatus::NoPay.code()))
            .exec(&self.db)
            .await?;
        Ok(done.rows_affected == 1)
    }

    /// A step of the service itself. `false`: the order stands elsewhere.
    pub(crate) async fn step(&self, id: i64, event: Event, by: &By, now: Timestamp) -> Result<bool, DbErr> {
        let tx = self.begin().await?;
        let ended = matches!(event, Event::CompleteServe | Event::CompleteServeForEvaluation);
        let done = transition(&tx, id, event, by, now, |update| {
            let mut update = update;
            if ended {
                update = update.col_expr(order::Column::ServeEndTime, Expr::value(now.ms()));
            }
            if event == Event::Evaluate {
                update = update.col_expr(order::Column::EvaluationTime, Expr::value(now.ms()));
            }
            update
        })
        .await?;
        tx.commit().await?;
        Ok(done)
    }

    /// Cancels an unpaid order. `false`: it is not unpaid any more.
    pub(crate) async fn cancel_unpaid(
        &self,
        id: i64,
        by: &By,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, DbErr> {
        let tx = self.begin().await?;
        let done = transition(&tx, id, Event::Cancel, by, now, |update| update).await?;
        if done {
            cancelled(&tx, id, by, name, now).await?;
        }
        tx.commit().await?;
        Ok(done)
    }

    /// Closes a paid order and writes down, in the same transaction, that its money has to go back.
    /// `false`: it stands elsewhere.
    pub(crate) async fn close_paid(
        &self,
        order: &Order,
        event: Event,
        by: &By,
        name: &str,
        now: Timestamp,
    ) -> Result<bool, DbErr> {
        let Some(trading) = order.trading_order_no else {
            return Err(DbErr::Custom(format!("order {} is paid by no trading", order.id)));
        };
        let tx = self.begin().await?;
        let done = transition(&tx, order.id, event, by, now, begin_refund).await?;
        if done {
            cancelled(&tx, order.id, by, name, now).await?;
            owe(&tx, order.id, trading, order.real_pay_amount, now).await?;
        }
        tx.commit().await?;
        Ok(done)
    }
}

/// The columns that say that a refund has begun.
pub(super) fn begin_refund(update: Change) -> Change {
    let attempt = Expr::col(order::Column::RefundAttempt);
    update
        .col_expr(
            order::Column::RefundStatus,
            Expr::value(RefundStatus::Refunding.code()),
        )
        .col_expr(order::Column::RefundAttempt, sea_orm::ExprTrait::add(attempt, 1))
}

/// Writes down that an order's money has to go back.
pub(super) async fn owe(
    tx: &impl ConnectionTrait,
    id: i64,
    trading: i64,
    amount: i64,
    now: Timestamp,
) -> Result<(), DbErr> {
    let row = Refund {
        id,
        trading_order_no: trading,
        real_pay_amount: amount,
        create_time: now.ms(),
        check_at: now.ms(),
        checks: 0,
        last_error: String::new(),
    };
    let row = refund::ActiveModel::from(row).reset_all();
    refund::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}

async fn cancelled(
    tx: &impl ConnectionTrait,
    id: i64,
    by: &By,
    name: &str,
    now: Timestamp,
) -> Result<(), DbErr> {
    let row = Canceled {
        id,
        canceller_id: by.id,
        canceler_name: name.chars().take(64).collect(),
        canceller_type: by.actor.code(),
        cancel_reason: by.detail.chars().take(255).collect(),
        cancel_time: now.ms(),
    };
    let row = canceled::ActiveModel::from(row).reset_all();
    canceled::Entity::insert(row).exec_without_returning(tx).await?;
    Ok(())
}
