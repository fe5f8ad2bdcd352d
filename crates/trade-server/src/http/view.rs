//! The JSON of answers: longs as strings, money as yuan text, times in Beijing time.

mod event;

use serde::Serialize;
use trade_core::{JournalEntry, Refund, RefundEntry, RefundState, Role, Timestamp, Trading, TradingState};

pub(super) use event::{EventView, StuckEvent};

use crate::{
    advice,
    timeline::{self, Moment},
};

/// NativePayRes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct NativePayRes {
    /// The PNG as a data URL.
    pub(super) qr_code: String,
    /// The text of the code, for callers that draw it themselves.
    pub(super) code_url: String,
    pub(super) product_order_no: String,
    pub(super) trading_order_no: String,
    pub(super) trading_channel: &'static str,
    /// When the order stops being payable.
    pub(super) expires_at: String,
}

/// TradingRes: the fields of the replaced service, then ours.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TradingRes {
    id: String,
    open_id: Option<String>,
    product_app_id: String,
    product_order_no: String,
    trading_order_no: String,
    transaction_id: Option<String>,
    trading_channel: &'static str,
    trading_type: &'static str,
    trading_state: u8,
    payee_name: Option<String>,
    payee_id: Option<String>,
    payer_name: Option<String>,
    payer_id: Option<String>,
    trading_amount: String,
    refund: Option<String>,
    is_refund: &'static str,
    result_code: String,
    result_msg: String,
    result_json: String,
    place_order_code: String,
    place_order_msg: Option<String>,
    place_order_json: String,
    enterprise_id: String,
    memo: String,
    qr_code: Option<String>,
    enable_flag: &'static str,
    out_request_no: Option<String>,
    created: String,
    updated: String,
    /// The state with its step, such as `paying.unknown`.
    state: &'static str,
    /// The text of the QR code while it can be paid.
    code_url: Option<String>,
    paid_at: Option<String>,
    expires_at: String,
    refunded: String,
    /// Whether the payment is one too many for its order.
    surplus: bool,
    /// `WINNER` when it settles its order, `SURPLUS` when it is one too many; once paid.
    role: Option<&'static str>,
    /// Whether the caller closed it for good: a later payment goes back by itself.
    withdrawn: bool,
    /// Why a person must look at it.
    stuck: Option<String>,
}

impl TradingRes {
    /// The answer for a trading; `qr_code` is drawn by the caller where the route shows it.
    pub(super) fn new(trading: &Trading, qr_code: Option<String>) -> Self {
        let reserved = trading.refund_reserved;
        let has_refund = reserved.get() > 0;
        Self {
            id: trading.trading_order_no.to_string(),
            open_id: None,
            product_app_id: trading.product_app_id.to_string(),
            product_order_no: trading.product_order_no.to_string(),
            trading_order_no: trading.trading_order_no.to_string(),
            transaction_id: trading.transaction_id.as_ref().map(ToString::to_string),
            trading_channel: trading.channel.code(),
            trading_type: trading_type(trading.state),
            trading_state: trading.state.code(),
            payee_name: None,
            payee_id: None,
            payer_name: None,
            payer_id: trading.payer_id.clone(),
            trading_amount: trading.amount.to_yuan(),
            refund: has_refund.then(|| reserved.to_yuan()),
            is_refund: if has_refund { "YES" } else { "NO" },
            result_code: trading.result_answer.code.clone(),
            result_msg: trading.result_answer.message.clone(),
            result_json: trading.result_answer.body.clone(),
            place_order_code: trading.place_answer.code.clone(),
            place_order_msg: trading.code_url.clone().filter(|_| trading.live_code().is_some()),
            place_order_json: trading.place_answer.body.clone(),
            enterprise_id: trading.enterprise_id.to_string(),
            memo: trading.memo.clone(),
            qr_code,
            enable_flag: "YES",
            out_request_no: None,
            created: trading.created_at.to_beijing_text(),
            updated: trading.updated_at.to_beijing_text(),
            state: trading.state.key(),
            code_url: trading.live_code().map(ToOwned::to_owned),
            paid_at: trading.paid_at.map(trade_core::Timestamp::to_beijing_text),
            expires_at: trading.expires_at.to_beijing_text(),
            refunded: trading.refunded.to_yuan(),
            surplus: trading.role == Some(Role::Surplus),
            role: trading.role.map(role_name),
            withdrawn: trading.withdrawn,
            stuck: trading.stuck.clone(),
        }
    }
}

const fn role_name(role: Role) -> &'static str {
    match role {
        Role::Winner => "WINNER",
        Role::Surplus => "SURPLUS",
    }
}

const fn trading_type(state: TradingState) -> &'static str {
    match state {
        TradingState::Free => "MD",
        TradingState::OnAccount => "GZ",
        TradingState::Paying(_) | TradingState::Failed | TradingState::Settled | TradingState::Cancelled => {
            "FK"
        }
    }
}

/// ExecutionResult.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct ExecutionResult {
    refund_no: String,
    refund_id: Option<String>,
    refund_status: u8,
}

impl From<&Refund> for ExecutionResult {
    fn from(refund: &Refund) -> Self {
        Self {
            refund_no: refund.refund_no.to_string(),
            refund_id: refund.refund_id.clone(),
            refund_status: refund.state.code(),
        }
    }
}

/// RefundRecord.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct RefundRecord {
    id: String,
    trading_order_no: String,
    product_app_id: String,
    product_order_no: String,
    refund_no: String,
    refund_id: Option<String>,
    enterprise_id: String,
    trading_channel: &'static str,
    refund_status: u8,
    refund_code: String,
    refund_msg: String,
    memo: String,
    refund_amount: String,
    total: String,
    created: String,
    updated: String,
    /// The state with its step, such as `sending.unfunded`.
    state: &'static str,
    /// Who wanted it: `CALLER`, `SURPLUS` or `CONSOLE`.
    origin: &'static str,
    /// The caller's own number, when the caller gave one.
    product_refund_no: Option<String>,
    /// The number as the channel has it.
    out_refund_no: String,
    /// Not sent before this.
    send_at: String,
    /// What is waited for, or what somebody must do.
    action: Option<String>,
    /// Why a person must look at it.
    stuck: Option<String>,
}

impl RefundRecord {
    /// The answer for a refund as it stands `now`.
    pub(super) fn new(refund: &Refund, now: Timestamp) -> Self {
        Self {
            id: refund.refund_no.to_string(),
            trading_order_no: refund.trading_order_no.to_string(),
            product_app_id: refund.product_app_id.to_string(),
            product_order_no: refund.product_order_no.to_string(),
            refund_no: refund.refund_no.to_string(),
            refund_id: refund.refund_id.clone(),
            enterprise_id: refund.enterprise_id.to_string(),
            trading_channel: refund.channel.code(),
            refund_status: refund.state.code(),
            refund_code: refund.answer.code.clone(),
            refund_msg: refund.answer.message.clone(),
            memo: refund.memo.clone(),
            refund_amount: refund.amount.to_yuan(),
            total: refund.total.to_yuan(),
            created: refund.created_at.to_beijing_text(),
            updated: refund.updated_at.to_beijing_text(),
            state: refund.state.key(),
            origin: refund.origin.key(),
            product_refund_no: refund.product_refund_no.as_ref().map(ToString::to_string),
            out_refund_no: refund.out_refund_no.clone(),
            send_at: refund.send_at.to_beijing_text(),
            action: advice::about_refund(refund, now),
            stuck: refund.stuck.clone(),
        }
    }
}

/// One line of the history of a trading or a refund.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct HistoryLine {
    version: i64,
    at: String,
    from_state: Option<&'static str>,
    to_state: &'static str,
    cause: &'static str,
    detail: String,
    request_id: Option<String>,
}

impl From<&JournalEntry> for HistoryLine {
    fn from(entry: &JournalEntry) -> Self {
        Self {
            version: entry.version,
            at: entry.at.to_rfc3339(),
            from_state: entry.from_state.map(TradingState::key),
            to_state: entry.to_state.key(),
            cause: entry.cause.key(),
            detail: entry.detail.clone(),
            request_id: entry.request_id.clone(),
        }
    }
}

impl From<&RefundEntry> for HistoryLine {
    fn from(entry: &RefundEntry) -> Self {
        Self {
            version: entry.version,
            at: entry.at.to_rfc3339(),
            from_state: entry.from_state.map(RefundState::key),
            to_state: entry.to_state.key(),
            cause: entry.cause.key(),
            detail: entry.detail.clone(),
            request_id: entry.request_id.clone(),
        }
    }
}

/// One line of a timeline.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct TimelineLine {
    /// Beijing time with milliseconds.
    at: String,
    kind: &'static str,
    text: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    request_id: Option<String>,
}

impl From<Moment> for TimelineLine {
    fn from(moment: Moment) -> Self {
        Self {
            at: timeline::beijing_ms(moment.at),
            kind: moment.kind.word(),
            text: moment.text,
            request_id: moment.request_id,
        }
    }
}

/// What needs a person.
#[derive(Debug, Serialize)]
pub(super) struct Stuck {
    pub(super) events: Vec<StuckEvent>,
    pub(super) tradings: Vec<StuckTrading>,
    pub(super) refunds: Vec<StuckRefund>,
}

/// A trading that needs a person.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StuckTrading {
    trading_order_no: String,
    product_app_id: String,
    product_order_no: String,
    trading_channel: &'static str,
    trading_amount: String,
    state: &'static str,
    /// Why.
    reason: String,
    /// When it last moved.
    since: String,
    /// What to do.
    action: String,
}

impl From<&Trading> for StuckTrading {
    fn from(trading: &Trading) -> Self {
        Self {
            trading_order_no: trading.trading_order_no.to_string(),
            product_app_id: trading.product_app_id.to_string(),
            product_order_no: trading.product_order_no.to_string(),
            trading_channel: trading.channel.code(),
            trading_amount: trading.amount.to_yuan(),
            state: trading.state.key(),
            reason: trading.stuck.clone().unwrap_or_default(),
            since: trading.updated_at.to_beijing_text(),
            action: advice::about_stuck_trading(trading),
        }
    }
}

/// A refund that needs a person.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct StuckRefund {
    #[serde(flatten)]
    refund: RefundRecord,
    /// Why.
    reason: String,
    /// When it last moved.
    since: String,
}

impl StuckRefund {
    pub(super) fn new(refund: &Refund, now: Timestamp) -> Self {
        Self {
            refund: RefundRecord::new(refund, now),
            reason: refund.stuck.clone().unwrap_or_default(),
            since: refund.updated_at.to_beijing_text(),
        }
    }
}
