//! What the core needs from outside, as traits: store, lock, event sink, clock, numbers, randomness.
//!
//! Reference implementations in memory are in [`crate::memory`]; the contract suites of
//! `trade-testkit` hold every implementation to the prose here.

mod call;
mod census;
mod clock;
mod id;
mod idempotency;
mod inbox;
mod lock;
mod observe;
mod outbox;
mod refund;
mod sink;
mod store;

pub use call::{CallEntry, CallLog, CallStore, NoCallLog};
pub use census::{Census, Counts};
pub use clock::{Clock, Random};
pub use id::{HighWater, IdSource};
pub use idempotency::{Begun, IdempotencyKey, IdempotencyStore, StoredAnswer};
pub use inbox::{NoticeInbox, NoticeRecord, NoticeSeen, Recorded};
pub use lock::{Lock, LockError, LockToken};
pub use observe::Observer;
pub use outbox::{Outbox, WaitingEvent};
pub use refund::{RefundCommit, RefundFilter, RefundInserted, RefundStore};
pub use sink::{EventSink, SinkError, SinkFault};
pub use store::{
    Claim, Commit, Due, Inserted, OrderKey, Page, Pick, Shard, StoreError, TradeStore, TradingFilter,
    TradingStore,
};
