//! The channel adapters' contract, [`PayHandler`], with its requests, replies, registry and wrappers.

mod notice;
mod registry;
mod request;
mod wrap;

use std::fmt::Debug;

use async_trait::async_trait;

pub use notice::{
    Acknowledgement, Headers, NoticeError, NoticeFact, PaymentNotice, RawNotice, RefundNotice, Verdict,
    VerifiedNotice,
};
pub use registry::Registry;
pub use request::{
    ChannelAnswer, CloseOutcome, Closed, Observed, Payment, PaymentStatus, PlaceRequest, Placed, RefundQuery,
    RefundReply, RefundRequest, RefundStatus, RequestContent,
};
pub use wrap::{Breaker, Retry, RetryPolicy, Timeout, Trace};

pub use crate::circuit::{BreakerPolicy, BreakerState};

use crate::{Capability, Channel, ChannelError, EnterpriseId, TradingOrderNo};

/// One merchant's account at one channel: signs, sends, verifies, and translates.
///
/// # Contract
/// - Every reply is verified before anything in it is believed. A reply that cannot be verified is
///   an error with [`Certainty::Unknown`](crate::Certainty::Unknown), never a success and never a
///   refusal.
/// - Every error says how certain it is. An error is `Rejected` only when the channel verifiably
///   said so, `NotSent` only when the channel certainly did not act; everything else is `Unknown`.
/// - A reply that names another merchant, number or currency than the request is nonsense.
/// - An implementation keeps no state about tradings and decides nothing: it never retries under
///   another number, never closes or refunds on its own.
///
/// # Idempotency
/// [`prepare_place`](Self::prepare_place) and [`prepare_refund`](Self::prepare_refund) make the
/// content of a request without sending it; the caller stores the content and passes the very same
/// content to [`place`](Self::place) and [`refund`](Self::refund) every time, which send it byte for
/// byte. Sending it twice therefore asks the channel for the same thing twice, which both channels
/// answer by doing it once.
///
/// # Cancel safety
/// Dropping a future after it was first polled leaves the outcome unknown, as a timeout does.
#[async_trait]
pub trait PayHandler: Debug + Send + Sync + 'static {
    /// The channel spoken to.
    fn channel(&self) -> Channel;

    /// The merchant it acts for.
    fn enterprise(&self) -> EnterpriseId;

    /// What the channel can do.
    fn capability(&self) -> Capability;

    /// Makes the content of a payment request. Checks everything the channel's documents let us
    /// check beforehand (lengths, characters, limits). Sends nothing.
    ///
    /// # Errors
    /// `Rejected` with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), naming the
    /// field and the rule.
    fn prepare_place(&self, request: &PlaceRequest) -> Result<RequestContent, ChannelError>;

    /// Asks the channel for a QR code to pay the order of `content`.
    ///
    /// # Errors
    /// `Rejected` with `AlreadyPaid` or `AlreadyClosed` when the number is past being paid.
    async fn place(&self, content: &RequestContent) -> Result<Placed, ChannelError>;

    /// Asks the channel what has become of a trading. "Unknown to the channel before the code was
    /// scanned" is [`PaymentStatus::Waiting`], not an error.
    ///
    /// # Errors
    /// The channel gave no verifiable answer. An error never means "not paid".
    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError>;

    /// Asks the channel to close an unpaid trading. Closing what is closed is a success.
    ///
    /// # Errors
    /// The channel did not verifiably close it.
    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError>;

    /// Makes the content of a refund request. Sends nothing.
    ///
    /// # Errors
    /// `Rejected` with [`ErrorKind::InvalidRequest`](crate::ErrorKind::InvalidRequest), naming the
    /// field and the rule.
    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError>;

    /// Asks the channel to refund. Accepted is not refunded: see [`RefundReply::status`].
    ///
    /// # Errors
    /// `Rejected` with `NotEnough` when the merchant's balance is short: the same content works later.
    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError>;

    /// Asks the channel what has become of a refund. A refund the channel does not know is
    /// [`RefundStatus::Absent`], not an error.
    ///
    /// # Errors
    /// The channel gave no verifiable answer.
    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError>;

    /// Verifies a notice over its raw bytes and translates it. There is no other way to facts.
    /// Checks the signature, the age where the channel signs one, and that the notice names this
    /// very merchant; number and amount are compared by the caller, who knows the row.
    ///
    /// # Errors
    /// Why it is not believed. Nothing in the notice may be used then.
    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError>;

    /// The answer the channel expects for a verdict on its notice.
    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement;
}
