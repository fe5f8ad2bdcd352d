//! Reading orders.

use sea_orm::{
    ColumnTrait, DbErr, EntityTrait, PaginatorTrait, QueryFilter, QueryOrder, QuerySelect, sea_query::Expr,
};
use trade_core::Timestamp;

use super::{
    Store,
    table::{Canceled, History, Order, canceled, history, order},
};
use crate::status::OrderStatus;

impl Store {
    /// One order.
    pub(crate) async fn order(&self, id: i64) -> Result<Option<Order>, DbErr> {
        order::Entity::find_by_id(id).one(&self.db).await
    }

    /// A customer's orders, the latest start of service first: those below `sort_by`, where one is given. A
    /// page is `limit` rows, and more where several have the same `sort_by`, so that none falls between two
    /// pages.
    pub(crate) async fn orders_of(
        &self,
        user_id: i64,
        status: Option<OrderStatus>,
        sort_by: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Order>, DbErr> {
        let mut asked = order::Entity::find()
            .filter(order::Column::UserId.eq(user_id))
            .filter(order::Column::Display.eq(1))
            .order_by_desc(order::Column::SortBy)
            .order_by_desc(order::Column::Id);
        if let Some(status) = status {
            asked = asked.filter(order::Column::OrdersStatus.eq(status.code()));
        }
        let page = match sort_by {
            Some(sort_by) => asked.clone().filter(order::Column::SortBy.lt(sort_by)),
            None => asked.clone(),
        };
        let mut rows = page.limit(limit).all(&self.db).await?;
        if let Some(last) = rows.last().cloned() {
            let equals = asked
                .filter(order::Column::SortBy.eq(last.sort_by))
                .filter(order::Column::Id.lt(last.id));
            rows.extend(equals.all(&self.db).await?);
        }
        Ok(rows)
    }

    /// Orders for the operator, newest first.
    pub(crate) async fn newest(
        &self,
        status: Option<OrderStatus>,
        before: Option<i64>,
        limit: u64,
    ) -> Result<Vec<Order>, DbErr> {
        let mut asked = order::Entity::find().order_by_desc(order::Column::Id);
        if let Some(status) = status {
            asked = asked.filter(order::Column::OrdersStatus.eq(status.code()));
        }
        if let Some(before) = before {
            asked = asked.filter(order::Column::Id.lt(before));
        }
        asked.limit(limit).all(&self.db).await
    }

    /// Orders of a status that a job is to look at, those first that wait longest for it.
    pub(crate) async fn due(&self, what: Due, now: Timestamp, limit: u64) -> Result<Vec<Order>, DbErr> {
        let asked = order::Entity::find().filter(order::Column::CheckAt.lte(now.ms()));
        let asked = match what {
            Due::Unpaid => asked
                .filter(order::Column::OrdersStatus.eq(OrderStatus::NoPay.code()))
                .filter(order::Column::PayDeadline.lte(now.ms())),
            Due::NotTaken => asked
                .filter(order::Column::OrdersStatus.eq(OrderStatus::Dispatching.code()))
                .filter(order::Column::ServeStartTime.lt(now.ms())),
            Due::NotEvaluated { ended_before } => asked
                .filter(order::Column::OrdersStatus.eq(OrderStatus::NoEvaluation.code()))
                .filter(order::Column::ServeEndTime.lt(ended_before.ms())),
        };
        asked
            .order_by_asc(order::Column::CheckAt)
            .limit(limit)
            .all(&self.db)
            .await
    }

    /// Takes an order to work on it until `until`; `false`: another instance has it.
    pub(crate) async fn claim(&self, order: &Order, until: Timestamp) -> Result<bool, DbErr> {
        let done = order::Entity::update_many()
            .col_expr(order::Column::CheckAt, Expr::value(until.ms()))
            .col_expr(order::Column::Checks, Expr::value(order.checks.saturating_add(1)))
            .filter(order::Column::Id.eq(order.id))
            .filter(order::Column::CheckAt.eq(order.check_at))
            .exec(&self.db)
            .await?;
        Ok(done.rows_affected == 1)
    }

    /// How many orders stand where.
    pub(crate) async fn count(&self, status: OrderStatus) -> Result<u64, DbErr> {
        order::Entity::find()
            .filter(order::Column::OrdersStatus.eq(status.code()))
            .count(&self.db)
            .await
    }

    /// Who cancelled an order, and why.
    pub(crate) async fn canceled(&self, id: i64) -> Result<Option<Canceled>, DbErr> {
        canceled::Entity::find_by_id(id).one(&self.db).await
    }

    /// What happened to an order, first things first.
    pub(crate) async fn history(&self, id: i64) -> Result<Vec<History>, DbErr> {
        history::Entity::find()
            .filter(history::Column::OrderId.eq(id))
            .order_by_asc(history::Column::Id)
            .all(&self.db)
            .await
    }
}

/// What a job looks for.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Due {
    /// The time to pay is over.
    Unpaid,
    /// The service should have begun, and nobody took the order.
    NotTaken,
    /// The customer said nothing for too long.
    NotEvaluated { ended_before: Timestamp },
}
