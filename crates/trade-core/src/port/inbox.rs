//! The store's record of notices.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::{Channel, EnterpriseId, Timestamp, TradingOrderNo};

/// One delivery of a verified notice, with what was made of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeRecord {
    /// The channel it came from.
    pub channel: Channel,
    /// The merchant it names.
    pub enterprise_id: EnterpriseId,
    /// The channel's id of the event, the same on every delivery.
    pub notice_id: String,
    /// The trading it names, if that is a number of ours.
    pub trading_order_no: Option<TradingOrderNo>,
    /// What was made of it.
    pub verdict: String,
    /// When this delivery came.
    pub at: Timestamp,
}

/// A notice as it is on record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NoticeSeen {
    /// The latest delivery, but with the time of the first.
    pub notice: NoticeRecord,
    /// When it came last.
    pub last_at: Timestamp,
    /// How often it came.
    pub deliveries: u32,
}

/// Whether a notice is new.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recorded {
    /// First delivery.
    New,
    /// Seen before.
    Again,
}

/// Keeps notices that verified, so that a duplicate is known and a person can see what came.
#[async_trait]
pub trait NoticeInbox: Debug + Send + Sync + 'static {
    /// Records a delivery; a later verdict replaces an earlier one.
    ///
    /// # Errors
    /// The store failed; the channel must be told to send again.
    async fn record_notice(&self, notice: &NoticeRecord) -> Result<Recorded, StoreError>;

    /// The notices about a trading, first come first.
    ///
    /// # Errors
    /// The store failed.
    async fn notices_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<NoticeSeen>, StoreError>;
}
