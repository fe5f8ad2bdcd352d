//! The table `orders_returned`: money that went back without this system asking.

use sea_orm::entity::prelude::*;

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders_returned")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub refund_no: i64,
    pub order_id: i64,
    pub trading_order_no: i64,
    pub trading_channel: String,
    pub refund_amount: i64,
    pub refund_status: i32,
    pub origin: String,
    pub update_time: i64,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}
