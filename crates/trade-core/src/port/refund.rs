//! The store's refunds.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{Claim, Page, Pick, StoreError};
use crate::{
    NewRefund, ProductAppId, ProductOrderNo, ProductRefundNo, Refund, RefundChange, RefundEntry, RefundNo,
    TradingOrderNo,
};

/// What became of a new refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RefundInserted {
    /// It is committed and its amount reserved; this is the row, with the `send_at` it was given.
    Done(Box<Refund>),
    /// What is left of the trading does not cover it, or the trading is not settled. Nothing was written.
    NotCovered,
    /// Its number, the caller's number or the channel's number exists, or it was to be the only one and is not; this
    /// is the other. Nothing was written.
    Exists(Box<Refund>),
}

/// What became of a refund's transition.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundCommit {
    /// It is committed.
    Done,
    /// The row has moved on: read it and decide anew. Nothing was written.
    Stale,
    /// A refund that had failed succeeded after all, and what was paid no longer covers it. Nothing was written.
    NotCovered,
}

/// Which refunds to list.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RefundFilter {
    /// Of this order system.
    pub product_app_id: Option<ProductAppId>,
    /// Of this order.
    pub product_order_no: Option<ProductOrderNo>,
    /// Of this trading.
    pub trading_order_no: Option<TradingOrderNo>,
    /// Only those that need a person.
    pub stuck: bool,
}

/// Keeps refunds. The same contract as [`TradingStore`](super::TradingStore), and: what refunds have
/// reserved of a trading never exceeds its amount, whoever races.
#[async_trait]
pub trait RefundStore: Debug + Send + Sync + 'static {
    /// Commits a new refund and reserves its amount, if the settled trading has as much left. Its
    /// `send_at` becomes at least the latest `send_at` of the trading's refunds that have not failed, plus the
    /// gap. One that
    /// is new and succeeded already counts as refunded at once.
    ///
    /// # Errors
    /// The store failed; read before trying again.
    async fn insert_refund(&self, refund: &NewRefund) -> Result<RefundInserted, StoreError>;

    /// The refund of that number.
    ///
    /// # Errors
    /// The store failed.
    async fn refund(&self, refund_no: RefundNo) -> Result<Option<Refund>, StoreError>;

    /// The refund that the order system knows by its own number.
    ///
    /// # Errors
    /// The store failed.
    async fn refund_by_product_no(
        &self,
        product_app_id: &ProductAppId,
        product_refund_no: &ProductRefundNo,
    ) -> Result<Option<Refund>, StoreError>;

    /// Every refund of a trading, newest first.
    ///
    /// # Errors
    /// The store failed.
    async fn refunds_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<Refund>, StoreError>;

    /// Refunds by filter, highest number first.
    ///
    /// # Errors
    /// The store failed.
    async fn list_refunds(&self, filter: &RefundFilter, page: Page) -> Result<Vec<Refund>, StoreError>;

    /// Commits a transition: refund row, its journal, the trading's sums, outbox. Leaving for success
    /// adds to what was refunded, leaving for failure gives the reserve back.
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
    async fn due_refunds(&self, pick: Pick) -> Result<Vec<Refund>, StoreError>;

    /// A refund's history, oldest first.
    ///
    /// # Errors
    /// The store failed.
    async fn refund_journal(&self, refund_no: RefundNo) -> Result<Vec<RefundEntry>, StoreError>;
}
