//! A transition as it is committed: the row after it, its journal entry, its event.

use std::fmt;

use super::{Trading, TradingState};
use crate::{EventDraft, NewRefund, Timestamp, TradingOrderNo};

/// One transition of a trading: committed wholly or not at all.
///
/// A transition never moves the order, merchant, channel, amount, memo, content, times of creation
/// and expiry, or the sums of refunds, whatever `after` says: the first are frozen, the sums are moved
/// by refunds alone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TradingChange {
    /// The version it was decided on; the commit is refused when the row has moved on.
    pub from_version: i64,
    /// The row after it, with `version = from_version + 1`.
    pub after: Trading,
    /// Its journal entry.
    pub journal: JournalEntry,
    /// What is announced, if anything.
    pub event: Option<EventDraft>,
    /// The refund of a surplus payment, made in the same transaction as the mark.
    pub refund: Option<NewRefund>,
}

/// One line of a trading's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JournalEntry {
    /// The trading.
    pub trading_order_no: TradingOrderNo,
    /// The version it made.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// The state before; `None` for the first entry.
    pub from_state: Option<TradingState>,
    /// The state after.
    pub to_state: TradingState,
    /// Who or what made it so.
    pub cause: Cause,
    /// What the channel said, in one line.
    pub detail: String,
    /// The channel's request id or the notice's id.
    pub request_id: Option<String>,
}

/// What caused a transition. Only these can.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Cause {
    /// A caller's request.
    Request,
    /// The channel's answer to a placing.
    Place,
    /// A verified answer to a query.
    Query,
    /// The channel's answer to a close.
    Close,
    /// A verified notice.
    Notice,
    /// The clock.
    Timer,
}

impl Cause {
    /// Every cause.
    pub const ALL: [Self; 6] = [
        Self::Request,
        Self::Place,
        Self::Query,
        Self::Close,
        Self::Notice,
        Self::Timer,
    ];

    /// The text that stores keep.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Place => "place",
            Self::Query => "query",
            Self::Close => "close",
            Self::Notice => "notice",
            Self::Timer => "timer",
        }
    }

    /// Reads what [`Cause::key`] wrote.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|cause| cause.key() == key)
    }
}

impl fmt::Display for Cause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}
