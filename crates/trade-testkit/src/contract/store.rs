//! What every [`TradeStore`] promises. Each check wants a store of its own, empty.

pub mod claim;
pub mod inbox;
pub mod list;
pub mod mark;
pub mod outbox;
pub mod race;
pub mod refund;
pub mod trading;
pub mod transition;

use std::{future::Future, sync::Arc};

use trade_core::{
    Event, Refund, Role, Timestamp, Trading, TradingChange,
    port::{Commit, Inserted, RefundInserted, TradeStore},
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
        refund::promises(),
        outbox::promises(),
        inbox::promises(),
        mark::promises(),
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

/// Inserts a refund that must be covered.
async fn apply_for(store: &Store, refund: &Refund) {
    assert_eq!(store.insert_refund(refund).await.unwrap(), RefundInserted::Done);
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

/// The ids of the events that are due.
async fn due_ids(store: &Store, now: Timestamp, limit: u32) -> Vec<i64> {
    let events = store.due_events(now, limit).await.unwrap();
    events.iter().map(|event| event.event_id.get()).collect()
}

/// Asserts that row, journal and outbox are as they were: nothing of a refused write is left.
async fn assert_untouched(store: &Store, trading: &Trading, journal_len: usize, events: usize) {
    assert_eq!(read(store, trading).await, *trading);
    let journal = store.journal(trading.trading_order_no).await.unwrap();
    assert_eq!(journal.len(), journal_len, "the journal has grown");
    assert_eq!(all_events(store).await.len(), events, "the outbox has grown");
}
