//! The sums of a trading belong to its refunds, and the platform's columns follow them.

use tempfile::TempDir;
use trade_core::{
    Refund, RefundState, RefundStep, Role, Trading, TradingState,
    port::{Commit, RefundCommit, RefundInserted, RefundStore, TradingStore},
};
use trade_store::SqlStore;
use trade_testkit::fixture;

use super::{chain, column, opened, outsider};

async fn settled(store: &SqlStore) -> Trading {
    let trading = fixture::trading(1);
    let entry = fixture::first_entry(&trading);
    store.insert_trading(&trading, &entry).await.unwrap();
    let paid = fixture::paid(&trading, Role::Winner, "4200");
    assert_eq!(store.commit_trading(&paid).await.unwrap(), Commit::Done);
    paid.after
}

async fn go(store: &SqlStore, refund: &Refund, state: RefundState) -> Refund {
    let change = fixture::refund_change(refund, state);
    assert_eq!(store.commit_refund(&change).await.unwrap(), RefundCommit::Done);
    change.after
}

/// A transition that was decided before a refund was reserved must not take its reserve back, or the
/// same money could be refunded twice.
#[tokio::test]
async fn a_transition_leaves_the_sums_to_the_refunds() {
    let store = SqlStore::in_memory().await.unwrap();
    let trading = settled(&store).await;
    let decided = fixture::change(&trading, TradingState::Settled);
    let refund = fixture::refund(&trading, 1, 1000);
    assert_eq!(store.insert_refund(&refund).await.unwrap(), RefundInserted::Done);
    assert_eq!(store.commit_trading(&decided).await.unwrap(), Commit::Done);
    let again = fixture::refund(&trading, 2, 1);
    assert_eq!(
        store.insert_refund(&again).await.unwrap(),
        RefundInserted::NotCovered
    );
}

/// What was agreed at the insert is not a transition's to change: not the amount, not the text that is
/// sent again byte for byte.
#[tokio::test]
async fn a_transition_leaves_what_was_frozen() {
    let store = SqlStore::in_memory().await.unwrap();
    let trading = fixture::rich_trading(1);
    let entry = fixture::first_entry(&trading);
    store.insert_trading(&trading, &entry).await.unwrap();
    let mut change = fixture::change(&trading, TradingState::Settled);
    let expected = change.after.clone();
    change.after.amount = fixture::trading(2).amount;
    change.after.content = fixture::trading(2).content;
    change.after.memo = "another".into();
    change.after.expires_at = fixture::at(1);
    change.after.created_at = fixture::at(2);
    change.after.enterprise_id = fixture::enterprise(3);
    change.after.product_order_no = fixture::order_no(4);
    change.after.role = None;
    let expected = Trading {
        role: None,
        ..expected
    };
    assert_eq!(store.commit_trading(&change).await.unwrap(), Commit::Done);
    assert_eq!(
        store.trading(trading.trading_order_no).await.unwrap(),
        Some(expected)
    );
}

/// Two refunds of all the money: the first failed, the second took the reserve, then the first turns out
/// to have gone through. The sums cannot say that, so it is an error and nothing of it is written.
#[tokio::test]
async fn what_the_sums_cannot_hold_is_an_error_and_writes_nothing() {
    let store = SqlStore::in_memory().await.unwrap();
    let trading = settled(&store).await;
    let first = fixture::refund(&trading, 1, 1000);
    store.insert_refund(&first).await.unwrap();
    let first = go(&store, &first, RefundState::Failed).await;
    store
        .insert_refund(&fixture::refund(&trading, 2, 1000))
        .await
        .unwrap();

    let mut late = fixture::refund_change(&first, RefundState::Success);
    late.event = Some(fixture::refund_event(&late.after, 9));
    let error = store.commit_refund(&late).await.expect_err("more than was paid");
    assert!(chain(&error).contains("sums"), "{}", chain(&error));
    assert_eq!(store.refund(first.refund_no).await.unwrap(), Some(first));
    let row = store.trading(trading.trading_order_no).await.unwrap().unwrap();
    assert_eq!((row.refund_reserved.get(), row.refunded.get()), (1000, 0));
    let ports: &dyn trade_core::port::Outbox = &store;
    assert_eq!(ports.last_position().await.unwrap(), 1);
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
    store.insert_refund(&first).await.unwrap();
    store.insert_refund(&second).await.unwrap();
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
