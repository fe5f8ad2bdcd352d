//! A surplus payment and the refund that gives it back: marked and reserved in one transaction.

use std::sync::Arc;

use trade_core::{
    NewRefund, Refund, Role, Step, Trading, TradingChange, TradingState,
    port::{Commit, Pick, RefundInserted},
};

use super::{
    Promise, Store, all_events, apply_for, assert_not_covered, assert_untouched, commit, insert,
    race::{TASKS, count, race},
    read, settled, sums,
};
use crate::fixture::{self, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(mark_and_refund_are_one),
        Promise::new(a_refused_mark_leaves_no_refund),
        Promise::new(a_refund_that_exists_is_an_error),
        Promise::new(a_refund_that_is_not_covered_is_an_error),
        Promise::new(a_taken_event_key_writes_nothing),
        Promise::new(one_mark_of_a_crowd_makes_one_refund),
    ]
}

/// The refund of a change.
fn refund_of(change: &TradingChange) -> &NewRefund {
    change.refund.as_ref().expect("a surplus goes back")
}

/// A settled order, and a second trading of it that was closed and then paid all the same.
async fn twice_paid(store: &Store) -> (Trading, Trading) {
    let closed = Trading {
        state: TradingState::Cancelled,
        ..fixture::trading(1)
    };
    insert(store, &closed).await;
    let winner = fixture::like(&closed, 2);
    insert(store, &winner).await;
    let winner = commit(store, fixture::paid(&winner, Role::Winner, "42002")).await;
    (winner, closed)
}

/// Asserts that a trading is as it was, and that there is nothing of the refund of a refused change.
async fn assert_nothing_written(store: &Store, trading: &Trading, change: &TradingChange, events: usize) {
    let journal = usize::try_from(trading.version).unwrap();
    assert_untouched(store, trading, journal, events).await;
    let refund = &refund_of(change).refund;
    assert_eq!(store.refund(refund.refund_no).await.unwrap(), None);
    assert_eq!(store.refund_journal(refund.refund_no).await.unwrap(), []);
    assert_eq!(store.refunds_of(trading.trading_order_no).await.unwrap(), []);
}

/// The mark, its journal, the refund in its turn, its reserve, its history and its event come in one go,
/// and the refund is due as any other.
pub async fn mark_and_refund_are_one(store: Store) {
    let (winner, closed) = twice_paid(&store).await;
    let change = fixture::surplus(&closed, "42001");
    let new = refund_of(&change).clone();
    commit(&store, change.clone()).await;
    let expected = Trading {
        refund_reserved: closed.amount.fen(),
        ..change.after.clone()
    };
    assert_eq!(read(&store, &closed).await, expected);
    let journal = store.journal(closed.trading_order_no).await.unwrap();
    assert_eq!(journal, [fixture::first_entry(&closed), change.journal]);
    let refunds = store.refunds_of(closed.trading_order_no).await.unwrap();
    assert_eq!(refunds, std::slice::from_ref(&new.refund));
    let lines = store.refund_journal(new.refund.refund_no).await.unwrap();
    assert_eq!(lines, [new.journal]);
    assert_eq!(store.due_refunds(Pick::all(at(60), 9)).await.unwrap(), refunds);
    let event = fixture::committed(new.event.expect("it is announced"), 2, 2);
    assert_eq!(all_events(&store).await[1..], [event]);
    assert_eq!(sums(&store, &winner).await, (0, 0));
    // Its money is spoken for.
    assert_not_covered(&store, &fixture::refund(&closed, 50, 1)).await;
    let again = store.insert_refund(&fixture::new_refund(&new.refund)).await;
    assert_eq!(again.unwrap(), RefundInserted::Exists(Box::new(new.refund)));
}

/// When the mark is refused, as stale, for the winner or for the channel's number, there is nothing of
/// the refund either.
pub async fn a_refused_mark_leaves_no_refund(store: Store) {
    let (_, closed) = twice_paid(&store).await;
    let good = fixture::surplus(&closed, "42001");
    let stale = TradingChange {
        from_version: 2,
        ..good.clone()
    };
    let mut wins = good.clone();
    wins.after.role = Some(Role::Winner);
    let taken = fixture::surplus(&closed, "42002");
    let cases = [
        (stale, Commit::Stale),
        (wins, Commit::WinnerExists),
        (taken, Commit::TransactionTaken),
    ];
    for (change, answer) in cases {
        assert_eq!(store.commit_trading(&change).await.unwrap(), answer);
        assert_nothing_written(&store, &closed, &change, 1).await;
    }
    commit(&store, good).await;
    assert_eq!(sums(&store, &closed).await, (1000, 0));
}

/// A surplus whose refund's number is taken cannot be marked: that is an error, and nothing is written.
/// The same change again is stale, as any other.
pub async fn a_refund_that_exists_is_an_error(store: Store) {
    let (winner, closed) = twice_paid(&store).await;
    let change = fixture::surplus(&closed, "42001");
    let squatter = Refund {
        refund_no: refund_of(&change).refund.refund_no,
        ..fixture::refund(&winner, 70, 5)
    };
    apply_for(&store, &squatter).await;
    store
        .commit_trading(&change)
        .await
        .expect_err("the number exists");
    assert_untouched(&store, &closed, 1, 1).await;
    assert_eq!(store.refunds_of(closed.trading_order_no).await.unwrap(), []);
    let kept = store.refund(squatter.refund_no).await.unwrap();
    assert_eq!(kept, Some(squatter));

    let other = fixture::trading(9);
    insert(&store, &other).await;
    let change = fixture::surplus(&other, "42009");
    commit(&store, change.clone()).await;
    assert_eq!(store.commit_trading(&change).await.unwrap(), Commit::Stale);
    let marked = read(&store, &other).await;
    let mut again = fixture::change(&marked, TradingState::Settled);
    again.refund.clone_from(&change.refund);
    store
        .commit_trading(&again)
        .await
        .expect_err("it went back already");
    assert_untouched(&store, &marked, 2, 2).await;
    assert_eq!(store.refunds_of(other.trading_order_no).await.unwrap().len(), 1);
}

/// A surplus of which part was refunded before does not cover a refund of all of it: that is an error,
/// and nothing is written.
pub async fn a_refund_that_is_not_covered_is_an_error(store: Store) {
    let trading = settled(&store, 1).await;
    apply_for(&store, &fixture::refund(&trading, 50, 1)).await;
    let before = read(&store, &trading).await;
    let change = fixture::surplus(&before, "42001");
    store
        .commit_trading(&change)
        .await
        .expect_err("it is not covered");
    assert_untouched(&store, &before, 2, 1).await;
    let refund = &refund_of(&change).refund;
    assert_eq!(store.refund(refund.refund_no).await.unwrap(), None);
}

/// A second event with the same key is refused, and with it the refund and the mark.
pub async fn a_taken_event_key_writes_nothing(store: Store) {
    let (winner, closed) = twice_paid(&store).await;
    let good = fixture::surplus(&closed, "42001");
    let mut bad = good.clone();
    let taken = fixture::paid(&fixture::trading(2), Role::Winner, "42002").event;
    let event = bad.refund.as_mut().and_then(|refund| refund.event.as_mut());
    event.expect("it is announced").event_key = taken.expect("a winner is announced").event_key;
    store.commit_trading(&bad).await.expect_err("the key exists");
    assert_nothing_written(&store, &closed, &bad, 1).await;
    assert_eq!(read(&store, &winner).await, winner);
    commit(&store, good).await;
    assert_eq!(all_events(&store).await.len(), 2);
}

/// Of 64 that see the same surplus at once, one marks it, and one refund goes back.
pub async fn one_mark_of_a_crowd_makes_one_refund(store: Store) {
    let placed = Trading {
        state: TradingState::Paying(Step::Placed),
        ..fixture::trading(1)
    };
    insert(&store, &placed).await;
    let answers = race(|number| {
        let mut change = fixture::surplus(&placed, "42001");
        let refund = change.refund.as_mut().expect("a surplus goes back");
        refund.event = Some(fixture::refund_event(&refund.refund, number));
        let store = Arc::clone(&store);
        async move { store.commit_trading(&change).await.unwrap() }
    })
    .await;
    assert_eq!(count(&answers, &Commit::Done), 1);
    let others = usize::try_from(TASKS).unwrap() - 1;
    assert_eq!(count(&answers, &Commit::Stale), others);
    assert_eq!(sums(&store, &placed).await, (1000, 0));
    assert_eq!(all_events(&store).await.len(), 1);
    assert_eq!(store.refunds_of(placed.trading_order_no).await.unwrap().len(), 1);
}
