//! What every [`TradeStore`] promises. Each check wants a store of its own, empty.

pub mod call;
pub mod census;
pub mod claim;
pub mod frozen;
pub mod idempotency;
pub mod in_order;
pub mod inbox;
pub mod list;
pub mod mark;
pub mod outbox;
pub mod race;
pub mod refund;
pub mod refund_number;
pub mod refund_sum;
pub mod refund_turn;
pub mod stuck;
pub mod surplus;
pub mod trading;
pub mod transition;

use std::{future::Future, sync::Arc};

use trade_core::{
    Event, NewRefund, Refund, RefundState, Role, Timestamp, Trading, TradingChange,
    port::{Commit, Inserted, RefundCommit, RefundInserted, TradeStore},
};

use super::{Promise, check_all};
use crate::fixture;

/// A store under test.
pub type Store = Arc<dyn TradeStore>;

/// Every promise of a store.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    [
        trading::promises(),
        transition::promises(),
        claim::promises(),
        list::promises(),
        frozen::promises(),
        refund::promises(),
        refund_number::promises(),
        refund_sum::promises(),
        refund_turn::promises(),
        stuck::promises(),
        surplus::promises(),
        outbox::promises(),
        in_order::promises(),
        inbox::promises(),
        mark::promises(),
        call::promises(),
        idempotency::promises(),
        census::promises(),
        race::promises(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// Checks the promises on a fresh, empty store each.
///
/// # Panics
/// At least one promise is broken; the message lists them all.
pub async fn holds<S, F, Fut>(promises: Vec<Promise<Store>>, fresh: F)
where
    S: TradeStore,
    F: Fn() -> Fut,
    Fut: Future<Output = Arc<S>>,
{
    check_all(promises, async || {
        let store: Store = fresh().await;
        store
    })
    .await;
}

/// Inserts a trading that must be accepted, with its first journal entry.
async fn insert(store: &Store, trading: &Trading) {
    let entry = fixture::first_entry(trading);
    let inserted = store.insert_trading(trading, &entry).await.unwrap();
    assert_eq!(inserted, Inserted::Done);
}

/// Commits a transition that must be accepted; the row after it.
async fn commit(store: &Store, change: TradingChange) -> Trading {
    assert_eq!(store.commit_trading(&change).await.unwrap(), Commit::Done);
    change.after
}

/// Inserts the trading of that number and settles it as its order's winner.
async fn settled(store: &Store, number: i64) -> Trading {
    let trading = fixture::trading(number);
    insert(store, &trading).await;
    commit(
        store,
        fixture::paid(&trading, Role::Winner, &format!("4200{number}")),
    )
    .await
}

/// Inserts a refund that must be covered, in its turn, and become the row it is.
async fn apply_for(store: &Store, refund: &Refund) {
    let row = done(store, &fixture::new_refund(refund)).await;
    assert_eq!(row, *refund);
}

/// Inserts a refund that must be covered; the row it became.
async fn done(store: &Store, refund: &NewRefund) -> Refund {
    match store.insert_refund(refund).await.unwrap() {
        RefundInserted::Done(row) => *row,
        refused => panic!("refund {} is refused: {refused:?}", refund.refund.refund_no),
    }
}

/// Asserts that a trading does not cover a refund.
async fn assert_not_covered(store: &Store, refund: &Refund) {
    let answer = store.insert_refund(&fixture::new_refund(refund)).await;
    assert_eq!(
        answer.unwrap(),
        RefundInserted::NotCovered,
        "{}",
        refund.refund_no
    );
}

/// A refund as it stands.
async fn stored(store: &Store, refund: &Refund) -> Refund {
    let row = store.refund(refund.refund_no).await.unwrap();
    row.expect("the refund exists")
}

/// What is reserved of a trading and what went back, in fen.
async fn sums(store: &Store, trading: &Trading) -> (i64, i64) {
    let row = read(store, trading).await;
    (row.refund_reserved.get(), row.refunded.get())
}

/// Commits the move of a refund that must be accepted; the row after it.
async fn go(store: &Store, refund: &Refund, state: RefundState) -> Refund {
    let change = fixture::refund_change(refund, state);
    assert_eq!(store.commit_refund(&change).await.unwrap(), RefundCommit::Done);
    assert_eq!(stored(store, refund).await, change.after);
    change.after
}

/// The row as it stands.
async fn read(store: &Store, trading: &Trading) -> Trading {
    let row = store.trading(trading.trading_order_no).await.unwrap();
    row.expect("the trading exists")
}

/// All committed events.
async fn all_events(store: &Store) -> Vec<Event> {
    store.events_after(0, 10_000).await.unwrap()
}

/// The events that are due: a claim that ends at once changes nothing.
async fn look_at_due(store: &Store, now: Timestamp, limit: u32) -> Vec<Event> {
    store.claim_events(now, now, limit).await.unwrap()
}

/// The ids of the events that are due.
async fn due_ids(store: &Store, now: Timestamp, limit: u32) -> Vec<i64> {
    let events = look_at_due(store, now, limit).await;
    events.iter().map(|event| event.event_id.get()).collect()
}

/// Asserts that row, journal and outbox are as they were: nothing of a refused write is left.
async fn assert_untouched(store: &Store, trading: &Trading, journal_len: usize, events: usize) {
    assert_eq!(read(store, trading).await, *trading);
    let journal = store.journal(trading.trading_order_no).await.unwrap();
    assert_eq!(journal.len(), journal_len, "the journal has grown");
    assert_eq!(all_events(store).await.len(), events, "the outbox has grown");
}
