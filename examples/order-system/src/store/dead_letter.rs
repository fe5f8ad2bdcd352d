//! How far the stream of events was read, and what in it could not be used.

use sea_orm::{
    ActiveValue::Set, ColumnTrait, DatabaseTransaction, DbErr, EntityTrait, PaginatorTrait, QueryFilter,
    QueryOrder, QuerySelect, sea_query::Expr,
};
use trade_core::Timestamp;

use super::{
    Store,
    table::{dead_letter, position},
};

/// The one stream this system reads.
pub(crate) const TRADE: &str = "trade";

impl Store {
    /// The position of the last event of the stream that was dealt with; 0 before the first.
    pub(crate) async fn position(&self) -> Result<i64, DbErr> {
        let row = position::Entity::find_by_id(TRADE).one(&self.db).await?;
        Ok(row.map_or(0, |row| row.position))
    }

    /// Moves the position on; never back.
    pub(crate) async fn move_to(&self, position: i64) -> Result<(), DbErr> {
        let tx = self.begin().await?;
        move_to(&tx, position).await?;
        tx.commit().await
    }

    /// Puts an event aside that cannot be used, and moves on.
    pub(crate) async fn put_aside(
        &self,
        position: i64,
        body: &str,
        reason: &str,
        now: Timestamp,
    ) -> Result<(), DbErr> {
        let tx = self.begin().await?;
        let row = dead_letter::ActiveModel {
            source: Set(TRADE.to_owned()),
            position: Set(position),
            body: Set(body.to_owned()),
            reason: Set(reason.chars().take(512).collect()),
            at: Set(now.ms()),
            ..Default::default()
        };
        dead_letter::Entity::insert(row)
            .exec_without_returning(&tx)
            .await?;
        move_to(&tx, position).await?;
        tx.commit().await
    }

    /// What was put aside, newest first.
    pub(crate) async fn dead_letters(&self, limit: u64) -> Result<Vec<dead_letter::Model>, DbErr> {
        dead_letter::Entity::find()
            .order_by_desc(dead_letter::Column::Id)
            .limit(limit)
            .all(&self.db)
            .await
    }

    /// How much was put aside.
    pub(crate) async fn count_dead_letters(&self) -> Result<u64, DbErr> {
        dead_letter::Entity::find().count(&self.db).await
    }
}

async fn move_to(tx: &DatabaseTransaction, to: i64) -> Result<(), DbErr> {
    position::Entity::update_many()
        .col_expr(position::Column::Position, Expr::value(to))
        .filter(position::Column::Source.eq(TRADE))
        .filter(position::Column::Position.lt(to))
        .exec(tx)
        .await
        .map(drop)
}
