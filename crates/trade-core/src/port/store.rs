//! The store: tradings with their journal. Its other tables have a port each beside this.

use std::{error::Error as StdError, fmt::Debug};

use async_trait::async_trait;

use super::{CallStore, Census, HighWater, IdempotencyStore, NoticeInbox, Outbox, RefundStore};
use crate::{
    Channel, EnterpriseId, JournalEntry, ProductAppId, ProductOrderNo, Timestamp, Trading, TradingChange,
    TradingOrderNo, TradingState,
};

/// An order: the order system and its order number.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct OrderKey {
    /// The order system.
    pub product_app_id: ProductAppId,
    /// The order.
    pub product_order_no: ProductOrderNo,
}

/// The store failed. Nothing is known about a write that ended so: read before doing it again.
#[derive(Debug, thiserror::Error)]
#[error("the store failed to {operation}")]
pub struct StoreError {
    /// What was tried.
    pub operation: &'static str,
    /// The cause.
    #[source]
    pub source: Box<dyn StdError + Send + Sync>,
}

/// What became of a new trading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Inserted {
    /// It is committed.
    Done,
    /// The order has a live trading already; this is it. Nothing was written.
    LiveExists(Box<Trading>),
    /// The order is settled already; this is its winner. Nothing was written.
    OrderPaid(Box<Trading>),
}

/// What became of a transition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Commit {
    /// It is committed.
    Done,
    /// The row has moved on: read it and decide anew. Nothing was written.
    Stale,
    /// The order has another winner. Nothing was written.
    WinnerExists,
    /// The channel's number belongs to another trading. Nothing was written.
    TransactionTaken,
}

/// A claim on a row, or a new time to look at it: changes neither state nor version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claim {
    /// The version the claim is about.
    pub version: i64,
    /// The `next_check_at` that was read; another value means somebody else was faster.
    pub seen: Option<Timestamp>,
    /// When to look next.
    pub next_check_at: Option<Timestamp>,
    /// The number of looks so far.
    pub checks: u32,
    /// Why the row needs a person, when it does; replaces what was there.
    pub stuck: Option<String>,
}

/// Which rows a look is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// Live tradings at or past their `expires_at` whose `next_check_at` has come, too: they are to be closed,
    /// those first of which both have been true for longest.
    Expired,
    /// All whose `next_check_at` has come: pending ones to ask about, closed ones to watch, and expired ones, too.
    /// When more are due than are asked for, half of them are those that are due for longest and the other half
    /// those that became due last: after an outage nobody who pays now waits behind all that is left from before.
    Sync,
}

/// Which part of the rows a job works on: those whose number leaves `index` when divided by `total`. Rows are
/// claimed whatever the part, so parts may overlap and change at any time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Shard {
    index: u32,
    total: u32,
}

impl Shard {
    /// Every row.
    pub const ALL: Self = Self { index: 0, total: 1 };

    /// Part `index` (from 0) of `total`; `None` when there is no such part.
    #[must_use]
    pub const fn new(index: u32, total: u32) -> Option<Self> {
        if index < total {
            Some(Self { index, total })
        } else {
            None
        }
    }

    /// Which part it is, from 0.
    #[must_use]
    pub const fn index(self) -> u32 {
        self.index
    }

    /// How many parts there are.
    #[must_use]
    pub const fn total(self) -> u32 {
        self.total
    }

    /// Whether the row with that number belongs to it.
    #[must_use]
    pub fn has(self, number: i64) -> bool {
        number.rem_euclid(i64::from(self.total)) == i64::from(self.index)
    }
}

/// Which of the rows that are due a job asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Pick {
    /// The time it is.
    pub now: Timestamp,
    /// At most this many.
    pub limit: u32,
    /// Of this part.
    pub shard: Shard,
}

impl Pick {
    /// At most `limit` of all rows.
    #[must_use]
    pub const fn all(now: Timestamp, limit: u32) -> Self {
        Self {
            now,
            limit,
            shard: Shard::ALL,
        }
    }
}

/// Which tradings to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct TradingFilter {
    /// Of this order system.
    pub product_app_id: Option<ProductAppId>,
    /// Of this order.
    pub product_order_no: Option<ProductOrderNo>,
    /// Of this merchant.
    pub enterprise_id: Option<EnterpriseId>,
    /// At this channel.
    pub channel: Option<Channel>,
    /// In this state; for one that is paying, whatever the step.
    pub state: Option<TradingState>,
    /// Only those that need a person.
    pub stuck: bool,
}

/// A part of a list, newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Page {
    /// Only numbers below this one.
    pub before: Option<i64>,
    /// At most this many.
    pub limit: u32,
}

/// Keeps tradings.
///
/// # Contract
/// - Every write is one transaction: all of it or nothing, durable when it returns.
/// - The store itself refuses, whatever callers do: two live tradings of one order, two winners of
///   one order, a number used twice, a channel's number used twice at a channel, two events with one key.
/// - A future that is dropped leaves the store as if it had been called or not, never in between.
#[async_trait]
pub trait TradingStore: Debug + Send + Sync + 'static {
    /// Commits a new trading with the first entry of its journal.
    ///
    /// # Errors
    /// The store failed; read before trying again.
    async fn insert_trading(&self, trading: &Trading, journal: &JournalEntry)
    -> Result<Inserted, StoreError>;

    /// The trading of that number.
    ///
    /// # Errors
    /// The store failed.
    async fn trading(&self, trading_order_no: TradingOrderNo) -> Result<Option<Trading>, StoreError>;

    /// Every trading of an order, newest first.
    ///
    /// # Errors
    /// The store failed.
    async fn tradings_of(&self, order: &OrderKey) -> Result<Vec<Trading>, StoreError>;

    /// Tradings by filter, newest first.
    ///
    /// # Errors
    /// The store failed.
    async fn list_tradings(&self, filter: &TradingFilter, page: Page) -> Result<Vec<Trading>, StoreError>;

    /// Commits a transition: row, journal, outbox, and the refund of a surplus with its reserve.
    ///
    /// # Errors
    /// The store failed; read before trying again.
    async fn commit_trading(&self, change: &TradingChange) -> Result<Commit, StoreError>;

    /// Claims or reschedules a trading; `false` when somebody else was faster.
    ///
    /// # Errors
    /// The store failed.
    async fn claim_trading(&self, trading_order_no: TradingOrderNo, claim: Claim)
    -> Result<bool, StoreError>;

    /// Tradings of that kind, the longest waiting first.
    ///
    /// # Errors
    /// The store failed.
    async fn due_tradings(&self, due: Due, pick: Pick) -> Result<Vec<Trading>, StoreError>;

    /// A trading's history, oldest first.
    ///
    /// # Errors
    /// The store failed.
    async fn journal(&self, trading_order_no: TradingOrderNo) -> Result<Vec<JournalEntry>, StoreError>;
}

/// Everything the services need of a store.
pub trait TradeStore:
    TradingStore + RefundStore + Outbox + NoticeInbox + CallStore + IdempotencyStore + Census + HighWater
{
}

impl<T: TradingStore + RefundStore + Outbox + NoticeInbox + CallStore + IdempotencyStore + Census + HighWater>
    TradeStore for T
{
}
