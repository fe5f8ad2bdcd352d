//! What the core needs from outside, as traits: store, lock, event sink, clock, numbers, randomness.
//!
//! Reference implementations in memory are in [`crate::memory`]; the contract suites of
//! `trade-testkit` hold every implementation to the prose here.

mod clock;
mod id;
mod lock;
mod sink;
mod store;

pub use clock::{Clock, Random};
pub use id::{HighWater, IdSource};
pub use lock::{Lock, LockError, LockToken};
pub use sink::{EventSink, SinkError};
pub use store::{
    Claim, Commit, Due, Inserted, NoticeInbox, OrderKey, Outbox, Page, Recorded, RefundCommit,
    RefundInserted, RefundStore, StoreError, TradeStore, TradingFilter, TradingStore,
};
