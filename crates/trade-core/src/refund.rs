//! A refund: one return of money of a settled trading (退款单).

mod apply;
mod state;

pub use apply::{RefundFact, apply_refund};
pub use state::{RefundState, RefundStep};

use std::{fmt, time::Duration};

use crate::{
    Amount, Cause, Channel, EnterpriseId, EventDraft, ProductAppId, ProductOrderNo, ProductRefundNo,
    RefundNo, Timestamp, TradingOrderNo,
    handler::{ChannelAnswer, RequestContent},
};

/// A refund as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its number, made and committed before the channel hears of it, the same for ever.
    pub refund_no: RefundNo,
    /// Who wanted it.
    pub origin: RefundOrigin,
    /// The caller's own number, when the caller gave one.
    pub product_refund_no: Option<ProductRefundNo>,
    /// The number as the channel has it: our digits, or for a refund made in the merchant console, its own.
    pub out_refund_no: String,
    /// The trading it gives money back of.
    pub trading_order_no: TradingOrderNo,
    /// The order system.
    pub product_app_id: ProductAppId,
    /// The order.
    pub product_order_no: ProductOrderNo,
    /// The merchant.
    pub enterprise_id: EnterpriseId,
    /// The channel.
    pub channel: Channel,
    /// What goes back.
    pub amount: Amount,
    /// What was paid in all.
    pub total: Amount,
    /// What the payer reads as the reason.
    pub memo: String,
    /// Where it stands.
    pub state: RefundState,
    /// Counts the transitions, from 1; the fence of every write.
    pub version: i64,
    /// The first request's content, sent again byte for byte when needed.
    pub content: RequestContent,
    /// The channel's number, when it has one.
    pub refund_id: Option<String>,
    /// The channel's latest answer.
    pub answer: ChannelAnswer,
    /// Not sent before this, since channels want time between two refunds of one payment.
    pub send_at: Timestamp,
    /// When the intent was committed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When somebody must look at it next; `None` when nothing is left to look at.
    pub next_check_at: Option<Timestamp>,
    /// How often it was looked at since it last changed.
    pub checks: u32,
    /// Why it needs a person, when it does.
    pub stuck: Option<String>,
}

/// One transition of a refund. Leaving for success adds the amount to the trading's `refunded`;
/// leaving for failure gives the reserve back. All in one transaction.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundChange {
    /// The version it was decided on.
    pub from_version: i64,
    /// The row after it, with `version = from_version + 1`.
    pub after: Refund,
    /// The line of its history.
    pub journal: RefundEntry,
    /// What is announced, if anything.
    pub event: Option<EventDraft>,
}

/// A refund about to be committed, with its reserve of the trading.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewRefund {
    /// The row; the store moves `send_at` behind the trading's other refunds.
    pub refund: Refund,
    /// The shortest time between two refunds of one trading.
    pub gap: Duration,
    /// Whether it is made only if no other that an order system asked for is running or done: a wish without a
    /// number of its own cannot be told from its repeat.
    pub sole: bool,
    /// The first line of its history.
    pub journal: RefundEntry,
    /// What is announced, if anything.
    pub event: Option<EventDraft>,
}

/// One line of a refund's history.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundEntry {
    /// The refund.
    pub refund_no: RefundNo,
    /// The version it made.
    pub version: i64,
    /// When.
    pub at: Timestamp,
    /// The state before; `None` for the first entry.
    pub from_state: Option<RefundState>,
    /// The state after.
    pub to_state: RefundState,
    /// Who or what made it so.
    pub cause: Cause,
    /// What the channel said, in one line.
    pub detail: String,
    /// The channel's request id or the notice's id.
    pub request_id: Option<String>,
}

/// Who wanted a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundOrigin {
    /// An order system.
    Caller,
    /// This service: the payment was a surplus.
    Surplus,
    /// A person in the merchant console of the channel: learned, not asked for.
    Console,
}

impl RefundOrigin {
    /// The text that stores keep and messages carry.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Caller => "CALLER",
            Self::Surplus => "SURPLUS",
            Self::Console => "CONSOLE",
        }
    }

    /// Reads what [`RefundOrigin::key`] wrote.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Caller, Self::Surplus, Self::Console]
            .into_iter()
            .find(|origin| origin.key() == key)
    }
}

impl fmt::Display for RefundOrigin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}
