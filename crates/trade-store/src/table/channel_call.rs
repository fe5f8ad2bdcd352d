//! The table `channel_call`.

use std::time::Duration;

use sea_orm::{ActiveValue::Set, entity::prelude::*};
use trade_core::{RefundNo, Timestamp, TradingOrderNo, port::CallEntry};

use super::{BadColumn, checked};

/// A row: one call, with how long it took in microseconds.
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "channel_call")]
pub struct Model {
    #[sea_orm(primary_key)]
    pub id: i64,
    pub trading_order_no: i64,
    pub refund_no: Option<i64>,
    pub operation: String,
    pub at: i64,
    pub took_us: i64,
    pub outcome: String,
    pub code: String,
    pub request_id: Option<String>,
}

/// No joins: every query is about one table.
#[derive(Copy, Clone, Debug, EnumIter, DeriveRelation)]
pub enum Relation {}

impl ActiveModelBehavior for ActiveModel {}

/// The row of a call.
pub(crate) fn new_row(call: &CallEntry) -> ActiveModel {
    ActiveModel {
        trading_order_no: Set(call.trading_order_no.get()),
        refund_no: Set(call.refund_no.map(RefundNo::get)),
        operation: Set(call.operation.clone()),
        at: Set(call.at.ms()),
        took_us: Set(i64::try_from(call.took.as_micros()).unwrap_or(i64::MAX)),
        outcome: Set(call.outcome.clone()),
        code: Set(call.code.clone()),
        request_id: Set(call.request_id.clone()),
        ..Default::default()
    }
}

impl TryFrom<Model> for CallEntry {
    type Error = BadColumn;

    fn try_from(row: Model) -> Result<Self, BadColumn> {
        let took_us = checked("took_us", u64::try_from(row.took_us))?;
        Ok(Self {
            trading_order_no: checked("trading_order_no", TradingOrderNo::new(row.trading_order_no))?,
            refund_no: checked("refund_no", row.refund_no.map(RefundNo::new).transpose())?,
            operation: row.operation,
            at: Timestamp::from_ms(row.at),
            took: Duration::from_micros(took_us),
            outcome: row.outcome,
            code: row.code,
            request_id: row.request_id,
        })
    }
}
