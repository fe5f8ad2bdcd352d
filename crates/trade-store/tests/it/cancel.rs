//! Callers that go away: whatever they had begun is done wholly or not at all, and the next caller
//! notices nothing.

use std::{future::Future, pin::pin, time::Duration};

use futures_util::poll;
use tempfile::TempDir;
use trade_core::{
    RefundState, Role, Step, Trading, TradingState,
    port::{Commit, Inserted, Outbox, RefundCommit, RefundInserted, RefundStore, TradingStore},
};
use trade_store::SqlStore;
use trade_testkit::fixture;

use super::opened;

/// Polls a call `times` times and then drops it; whether it was done before that.
async fn abandoned_after<T>(times: usize, call: impl Future<Output = T>) -> Option<T> {
    let mut call = pin!(call);
    for _ in 0..times {
        if let std::task::Poll::Ready(done) = poll!(call.as_mut()) {
            return Some(done);
        }
        tokio::task::yield_now().await;
    }
    None
}

/// Waits until the row and what was committed with it agree: a write that was abandoned may still be on
/// its way. A half write would never agree.
async fn settled_down(store: &SqlStore, trading: &Trading) -> i64 {
    for _ in 0..2000 {
        store.ping().await.expect("the store goes on");
        let row = store.trading(trading.trading_order_no).await.unwrap();
        let version = row.map_or(0, |row| row.version);
        let journal = store.journal(trading.trading_order_no).await.unwrap();
        let events = store.events_after(0, 10_000).await.unwrap();
        let own = events
            .iter()
            .filter(|event| event.message.trading_order_no == trading.trading_order_no)
            .count();
        let versions = usize::try_from(version).unwrap();
        if journal.len() == versions && own == versions.saturating_sub(1) {
            return version;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("{} was written by halves", trading.trading_order_no);
}

/// Abandons inserts and transitions after every number of polls up to 40. What was abandoned may be
/// done a moment later or never; either way the same call made again finds a sound store.
#[tokio::test(flavor = "multi_thread")]
async fn an_abandoned_write_is_whole_or_nothing() {
    let folder = TempDir::new().unwrap();
    let store = opened(folder.path().join("t.db")).await;
    let (mut inserts_abandoned, mut commits_abandoned) = (0, 0);
    for polls in 0..40 {
        let trading = fixture::trading(i64::try_from(polls).unwrap() + 1);
        let entry = fixture::first_entry(&trading);
        let insert = || store.insert_trading(&trading, &entry);
        if abandoned_after(polls, insert()).await.is_none() {
            inserts_abandoned += 1;
        }
        let there = settled_down(&store, &trading).await == 1;
        let again = insert().await.unwrap();
        assert!(!there || matches!(again, Inserted::LiveExists(_)), "{again:?}");
        assert_eq!(settled_down(&store, &trading).await, 1);

        let mut change = fixture::change(&trading, TradingState::Paying(Step::Placed));
        change.event = Some(fixture::event(&change.after, trading.trading_order_no.get()));
        if abandoned_after(polls, store.commit_trading(&change))
            .await
            .is_none()
        {
            commits_abandoned += 1;
        }
        let done = settled_down(&store, &trading).await == 2;
        let again = store.commit_trading(&change).await.unwrap();
        assert!(
            again == Commit::Stale || (again == Commit::Done && !done),
            "{again:?}"
        );
        assert_eq!(settled_down(&store, &trading).await, 2);
    }
    assert!(
        inserts_abandoned > 0 && commits_abandoned > 0,
        "no call was abandoned"
    );
}

/// Aborts the tasks of callers after every delay up to 4 ms, in steps of 50 µs, and counts the money.
#[tokio::test(flavor = "multi_thread")]
async fn aborted_refunds_never_lose_count() {
    let folder = TempDir::new().unwrap();
    let store = opened(folder.path().join("t.db")).await;
    let trading = fixture::trading(1);
    let entry = fixture::first_entry(&trading);
    store.insert_trading(&trading, &entry).await.unwrap();
    let paid = fixture::paid(&trading, Role::Winner, "4200");
    store.commit_trading(&paid).await.unwrap();

    for number in 1..=80_u32 {
        let refund = fixture::refund(&paid.after, i64::from(number), 10);
        let caller = {
            let (store, refund) = (store.clone(), refund.clone());
            tokio::spawn(async move {
                store.insert_refund(&fixture::new_refund(&refund)).await.unwrap();
                let change = fixture::refund_change(&refund, RefundState::Success);
                store.commit_refund(&change).await.unwrap();
            })
        };
        tokio::time::sleep(Duration::from_micros(50).saturating_mul(number)).await;
        caller.abort();
        let _ = caller.await;
        // The next caller asks for the same refund and brings it to its end.
        match store.insert_refund(&fixture::new_refund(&refund)).await.unwrap() {
            RefundInserted::Done(_) | RefundInserted::Exists(_) => {}
            RefundInserted::NotCovered => panic!("refund {number} was reserved and lost"),
        }
        let change = fixture::refund_change(&refund, RefundState::Success);
        let commit = store.commit_refund(&change).await.unwrap();
        assert!(matches!(commit, RefundCommit::Done | RefundCommit::Stale));
    }
    let row = store.trading(paid.after.trading_order_no).await.unwrap().unwrap();
    assert_eq!((row.refund_reserved.get(), row.refunded.get()), (800, 800));
    let refunds = store.refunds_of(row.trading_order_no).await.unwrap();
    assert_eq!(refunds.len(), 80);
    assert!(refunds.iter().all(|refund| refund.state == RefundState::Success));
}

/// Callers that wait for the one connection and go away do not take it with them.
#[tokio::test(flavor = "multi_thread")]
async fn a_crowd_that_goes_away_leaves_the_store_usable() {
    let folder = TempDir::new().unwrap();
    let store = opened(folder.path().join("t.db")).await;
    for round in 0..20 {
        let callers: Vec<_> = (1..=16)
            .map(|number| {
                let store = store.clone();
                tokio::spawn(async move {
                    let trading = fixture::trading(round * 100 + number);
                    let entry = fixture::first_entry(&trading);
                    store.insert_trading(&trading, &entry).await
                })
            })
            .collect();
        tokio::task::yield_now().await;
        for caller in callers {
            caller.abort();
            let _ = caller.await;
        }
        for number in 1..=16 {
            settled_down(&store, &fixture::trading(round * 100 + number)).await;
        }
    }
}

/// A write that has begun is brought to its end, whether or not its caller is still there.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_that_has_begun_is_finished() {
    let folder = TempDir::new().unwrap();
    let store = opened(folder.path().join("t.db")).await;
    let trading = fixture::trading(1);
    let entry = fixture::first_entry(&trading);
    let begun = abandoned_after(1, store.insert_trading(&trading, &entry)).await;
    assert!(begun.is_none(), "{begun:?}");
    for _ in 0..5000 {
        if store.trading(trading.trading_order_no).await.unwrap().is_some() {
            return;
        }
        tokio::time::sleep(Duration::from_millis(1)).await;
    }
    panic!("the write ended with its caller");
}
