//! The store: tradings, refunds, journal, outbox and notice inbox.

use std::{error::Error as StdError, fmt::Debug};

use async_trait::async_trait;

use super::HighWater;
use crate::{
    Channel, EnterpriseId, Event, EventId, JournalEntry, ProductAppId, ProductOrderNo, Refund, RefundChange,
    RefundNo, Timestamp, Trading, TradingChange, TradingOrderNo, TradingState,
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

/// What became of a new refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundInserted {
    /// It is committed and its amount reserved.
    Done,
    /// What is left of the trading does not cover it, or the trading is not settled. Nothing was written.
    NotCovered,
    /// The number exists; this is it. Nothing was written.
    Exists(Box<Refund>),
}

/// What became of a refund's transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundCommit {
    /// It is committed.
    Done,
    /// The row has moved on: read it and decide anew. Nothing was written.
    Stale,
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

/// Which rows a look is for. Each kind has a limit of its own, so that neither starves the other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Due {
    /// Live tradings at or past their `expires_at`, which are to be closed.
    Expired,
    /// All others whose `next_check_at` has come: pending ones to ask about, closed ones to watch.
    Sync,
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

/// Whether a notice is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// First delivery.
    New,
    /// Seen before.
    Again,
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

    /// Commits a transition: row, journal, outbox.
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

    /// Tradings of that kind with `next_check_at <= now`, the longest waiting first.
    ///
    /// # Errors
    /// The store failed.
    async fn due_tradings(&self, due: Due, now: Timestamp, limit: u32) -> Result<Vec<Trading>, StoreError>;

    /// A trading's history, oldest first.
    ///
    /// # Errors
    /// The store failed.
    async fn journal(&self, trading_order_no: TradingOrderNo) -> Result<Vec<JournalEntry>, StoreError>;
}

/// Keeps refunds. The same contract as [`TradingStore`], and: what refunds have reserved of a trading
/// never exceeds its amount, whoever races.
#[async_trait]
pub trait RefundStore: Debug + Send + Sync + 'static {
    /// Commits a new refund and reserves its amount, if the settled trading has as much left.
    ///
    /// # Errors
    /// The store failed; read before trying again.
    async fn insert_refund(&self, refund: &Refund) -> Result<RefundInserted, StoreError>;

    /// The refund of that number.
    ///
    /// # Errors
    /// The store failed.
    async fn refund(&self, refund_no: RefundNo) -> Result<Option<Refund>, StoreError>;

    /// Every refund of a trading, newest first.
    ///
    /// # Errors
    /// The store failed.
    async fn refunds_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<Refund>, StoreError>;

    /// Commits a transition: refund row, the trading's sums, outbox.
    ///
    /// # Errors
    /// The store failed; read before trying again.
    async fn commit_refund(&self, change: &RefundChange) -> Result<RefundCommit, StoreError>;

    /// Claims or reschedules a refund; `false` when somebody else was faster.
    ///
    /// # Errors
    /// The store failed.
    async fn claim_refund(&self, refund_no: RefundNo, claim: Claim) -> Result<bool, StoreError>;

    /// Refunds with `next_check_at <= now`, the longest waiting first.
    ///
    /// # Errors
    /// The store failed.
    async fn due_refunds(&self, now: Timestamp, limit: u32) -> Result<Vec<Refund>, StoreError>;
}

/// Keeps events until they are announced.
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Events that wait to be announced and are due, oldest first; of one order only the oldest, so
    /// that no event overtakes another of its order.
    ///
    /// # Errors
    /// The store failed.
    async fn due_events(&self, now: Timestamp, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// Notes that an event was announced.
    ///
    /// # Errors
    /// The store failed; the event may be announced again.
    async fn event_sent(&self, event_id: EventId, at: Timestamp) -> Result<(), StoreError>;

    /// Notes that an event was not taken, and when to offer it again.
    ///
    /// # Errors
    /// The store failed.
    async fn event_failed(
        &self,
        event_id: EventId,
        retry_at: Timestamp,
        reason: &str,
    ) -> Result<(), StoreError>;

    /// Committed events after the [`Event::position`] `after`, in order, announced or not: what a reader
    /// that was away reads up.
    ///
    /// # Errors
    /// The store failed.
    async fn events_after(&self, after: i64, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// The position of the last committed event, 0 before the first.
    ///
    /// # Errors
    /// The store failed.
    async fn last_position(&self) -> Result<i64, StoreError>;
}

/// Keeps notices that verified, so that a duplicate is known and a person can see what came.
#[async_trait]
pub trait NoticeInbox: Debug + Send + Sync + 'static {
    /// Records a delivery of a notice with what was made of it.
    ///
    /// # Errors
    /// The store failed; the channel must be told to send again.
    async fn record_notice(
        &self,
        channel: Channel,
        enterprise_id: EnterpriseId,
        notice_id: &str,
        verdict: &str,
        at: Timestamp,
    ) -> Result<Recorded, StoreError>;
}

/// Everything the services need of a store.
pub trait TradeStore: TradingStore + RefundStore + Outbox + NoticeInbox + HighWater {}

impl<T: TradingStore + RefundStore + Outbox + NoticeInbox + HighWater> TradeStore for T {}
