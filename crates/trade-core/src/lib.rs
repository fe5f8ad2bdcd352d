//! Trading, refund and channel-switch logic for WeChat Pay and Alipay, free of I/O.
//!
//! The core decides; everything it needs from outside is a trait in [`port`], and the channels stand
//! behind [`handler::PayHandler`]. It runs on any async executor, and under a simulated clock.
//!
//! ```
//! use trade_core::{Amount, Fact, Step, TradingState, apply};
//!
//! // Money is whole fen; yuan is text.
//! assert_eq!(Amount::from_yuan("19.90")?.get(), 1990);
//!
//! // Every transition of a trading is one pure function.
//! let placed = TradingState::Paying(Step::Placed);
//! let settled = apply(placed, Fact::Paid);
//! assert_eq!(settled, trade_core::Outcome::Move(TradingState::Settled));
//! // Paid is monotone: a close that was noticed late changes nothing.
//! assert_eq!(apply(TradingState::Settled, Fact::Closed), trade_core::Outcome::Stay);
//! # Ok::<(), trade_core::MoneyError>(())
//! ```
//!
//! Where to look: [`Trading`] and [`Refund`] with their pure transitions, [`service::TradeService`]
//! for what a program calls, [`job`] for what runs by the clock, [`memory`] for the reference
//! implementations of the ports.

mod backoff;
mod channel;
mod circuit;
mod error;
mod event;
mod id;
mod money;
mod refund;
mod secret;
mod system;
mod time;
mod trading;

pub mod guard;
pub mod handler;
pub mod job;
pub mod memory;
pub mod port;
pub mod service;

pub use backoff::{Backoff, doubled};
pub use channel::{Capability, Channel, UnknownChannel};
pub use circuit::{BreakerPolicy, BreakerState, Circuit, Permit};
pub use error::{Certainty, ChannelError, ErrorKind};
pub use event::{Event, EventDraft, RoutingKey, StatusCode, TradeStatusMsg};
pub use id::{
    EnterpriseId, EventId, IdError, InvalidId, ProductAppId, ProductOrderNo, ProductRefundNo, RefundNo,
    Snowflake, TradingOrderNo, TransactionId,
};
pub use money::{Amount, Fen, MoneyError};
pub use refund::{
    NewRefund, Refund, RefundChange, RefundEntry, RefundFact, RefundOrigin, RefundState, RefundStep,
    apply_refund,
};
pub use secret::Secret;
pub use system::{SystemClock, SystemRandom};
pub use time::Timestamp;
pub use trading::{
    Cause, Fact, JournalEntry, Outcome, Refusal, Role, Step, Trading, TradingChange, TradingState, apply,
};
