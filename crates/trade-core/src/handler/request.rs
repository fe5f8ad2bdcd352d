//! What is asked of a channel and what it answers, in the domain's words.

use serde::{Deserialize, Serialize};

use crate::{Amount, ChannelError, Fen, RefundNo, Timestamp, TradingOrderNo, TransactionId};

/// A payment to be placed at a channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PlaceRequest {
    /// The number the channel will know it by (`out_trade_no`).
    pub trading_order_no: TradingOrderNo,
    /// What the payer is asked for.
    pub amount: Amount,
    /// What the payer reads (WeChat `description`, Alipay `subject`).
    pub memo: String,
    /// When the order stops being payable (`time_expire`).
    pub expires_at: Timestamp,
}

/// The exact content of a request, made once, stored, and sent byte for byte every time.
///
/// Its form is the adapter's own affair; the core only keeps it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct RequestContent(String);

impl RequestContent {
    /// Wraps an adapter's content.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The content.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// What the channel said, for people and for the record.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
pub struct ChannelAnswer {
    /// The channel's code or status word (`SUCCESS`, `10000`, `TRADE_SUCCESS`).
    pub code: String,
    /// The channel's message.
    pub message: String,
    /// The verified body as it came, cut at a bound.
    pub body: String,
    /// The channel's request id.
    pub request_id: Option<String>,
}

/// What the record keeps of a body, in characters.
const BODY_KEPT: usize = 4096;

impl ChannelAnswer {
    /// An answer for the record; a long body is cut.
    pub fn new(
        code: impl Into<String>,
        message: impl Into<String>,
        body: &str,
        request_id: Option<String>,
    ) -> Self {
        let body = body.chars().take(BODY_KEPT).collect();
        Self {
            code: code.into(),
            message: message.into(),
            body,
            request_id,
        }
    }
}

/// A refusal that is an answer, such as "there is no such order".
impl From<&ChannelError> for ChannelAnswer {
    fn from(error: &ChannelError) -> Self {
        let message = error
            .message()
            .map_or_else(|| error.to_string(), ToOwned::to_owned);
        Self::new(
            error.code().unwrap_or_default(),
            message,
            "",
            error.request_id().map(ToOwned::to_owned),
        )
    }
}

/// A placed payment: nothing is paid yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Placed {
    /// The text to show as a QR code (WeChat `code_url`, Alipay `qr_code`).
    pub code_url: String,
    /// The channel's answer.
    pub answer: ChannelAnswer,
}

/// What a query saw.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Observed {
    /// What has become of the payment.
    pub status: PaymentStatus,
    /// Whether the channel says that something of it was given back since (WeChat `REFUND`, Alipay
    /// `TRADE_CLOSED` after a payment). That it does not say so proves nothing.
    pub has_refunds: bool,
    /// The channel's answer.
    pub answer: ChannelAnswer,
}

/// What has become of a payment at the channel.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PaymentStatus {
    /// Not paid yet, may still be. Includes Alipay's `TRADE_NOT_EXIST` before the scan.
    Waiting,
    /// The channel has no such order, and would have one if it had been placed (WeChat `ORDER_NOT_EXIST`).
    Absent,
    /// Paid. What was refunded since does not change that.
    Paid(Payment),
    /// Closed unpaid: can never be paid.
    Closed,
    /// The payment failed for good (WeChat `PAYERROR`).
    Failed,
}

/// The facts of a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Payment {
    /// The channel's number.
    pub transaction_id: TransactionId,
    /// The order total the channel holds: this is compared with the trading's amount.
    pub total: Fen,
    /// The currency; only `CNY` settles anything.
    pub currency: String,
    /// What the payer paid after coupons, when told. Never compared with the amount.
    pub payer_total: Option<Fen>,
    /// When it was paid.
    pub paid_at: Option<Timestamp>,
    /// The payer's id at the channel (openid, `buyer_id`).
    pub payer_id: Option<String>,
}

/// What a close call came to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Closed {
    /// What happened.
    pub outcome: CloseOutcome,
    /// The channel's answer.
    pub answer: ChannelAnswer,
}

/// What happened to a trading that was to be closed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CloseOutcome {
    /// Closed now or before: it can never be paid.
    Closed,
    /// There was nothing to close: the code was never scanned and may stay payable until it expires.
    NothingToClose,
    /// It is paid: query it.
    AlreadyPaid,
}

/// A refund to be asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundRequest {
    /// The number the channel will know it by (`out_refund_no`, `out_request_no`).
    pub refund_no: RefundNo,
    /// The paid trading.
    pub trading_order_no: TradingOrderNo,
    /// What goes back now.
    pub amount: Amount,
    /// What was paid in all.
    pub total: Amount,
    /// What the payer reads as the reason.
    pub reason: Option<String>,
}

/// Which refund to ask about; Alipay wants both numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundQuery {
    /// The refund, as the channel knows it: our digits, or what the merchant console made up.
    pub out_refund_no: String,
    /// Its trading.
    pub trading_order_no: TradingOrderNo,
}

/// What the channel says of a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundReply {
    /// What has become of it.
    pub status: RefundStatus,
    /// The amount of this refund as the channel holds it, when told.
    pub amount: Option<Fen>,
    /// The channel's number of the refund, when it has one.
    pub refund_id: Option<String>,
    /// The channel's answer.
    pub answer: ChannelAnswer,
}

/// What has become of a refund at the channel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RefundStatus {
    /// The channel knows no such refund.
    Absent,
    /// Accepted; the money is on its way.
    Processing,
    /// The money went back.
    Success,
    /// It cannot reach the payer's account; somebody has to act. The number stays in use.
    Abnormal,
    /// It will not happen under this number.
    Closed,
}
