//! The table `id_mark`.

use sea_orm::entity::prelude::*;

/// A row: the point in time up to which a node may have given out numbers.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "id_mark")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub node: i64,
    pub mark_ms: i64,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
