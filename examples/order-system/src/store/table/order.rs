//! The table `orders`.

use sea_orm::entity::prelude::*;
use trade_core::{Channel, Fen, Timestamp};

use crate::status::{OrderStatus, RefundStatus};

/// A row.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "orders")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: i64,
    pub user_id: i64,
    pub serve_type_id: i64,
    pub serve_type_name: String,
    pub serve_item_id: i64,
    pub serve_item_name: String,
    pub serve_item_img: String,
    pub unit: i32,
    pub serve_id: i64,
    pub orders_status: i32,
    pub pay_status: i32,
    pub refund_status: Option<i32>,
    pub price: i64,
    pub pur_num: i32,
    pub total_amount: i64,
    pub real_pay_amount: i64,
    pub discount_amount: i64,
    pub city_code: String,
    pub serve_address: String,
    pub contacts_phone: String,
    pub contacts_name: String,
    pub serve_start_time: i64,
    pub lon: String,
    pub lat: String,
    pub pay_time: Option<i64>,
    pub evaluation_time: Option<i64>,
    pub trading_order_no: Option<i64>,
    pub transaction_id: Option<String>,
    pub refund_no: Option<i64>,
    pub refund_id: Option<String>,
    pub trading_channel: Option<String>,
    pub display: i32,
    pub sort_by: i64,
    pub create_time: i64,
    pub update_time: i64,
    pub pay_deadline: i64,
    pub serve_end_time: Option<i64>,
    pub seen_seq: Option<i64>,
    pub check_at: i64,
    pub checks: i32,
    pub refund_attempt: i32,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

impl Model {
    /// Where it stands.
    ///
    /// # Errors
    /// The code in the row is none of ours.
    pub fn status(&self) -> Result<OrderStatus, DbErr> {
        OrderStatus::from_code(self.orders_status).ok_or_else(|| {
            DbErr::Custom(format!(
                "order {} has the unknown status {}",
                self.id, self.orders_status
            ))
        })
    }

    /// How its refund goes, when there is one.
    #[must_use]
    pub fn refund(&self) -> Option<RefundStatus> {
        self.refund_status.and_then(RefundStatus::from_code)
    }

    /// Whether somebody has paid it.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.pay_status == crate::status::PayStatus::Paid.code()
    }

    /// The channel that was chosen last, or that it was paid at.
    #[must_use]
    pub fn channel(&self) -> Option<Channel> {
        self.trading_channel.as_deref().and_then(|code| code.parse().ok())
    }

    /// What the payer pays.
    ///
    /// # Errors
    /// The row holds a negative sum.
    pub fn to_pay(&self) -> Result<Fen, DbErr> {
        fen(self.real_pay_amount)
    }

    /// When it stops being payable.
    #[must_use]
    pub fn deadline(&self) -> Timestamp {
        Timestamp::from_ms(self.pay_deadline)
    }

    /// This system's number of its refund, a new one for each attempt.
    #[must_use]
    pub fn product_refund_no(&self) -> String {
        match self.refund_attempt {
            0 | 1 => self.id.to_string(),
            attempt => format!("{}-{attempt}", self.id),
        }
    }
}

/// A sum in the tables.
///
/// # Errors
/// It is negative.
pub fn fen(sum: i64) -> Result<Fen, DbErr> {
    Fen::new(sum).map_err(|error| DbErr::Custom(format!("a row holds {sum} fen: {error}")))
}
