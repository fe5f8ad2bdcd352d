//! Reading tradings and their journal.

use sea_orm::{
    ColumnTrait, Condition, ConnectionTrait, EntityTrait, Order, QueryFilter, QueryOrder, QuerySelect, Select,
};
use trade_core::{
    JournalEntry, Trading, TradingOrderNo,
    port::{Due, OrderKey, Page, Pick, TradingFilter},
};

use crate::{
    claim::in_shard,
    ends::{is_full, with_the_last},
    fault::Fault,
    legible::{first_legible, legible},
    table::{
        BadColumn, trade_journal,
        trading::{Column, Entity, Model},
    },
};

fn tradings(rows: Vec<Model>) -> Result<Vec<Trading>, Fault> {
    let tradings: Result<_, BadColumn> = rows.into_iter().map(Trading::try_from).collect();
    Ok(tradings?)
}

/// Every trading of an order, newest first.
pub(super) async fn of_order(
    connection: &impl ConnectionTrait,
    order: &OrderKey,
) -> Result<Vec<Trading>, Fault> {
    let rows = Entity::find()
        .filter(Column::ProductAppId.eq(order.product_app_id.as_str()))
        .filter(Column::ProductOrderNo.eq(order.product_order_no.get()))
        .order_by_desc(Column::TradingOrderNo)
        .all(connection)
        .await?;
    tradings(rows)
}

/// Tradings by filter, newest first.
pub(super) async fn list(
    connection: &impl ConnectionTrait,
    filter: &TradingFilter,
    page: Page,
) -> Result<Vec<Trading>, Fault> {
    Ok(legible(list_query(filter, page).all(connection).await?))
}

fn list_query(filter: &TradingFilter, page: Page) -> Select<Entity> {
    let app = filter.product_app_id.as_ref().map(|app| app.as_str());
    let order = filter.product_order_no.map(|order| order.get());
    let enterprise = filter.enterprise_id.map(|enterprise| enterprise.get());
    let channel = filter.channel.map(|channel| channel.code());
    let state = filter.state.map(|state| i32::from(state.code()));
    let wanted = Condition::all()
        .add_option(app.map(|app| Column::ProductAppId.eq(app)))
        .add_option(order.map(|order| Column::ProductOrderNo.eq(order)))
        .add_option(enterprise.map(|enterprise| Column::EnterpriseId.eq(enterprise)))
        .add_option(channel.map(|channel| Column::TradingChannel.eq(channel)))
        .add_option(state.map(|state| Column::TradingState.eq(state)))
        .add_option(filter.stuck.then(|| Column::IsStuck.eq(1)))
        .add_option(page.before.map(|before| Column::TradingOrderNo.lt(before)));
    Entity::find()
        .filter(wanted)
        .order_by_desc(Column::TradingOrderNo)
        .limit(u64::from(page.limit))
}

/// Tradings whose time has come, the longest waiting first.
pub(super) async fn due(
    connection: &impl ConnectionTrait,
    due: Due,
    pick: Pick,
) -> Result<Vec<Trading>, Fault> {
    let limit = u64::from(pick.limit);
    let mut rows: Vec<Trading> = first_legible(connection, due_query(due, pick, Order::Asc), limit).await?;
    if due == Due::Sync && is_full(&rows, limit) {
        let last = first_legible(connection, due_query(due, pick, Order::Desc), limit / 2).await?;
        with_the_last(&mut rows, last, |row: &Trading| row.trading_order_no);
    }
    Ok(rows)
}

fn due_query(due: Due, pick: Pick, order: Order) -> Select<Entity> {
    let since = match due {
        Due::Expired => Column::CloseAt,
        Due::Sync => Column::NextCheckAt,
    };
    Entity::find()
        .filter(since.lte(pick.now.ms()))
        .filter(in_shard(Column::TradingOrderNo, pick.shard))
        .order_by(since, order.clone())
        .order_by(Column::TradingOrderNo, order)
}

/// A trading's history, oldest first.
pub(super) async fn journal(
    connection: &impl ConnectionTrait,
    trading_order_no: TradingOrderNo,
) -> Result<Vec<JournalEntry>, Fault> {
    let rows = trade_journal::Entity::find()
        .filter(trade_journal::Column::TradingOrderNo.eq(trading_order_no.get()))
        .order_by_asc(trade_journal::Column::Version)
        .all(connection)
        .await?;
    let entries: Result<_, BadColumn> = rows.into_iter().map(JournalEntry::try_from).collect();
    Ok(entries?)
}

#[cfg(test)]
mod tests {
    use sea_orm::QueryTrait;
    use trade_core::{EnterpriseId, ProductAppId, ProductOrderNo};

    use super::*;
    use crate::{SqlStore, engine::plan};

    #[tokio::test]
    async fn frequent_reads_use_an_index() {
        let store = SqlStore::in_memory().await.unwrap();
        let pick = Pick::all(trade_core::Timestamp::from_ms(0), 1);
        let due_now = |due, order| due_query(due, pick, order).limit(1);
        let page = Page {
            before: None,
            limit: 1,
        };
        let all = TradingFilter::default();
        let of_order = TradingFilter {
            product_app_id: Some(ProductAppId::new("a").unwrap()),
            product_order_no: Some(ProductOrderNo::new(1).unwrap()),
            ..all.clone()
        };
        let of_merchant = TradingFilter {
            enterprise_id: Some(EnterpriseId::new(1).unwrap()),
            ..all.clone()
        };
        let stuck = TradingFilter { stuck: true, ..all };
        let cases = [
            (due_now(Due::Sync, Order::Asc), "ix_trading_next_check_at"),
            (due_now(Due::Sync, Order::Desc), "ix_trading_next_check_at"),
            (due_now(Due::Expired, Order::Asc), "ix_trading_close_at"),
            (list_query(&of_order, page), "ix_trading_product_app_id"),
            (list_query(&of_merchant, page), "ix_trading_enterprise_id"),
            (list_query(&stuck, page), "ix_trading_is_stuck"),
        ];
        for (query, index) in cases {
            let plan = plan(store.reader(), &query.into_query()).await;
            assert!(plan.contains(index) && plan.contains("SEARCH"), "{plan}");
            // An order has few tradings, and those are sorted.
            let is_few = index == "ix_trading_product_app_id";
            assert!(is_few || !plan.contains("TEMP B-TREE"), "{plan}");
        }
    }
}
