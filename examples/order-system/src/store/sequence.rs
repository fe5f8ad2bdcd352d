//! The counter of order numbers in the database, and what both counters are checked against.

use sea_orm::{ColumnTrait, DbErr, EntityTrait, QueryFilter, QuerySelect, sea_query::Expr};

use super::{
    Store,
    table::{order, sequence},
};

const ORDERS: &str = "orders";

impl Store {
    /// The next value; no other instance gets the same.
    pub(crate) async fn next_in_sequence(&self) -> Result<i64, DbErr> {
        let tx = self.begin().await?;
        let next = sea_orm::ExprTrait::add(Expr::col(sequence::Column::Value), 1);
        sequence::Entity::update_many()
            .col_expr(sequence::Column::Value, next)
            .filter(sequence::Column::Name.eq(ORDERS))
            .exec(&tx)
            .await?;
        // The row is locked since the update, so this is the value it was given.
        let row = sequence::Entity::find_by_id(ORDERS).one(&tx).await?;
        tx.commit().await?;
        row.map(|row| row.value)
            .ok_or_else(|| DbErr::Custom("the sequence of order numbers is gone".to_owned()))
    }

    /// Lets the sequence go on after `floor`; never lowers it.
    pub(crate) async fn raise_sequence(&self, floor: i64) -> Result<(), DbErr> {
        sequence::Entity::update_many()
            .col_expr(sequence::Column::Value, Expr::value(floor))
            .filter(sequence::Column::Name.eq(ORDERS))
            .filter(sequence::Column::Value.lt(floor))
            .exec(&self.db)
            .await
            .map(drop)
    }

    /// The highest order number from `first` on and below `end`.
    pub(crate) async fn highest_between(&self, first: i64, end: i64) -> Result<Option<i64>, DbErr> {
        order::Entity::find()
            .select_only()
            .column_as(order::Column::Id.max(), "highest")
            .filter(order::Column::Id.gte(first))
            .filter(order::Column::Id.lt(end))
            .into_tuple::<Option<i64>>()
            .one(&self.db)
            .await
            .map(Option::flatten)
    }
}
