//! The sums of a trading belong to its refunds, and the platform's columns follow them.

use tempfile::TempDir;
use trade_core::{
    Refund, RefundState, RefundStep, Role, Trading,
    port::{Commit, RefundCommit, RefundInserted, RefundStore, TradingStore},
};
use trade_store::SqlStore;
use trade_testkit::fixture;

use super::{column, opened, outsider};

async fn settled(store: &SqlStore) -> Trading {
    let trading = fixture::trading(1);
    let entry = fixture::first_entry(&trading);
    store.insert_trading(&trading, &entry).await.unwrap();
    let paid = fixture::paid(&trading, Role::Winner, "4200");
    assert_eq!(store.commit_trading(&paid).await.unwrap(), Commit::Done);
    paid.after
}

async fn apply_for(store: &SqlStore, refund: &Refund) {
    let answer = store.insert_refund(&fixture::new_refund(refund)).await.unwrap();
    assert_eq!(answer, RefundInserted::Done(Box::new(refund.clone())));
}

async fn go(store: &SqlStore, refund: &Refund, state: RefundState) -> Refund {
    let change = fixture::refund_change(refund, state);
    assert_eq!(store.commit_refund(&change).await.unwrap(), RefundCommit::Done);
    change.after
}

#[tokio::test]
async fn the_platforms_columns_follow() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let store = opened(&path).await;
    let raw = outsider(&path).await;
    let trading = settled(&store).await;
    let sql = "SELECT trading_state || ' ' || is_refund || ' ' || refund || ' ' || coalesce((SELECT \
               group_concat(refund_status, ',') FROM (SELECT refund_status FROM refund_record ORDER BY \
               refund_no)), '') FROM trading";
    let shows = async |expected: &str| assert_eq!(column(&raw, sql).await.unwrap(), [expected]);
    shows("4 NO 0 ").await;
    let (first, second) = (
        fixture::refund(&trading, 1, 400),
        fixture::refund(&trading, 2, 600),
    );
    apply_for(&store, &first).await;
    apply_for(&store, &second).await;
    shows("4 YES 0 0,0").await;
    let first = go(&store, &first, RefundState::Sending(RefundStep::Accepted)).await;
    let second = go(&store, &second, RefundState::Failed).await;
    shows("4 YES 0 1,3").await;
    let first = go(&store, &first, RefundState::Failed).await;
    shows("4 NO 0 3,3").await;
    go(&store, &first, RefundState::Success).await;
    shows("4 YES 400 2,3").await;
    go(&store, &second, RefundState::Success).await;
    shows("4 YES 1000 2,2").await;
}
