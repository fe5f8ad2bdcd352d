//! A refund: one return of money of a settled trading (退款单).

mod apply;
mod state;

pub use apply::{RefundFact, apply_refund};
pub use state::{RefundState, RefundStep};

use crate::{
    Amount, Channel, EnterpriseId, EventDraft, ProductAppId, ProductOrderNo, RefundNo, Timestamp,
    TradingOrderNo,
    handler::{ChannelAnswer, RequestContent},
};

/// A refund as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refund {
    /// Its number, made and committed before the channel hears of it, the same for ever.
    pub refund_no: RefundNo,
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
    /// What is announced, if anything.
    pub event: Option<EventDraft>,
}
