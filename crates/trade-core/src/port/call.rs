//! The record of calls to the channels: for people, so that a question to a channel's support can name
//! the request.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;

use super::StoreError;
use crate::{RefundNo, Timestamp, TradingOrderNo};

/// One call to a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CallEntry {
    /// The trading it was about.
    pub trading_order_no: TradingOrderNo,
    /// The refund it was about, if any.
    pub refund_no: Option<RefundNo>,
    /// Which call: `place`, `query`, `close`, `refund`, `query_refund`.
    pub operation: String,
    /// When it began.
    pub at: Timestamp,
    /// How long it took.
    pub took: Duration,
    /// `ok`, or how certain the failure is: `rejected`, `not_sent`, `unknown`.
    pub outcome: String,
    /// The channel's code or status word, or our kind of failure.
    pub code: String,
    /// The channel's request id.
    pub request_id: Option<String>,
}

/// Takes note of calls. Best effort: what is lost here is only missing in a timeline.
pub trait CallLog: Debug + Send + Sync + 'static {
    /// Takes note of a call without waiting.
    fn note(&self, call: CallEntry);
}

/// Takes no note.
#[derive(Debug, Clone, Copy, Default)]
pub struct NoCallLog;

impl CallLog for NoCallLog {
    fn note(&self, _call: CallEntry) {}
}

/// Keeps the record of calls.
#[async_trait]
pub trait CallStore: Debug + Send + Sync + 'static {
    /// Adds calls.
    ///
    /// # Errors
    /// The store failed; none or all of them are kept.
    async fn append_calls(&self, calls: &[CallEntry]) -> Result<(), StoreError>;

    /// The calls about a trading and its refunds, oldest first.
    ///
    /// # Errors
    /// The store failed.
    async fn calls_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<CallEntry>, StoreError>;

    /// Forgets up to `limit` calls that began before `before`, and returns how many went.
    ///
    /// # Errors
    /// The store failed.
    async fn prune_calls(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
