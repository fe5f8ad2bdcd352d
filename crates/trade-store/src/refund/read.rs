//! Reading refunds and their journal.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, QueryFilter, QueryOrder, QuerySelect, Select,
};
use trade_core::{
    ProductAppId, ProductRefundNo, Refund, RefundEntry, RefundNo, RefundOrigin, RefundState, TradingOrderNo,
    port::{Page, Pick, RefundFilter},
};

use crate::{
    claim::in_shard,
    fault::Fault,
    legible::{first_legible, legible},
    table::{
        BadColumn, refund_journal,
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

/// The refund of that number of the caller.
pub(super) async fn by_product_no(
    connection: &impl ConnectionTrait,
    product_app_id: &ProductAppId,
    product_refund_no: &ProductRefundNo,
) -> Result<Option<Refund>, Fault> {
    let is_it = callers(product_app_id, product_refund_no);
    let row = Entity::find().filter(is_it).one(connection).await?;
    Ok(row.map(Refund::try_from).transpose()?)
}

fn callers(product_app_id: &ProductAppId, product_refund_no: &ProductRefundNo) -> Condition {
    Condition::all()
        .add(Column::ProductAppId.eq(product_app_id.as_str()))
        .add(Column::ProductRefundNo.eq(product_refund_no.as_str()))
}

/// The refund that has one of the numbers of a new one, first of all its own.
pub(super) async fn same_number(
    connection: &impl ConnectionTrait,
    new: &Refund,
) -> Result<Option<Refund>, Fault> {
    let found = refunds(same_number_query(new).all(connection).await?)?;
    let own = found.iter().find(|row| row.refund_no == new.refund_no);
    Ok(own.or(found.first()).cloned())
}

/// The newest refund of a trading that an order system asked for, and that has not failed.
pub(super) async fn standing(
    connection: &impl ConnectionTrait,
    trading_order_no: TradingOrderNo,
) -> Result<Option<Refund>, Fault> {
    let row = Entity::find()
        .filter(Column::TradingOrderNo.eq(trading_order_no.get()))
        .filter(Column::Origin.eq(RefundOrigin::Caller.key()))
        .filter(Column::StateKey.ne(RefundState::Failed.key()))
        .order_by_desc(Column::RefundNo)
        .one(connection)
        .await?;
    Ok(row.map(Refund::try_from).transpose()?)
}

fn same_number_query(new: &Refund) -> Select<Entity> {
    let at_channel = Condition::all()
        .add(Column::TradingOrderNo.eq(new.trading_order_no.get()))
        .add(Column::OutRefundNo.eq(new.out_refund_no.as_str()));
    // Where a program of before the column was there wrote the row, the number is our digits.
    let digits: Option<i64> = new.out_refund_no.parse().ok();
    let in_our_digits = digits.map(|number| {
        Condition::all()
            .add(Column::RefundNo.eq(number))
            .add(Column::TradingOrderNo.eq(new.trading_order_no.get()))
            .add(Column::OutRefundNo.is_null())
    });
    let by_caller = new.product_refund_no.as_ref();
    let any = Condition::any()
        .add(Column::RefundNo.eq(new.refund_no.get()))
        .add(at_channel)
        .add_option(in_our_digits)
        .add_option(by_caller.map(|number| callers(&new.product_app_id, number)));
    Entity::find().filter(any).order_by_asc(Column::RefundNo)
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

/// Refunds by filter, highest number first.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    filter: &RefundFilter,
    page: Page,
) -> Result<Vec<Refund>, Fault> {
    Ok(legible(list_query(filter, page).all(connection).await?))
}

fn list_query(filter: &RefundFilter, page: Page) -> Select<Entity> {
    let app = filter.product_app_id.as_ref().map(|app| app.as_str());
    let order = filter.product_order_no.map(|order| order.get());
    let trading = filter.trading_order_no.map(|trading| trading.get());
    let wanted = Condition::all()
        .add_option(app.map(|app| Column::ProductAppId.eq(app)))
        .add_option(order.map(|order| Column::ProductOrderNo.eq(order)))
        .add_option(trading.map(|trading| Column::TradingOrderNo.eq(trading)))
        .add_option(filter.stuck.then(|| Column::IsStuck.eq(1)))
        .add_option(page.before.map(|before| Column::RefundNo.lt(before)));
    Entity::find()
        .filter(wanted)
        .order_by_desc(Column::RefundNo)
        .limit(u64::from(page.limit))
}

/// Refunds whose time has come, the longest waiting first.
pub(super) async fn due(connection: &impl ConnectionTrait, pick: Pick) -> Result<Vec<Refund>, Fault> {
    let query = Entity::find()
        .filter(Column::NextCheckAt.lte(pick.now.ms()))
        .filter(in_shard(Column::RefundNo, pick.shard))
        .order_by_asc(Column::NextCheckAt)
        .order_by_asc(Column::RefundNo);
    first_legible(connection, query, u64::from(pick.limit)).await
}

/// A refund's history, oldest first.
pub(super) async fn journal(
    connection: &impl ConnectionTrait,
    refund_no: RefundNo,
) -> Result<Vec<RefundEntry>, Fault> {
    let rows = refund_journal::Entity::find()
        .filter(refund_journal::Column::RefundNo.eq(refund_no.get()))
        .order_by_asc(refund_journal::Column::Version)
        .all(connection)
        .await?;
    let entries: Result<_, BadColumn> = rows.into_iter().map(RefundEntry::try_from).collect();
    Ok(entries?)
}

#[cfg(test)]
mod tests {
    use sea_orm::QueryTrait;
    use trade_testkit::fixture;

    use super::*;
    use crate::{SqlStore, engine::plan};

    #[tokio::test]
    async fn frequent_reads_use_an_index() {
        let store = SqlStore::in_memory().await.unwrap();
        let page = Page {
            before: None,
            limit: 1,
        };
        let new = fixture::refund(&fixture::trading(1), 1, 1);
        let all = RefundFilter::default();
        let of_order = RefundFilter {
            product_app_id: Some(new.product_app_id.clone()),
            product_order_no: Some(new.product_order_no),
            ..all.clone()
        };
        let stuck = RefundFilter { stuck: true, ..all };
        let with_number = Refund {
            product_refund_no: Some(ProductRefundNo::new("a").unwrap()),
            ..new.clone()
        };
        let cases = [
            (same_number_query(&new), "ux_refund_record_trading_order_no"),
            (
                same_number_query(&with_number),
                "ux_refund_record_product_app_id_product_refund_no",
            ),
            (
                list_query(&of_order, page),
                "ix_refund_record_product_app_id_product_order_no",
            ),
            (list_query(&stuck, page), "ix_refund_record_is_stuck"),
        ];
        for (query, index) in cases {
            let plan = plan(store.reader(), &query.into_query()).await;
            assert!(plan.contains(index) && !plan.contains("SCAN"), "{plan}");
        }
    }
}
