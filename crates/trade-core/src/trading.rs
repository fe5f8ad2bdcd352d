//! A trading: one attempt to pay an order at one channel (交易单).

mod apply;
mod change;
mod state;

pub use apply::{Fact, Outcome, Refusal, apply};
pub use change::{Cause, JournalEntry, TradingChange};
pub use state::{Role, Step, TradingState};

use crate::{
    Amount, Channel, EnterpriseId, Fen, ProductAppId, ProductOrderNo, Timestamp, TradingOrderNo,
    TransactionId,
    handler::{ChannelAnswer, RequestContent},
    port::OrderKey,
};

/// A trading as the store keeps it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trading {
    /// Its number, made and committed before the channel hears of it.
    pub trading_order_no: TradingOrderNo,
    /// The order system.
    pub product_app_id: ProductAppId,
    /// The order.
    pub product_order_no: ProductOrderNo,
    /// The merchant.
    pub enterprise_id: EnterpriseId,
    /// The channel.
    pub channel: Channel,
    /// What the payer is asked for; frozen.
    pub amount: Amount,
    /// What the payer reads.
    pub memo: String,
    /// Where it stands.
    pub state: TradingState,
    /// Counts the transitions, from 1; the fence of every write.
    pub version: i64,
    /// The first request's content, sent again byte for byte when needed.
    pub content: RequestContent,
    /// The text of the QR code, once the channel gave one.
    pub code_url: Option<String>,
    /// The channel's number, once paid.
    pub transaction_id: Option<TransactionId>,
    /// The payer's id at the channel, once paid and told.
    pub payer_id: Option<String>,
    /// What the payer paid after coupons, once paid and told.
    pub payer_total: Option<Fen>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// Whether it settles the order, once paid.
    pub role: Option<Role>,
    /// Whether the caller closed it: a payment that is noticed after that closing goes back by itself.
    pub withdrawn: bool,
    /// What refunds have claimed of the amount, running and done.
    pub refund_reserved: Fen,
    /// What refunds have verifiably given back.
    pub refunded: Fen,
    /// The channel's answer to the placing.
    pub place_answer: ChannelAnswer,
    /// The channel's latest answer about the result.
    pub result_answer: ChannelAnswer,
    /// When the intent was committed.
    pub created_at: Timestamp,
    /// When it last changed.
    pub updated_at: Timestamp,
    /// When the order stops being payable at the channel.
    pub expires_at: Timestamp,
    /// When somebody must look at it next. While a request works on it, this is the end of its
    /// claim. `None`: nothing is left to look at.
    pub next_check_at: Option<Timestamp>,
    /// How often it was looked at since it last changed.
    pub checks: u32,
    /// Why it needs a person, when it does.
    pub stuck: Option<String>,
}

impl Trading {
    /// The order it pays.
    #[must_use]
    pub fn order(&self) -> OrderKey {
        OrderKey {
            product_app_id: self.product_app_id.clone(),
            product_order_no: self.product_order_no,
        }
    }

    /// The code to show, while there is one that can be paid.
    #[must_use]
    pub fn live_code(&self) -> Option<&str> {
        match self.state {
            TradingState::Paying(Step::Placed) => self.code_url.as_deref(),
            TradingState::Paying(Step::Intended | Step::Unknown | Step::Closing)
            | TradingState::Failed
            | TradingState::Settled
            | TradingState::Cancelled
            | TradingState::Free
            | TradingState::OnAccount => None,
        }
    }
}
