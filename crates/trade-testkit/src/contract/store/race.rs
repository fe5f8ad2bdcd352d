//! Races: 64 tasks start at once, and exactly as many win as may.

use std::{future::Future, sync::Arc};

use tokio::sync::Barrier;
use trade_core::{
    Role, Step, TradingState,
    port::{Claim, Commit, Inserted, Recorded, RefundCommit, RefundInserted},
};

use super::{Promise, Store, all_events, apply_for, commit, insert, read, settled};
use crate::fixture::{self, at};

/// How many tasks start at once.
pub(super) const TASKS: i64 = 64;

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(one_insert_of_an_order_wins),
        Promise::new(one_commit_of_a_version_wins),
        Promise::new(one_winner_of_an_order_wins),
        Promise::new(one_owner_of_a_channel_number_wins),
        Promise::new(refunds_win_until_the_amount_is_used_up),
        Promise::new(one_refund_of_a_number_wins),
        Promise::new(one_move_of_a_refund_wins),
        Promise::new(one_claim_wins),
        Promise::new(one_delivery_is_new),
        Promise::new(events_of_an_order_stay_gapless),
        Promise::new(one_of_many_moves_a_mark),
    ]
}

/// Runs `work` in as many tasks as [`TASKS`], all released at the same moment, with numbers from 1.
pub(super) async fn race<T, F, Fut>(work: F) -> Vec<T>
where
    T: Send + 'static,
    F: Fn(i64) -> Fut,
    Fut: Future<Output = T> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(usize::try_from(TASKS).unwrap()));
    let tasks: Vec<_> = (1..=TASKS)
        .map(|number| {
            let (barrier, work) = (Arc::clone(&barrier), work(number));
            tokio::spawn(async move {
                barrier.wait().await;
                work.await
            })
        })
        .collect();
    let mut results = Vec::new();
    for task in tasks {
        results.push(task.await.expect("no racer panics"));
    }
    results
}

pub(super) fn count<T: PartialEq>(results: &[T], wanted: &T) -> usize {
    results.iter().filter(|result| *result == wanted).count()
}

/// Of 64 tradings of one order, one is inserted; the others are told which.
pub async fn one_insert_of_an_order_wins(store: Store) {
    let order = fixture::trading(1000);
    let results = race(|number| {
        let (store, trading) = (Arc::clone(&store), fixture::like(&order, number));
        async move {
            let entry = fixture::first_entry(&trading);
            store.insert_trading(&trading, &entry).await.unwrap()
        }
    })
    .await;
    let listed = store.tradings_of(&order.order()).await.unwrap();
    assert_eq!(listed.len(), 1);
    assert_eq!(count(&results, &Inserted::Done), 1);
    let told = Inserted::LiveExists(Box::new(listed[0].clone()));
    assert_eq!(count(&results, &told), 63);
}

/// Of 64 transitions decided on one version, one is committed: one journal entry, one event.
pub async fn one_commit_of_a_version_wins(store: Store) {
    let before = fixture::trading(1);
    insert(&store, &before).await;
    let results = race(|number| {
        let mut change = fixture::change(&before, TradingState::Cancelled);
        change.after.stuck = Some(number.to_string());
        change.event = Some(fixture::event(&change.after, number));
        let store = Arc::clone(&store);
        async move { (store.commit_trading(&change).await.unwrap(), change) }
    })
    .await;
    let done: Vec<_> = results
        .iter()
        .filter(|(commit, _)| *commit == Commit::Done)
        .collect();
    assert_eq!(done.len(), 1);
    assert_eq!(
        results
            .iter()
            .filter(|(commit, _)| *commit == Commit::Stale)
            .count(),
        63
    );
    assert_eq!(read(&store, &before).await, done[0].1.after);
    assert_eq!(store.journal(before.trading_order_no).await.unwrap().len(), 2);
    let events = all_events(&store).await;
    assert_eq!(events.len(), 1);
    let winner = done[0].1.event.as_ref().expect("it is set above");
    assert_eq!(events[0].event_id, winner.event_id);
}

/// Of 64 payments of one order, one wins it.
pub async fn one_winner_of_an_order_wins(store: Store) {
    let mut rows = Vec::new();
    for number in 1..=TASKS {
        let trading = fixture::like(&fixture::trading(1000), number);
        insert(&store, &trading).await;
        rows.push(commit(&store, fixture::change(&trading, TradingState::Cancelled)).await);
    }
    let mut rows = rows.into_iter();
    let changes: Vec<_> = (1..=TASKS)
        .zip(&mut rows)
        .map(|(number, row)| fixture::paid(&row, Role::Winner, &format!("42{number}")))
        .collect();
    let results = race(|number| {
        let change = changes[usize::try_from(number - 1).unwrap()].clone();
        let store = Arc::clone(&store);
        async move { store.commit_trading(&change).await.unwrap() }
    })
    .await;
    assert_eq!(count(&results, &Commit::Done), 1);
    assert_eq!(count(&results, &Commit::WinnerExists), 63);
    let listed = store.tradings_of(&fixture::trading(1000).order()).await.unwrap();
    let winners = listed.iter().filter(|row| row.role == Some(Role::Winner));
    assert_eq!(winners.count(), 1);
    assert_eq!(all_events(&store).await.len(), 1);
}

/// Of 64 tradings that claim one number of the channel, one has it.
pub async fn one_owner_of_a_channel_number_wins(store: Store) {
    for number in 1..=TASKS {
        insert(&store, &fixture::trading(number)).await;
    }
    let results = race(|number| {
        let change = fixture::paid(&fixture::trading(number), Role::Winner, "4200");
        let store = Arc::clone(&store);
        async move { store.commit_trading(&change).await.unwrap() }
    })
    .await;
    assert_eq!(count(&results, &Commit::Done), 1);
    assert_eq!(count(&results, &Commit::TransactionTaken), 63);
}

/// Of 64 refunds of 1.00 yuan of a trading of 10.00 yuan, ten are accepted.
pub async fn refunds_win_until_the_amount_is_used_up(store: Store) {
    let trading = settled(&store, 1000).await;
    let results = race(|number| {
        let refund = fixture::new_refund(&fixture::refund(&trading, number, 100));
        let store = Arc::clone(&store);
        async move { store.insert_refund(&refund).await.unwrap() }
    })
    .await;
    let done = results
        .iter()
        .filter(|answer| matches!(answer, RefundInserted::Done(_)));
    assert_eq!(done.count(), 10);
    assert_eq!(count(&results, &RefundInserted::NotCovered), 54);
    assert_eq!(read(&store, &trading).await.refund_reserved.get(), 1000);
    let refunds = store.refunds_of(trading.trading_order_no).await.unwrap();
    assert_eq!(refunds.len(), 10);
}

/// Of 64 requests with one refund number, one reserves.
pub async fn one_refund_of_a_number_wins(store: Store) {
    let trading = settled(&store, 1000).await;
    let refund = fixture::refund(&trading, 1, 15);
    let results = race(|_| {
        let (store, refund) = (Arc::clone(&store), fixture::new_refund(&refund));
        async move { store.insert_refund(&refund).await.unwrap() }
    })
    .await;
    assert_eq!(
        count(&results, &RefundInserted::Done(Box::new(refund.clone()))),
        1
    );
    assert_eq!(count(&results, &RefundInserted::Exists(Box::new(refund))), 63);
    assert_eq!(read(&store, &trading).await.refund_reserved.get(), 15);
}

/// Of 64 successes of one refund, one counts.
pub async fn one_move_of_a_refund_wins(store: Store) {
    let trading = settled(&store, 1000).await;
    let refund = fixture::refund(&trading, 1, 15);
    apply_for(&store, &refund).await;
    let results = race(|_| {
        let change = fixture::refund_change(&refund, trade_core::RefundState::Success);
        let store = Arc::clone(&store);
        async move { store.commit_refund(&change).await.unwrap() }
    })
    .await;
    assert_eq!(count(&results, &RefundCommit::Done), 1);
    assert_eq!(count(&results, &RefundCommit::Stale), 63);
    assert_eq!(read(&store, &trading).await.refunded.get(), 15);
}

/// Of 64 claims of one row, one is given.
pub async fn one_claim_wins(store: Store) {
    let row = fixture::trading(1);
    insert(&store, &row).await;
    let results = race(|number| {
        let claim = Claim {
            version: row.version,
            seen: row.next_check_at,
            next_check_at: Some(at(1000 + number)),
            checks: 1,
            stuck: None,
        };
        let (store, number) = (Arc::clone(&store), row.trading_order_no);
        async move { store.claim_trading(number, claim).await.unwrap() }
    })
    .await;
    assert_eq!(count(&results, &true), 1);
}

/// Of 64 deliveries of one notice, one is new.
pub async fn one_delivery_is_new(store: Store) {
    let results = race(|_| {
        let store = Arc::clone(&store);
        async move {
            let notice = fixture::notice("id", 1);
            store.record_notice(&notice).await.unwrap()
        }
    })
    .await;
    assert_eq!(count(&results, &Recorded::New), 1);
    assert_eq!(count(&results, &Recorded::Again), 63);
}

/// 64 events of one order, committed at once, are numbered 1 to 64 in the order of their commit.
pub async fn events_of_an_order_stay_gapless(store: Store) {
    let order = fixture::trading(1000);
    for number in 1..=TASKS {
        let trading = trade_core::Trading {
            state: TradingState::Cancelled,
            ..fixture::like(&order, number)
        };
        insert(&store, &trading).await;
    }
    race(|number| {
        let row = fixture::like(&order, number);
        let mut change = fixture::change(&row, TradingState::Cancelled);
        change.journal.from_state = Some(TradingState::Paying(Step::Closing));
        change.event = Some(fixture::event(&change.after, number));
        let store = Arc::clone(&store);
        async move { store.commit_trading(&change).await.unwrap() }
    })
    .await;
    let events = all_events(&store).await;
    let seqs: Vec<_> = events.iter().map(|event| event.message.seq).collect();
    assert_eq!(seqs, (1..=TASKS).map(Some).collect::<Vec<_>>());
}

/// Of 64 that move a mark from one place at once, one does: a node's first mark, and a later one.
pub async fn one_of_many_moves_a_mark(store: Store) {
    for seen in [None, Some(at(0))] {
        if seen.is_some() {
            assert!(store.advance(2, None, at(0)).await.unwrap());
        }
        let node = if seen.is_some() { 2 } else { 1 };
        let moved = race(|number| {
            let store = Arc::clone(&store);
            async move { store.advance(node, seen, at(number)).await.unwrap() }
        })
        .await;
        let winners: Vec<(i64, bool)> = (1..).zip(moved).filter(|(_, moved)| *moved).collect();
        assert_eq!(winners.len(), 1, "{winners:?}");
        assert_eq!(store.load(node).await.unwrap(), Some(at(winners[0].0)));
    }
}
