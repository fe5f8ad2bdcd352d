//! Reading refunds.

use sea_orm::{ColumnTrait, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect};
use trade_core::{Refund, RefundNo, Timestamp, TradingOrderNo};

use crate::{
    fault::Fault,
    table::{
        BadColumn,
        refund_record::{Column, Entity, Model},
    },
};

fn refunds(rows: Vec<Model>) -> Result<Vec<Refund>, Fault> {
    let refunds: Result<_, BadColumn> = rows.into_iter().map(Refund::try_from).collect();
    Ok(refunds?)
}

/// The refund of that number.
pub(super) async fn find(
    connection: &impl ConnectionTrait,
    refund_no: RefundNo,
) -> Result<Option<Refund>, Fault> {
    let by_number = Entity::find().filter(Column::RefundNo.eq(refund_no.get()));
    let row = by_number.one(connection).await?;
    Ok(row.map(Refund::try_from).transpose()?)
}

/// Every refund of a trading, newest first.
pub(super) async fn of_trading(
    connection: &impl ConnectionTrait,
    trading_order_no: TradingOrderNo,
) -> Result<Vec<Refund>, Fault> {
    let rows = Entity::find()
        .filter(Column::TradingOrderNo.eq(trading_order_no.get()))
        .order_by_desc(Column::RefundNo)
        .all(connection)
        .await?;
    refunds(rows)
}

/// Refunds whose time has come, the longest waiting first.
pub(super) async fn due(
    connection: &impl ConnectionTrait,
    now: Timestamp,
    limit: u32,
) -> Result<Vec<Refund>, Fault> {
    let rows = Entity::find()
        .filter(Column::NextCheckAt.lte(now.ms()))
        .order_by_asc(Column::NextCheckAt)
        .order_by_asc(Column::RefundNo)
        .limit(u64::from(limit))
        .all(connection)
        .await?;
    refunds(rows)
}
