//! An order, as the channel sees it.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::Channel;

/// What identifies an order.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct OrderKey {
    /// The channel it was created at.
    pub channel: Channel,
    /// The merchant: `mchid` at WeChat Pay, `pid` at Alipay.
    pub merchant: String,
    /// The merchant's number for it.
    pub out_trade_no: String,
}

/// Where an order stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum OrderState {
    /// A code was issued; nobody has scanned it. (At Alipay there is no trade yet.)
    Created,
    /// Somebody scanned the code and has not paid. (At WeChat Pay this shows as NOTPAY, too.)
    Scanned,
    /// Paid. Whether something was refunded is seen at its refunds.
    Paid,
    /// Closed without payment, or, at Alipay, refunded in full.
    Closed,
    /// Alipay only: paid, and no longer refundable.
    Finished,
}

/// What a channel opens an order with.
#[derive(Debug, Clone)]
pub struct NewOrder {
    /// Channel, merchant, number.
    pub key: OrderKey,
    /// The app it was created by.
    pub app_id: String,
    /// `NATIVE`, `JSAPI`, ... at WeChat Pay; the product code at Alipay.
    pub trade_type: String,
    /// In fen.
    pub amount_fen: i64,
    /// What the payer sees.
    pub description: String,
    /// What the merchant wants to get back: `attach` or `passback_params`.
    pub attach: Option<String>,
    /// Tells whether a repeated request is the same one.
    pub fingerprint: String,
    /// Where notices go; none are sent without.
    pub notify_url: Option<String>,
    /// The secret part of the code.
    pub code_token: String,
    /// Until when it can be paid, Unix ms.
    pub payable_until_ms: i64,
    /// Until when the present code can be scanned, Unix ms.
    pub code_until_ms: i64,
    /// When the channel closes it by itself, Unix ms.
    pub closes_ms: i64,
    /// What else the channel wants to remember, by field name.
    pub memo: BTreeMap<String, String>,
}

/// An order.
#[derive(Debug, Clone, Serialize)]
pub struct Order {
    /// Channel, merchant, number.
    #[serde(flatten)]
    pub key: OrderKey,
    /// The app it was created by.
    pub app_id: String,
    /// `NATIVE`, `JSAPI`, ... at WeChat Pay; the product code at Alipay.
    pub trade_type: String,
    /// In fen.
    pub amount_fen: i64,
    /// What the payer sees.
    pub description: String,
    /// What the merchant wants to get back: `attach` or `passback_params`.
    pub attach: Option<String>,
    /// Tells whether a repeated request is the same one.
    #[serde(skip)]
    pub fingerprint: String,
    /// Where notices go; none are sent without.
    pub notify_url: Option<String>,
    /// The secret part of the present code; older codes are dead.
    pub code_token: String,
    /// When it was created, Unix ms.
    pub created_ms: i64,
    /// Until when it can be paid, Unix ms.
    pub payable_until_ms: i64,
    /// Until when the present code can be scanned, Unix ms.
    pub code_until_ms: i64,
    /// When the channel closes it by itself, Unix ms.
    pub closes_ms: i64,
    /// Where it stands.
    pub state: OrderState,
    /// The channel's number: from the payment on at WeChat Pay, from the scan on at Alipay.
    pub transaction_id: Option<String>,
    /// When it was scanned first, Unix ms.
    pub scanned_ms: Option<i64>,
    /// How it was paid.
    pub payment: Option<Payment>,
    /// When it was closed, Unix ms.
    pub closed_ms: Option<i64>,
    /// What else the channel wants to remember, by field name.
    pub memo: BTreeMap<String, String>,
}

/// How an order was paid.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Payment {
    /// The payer: `openid` at WeChat Pay, the buyer's number at Alipay.
    pub payer: String,
    /// The bank or fund, such as `OTHERS` (balance) or `ICBC_DEBIT`.
    pub bank_type: String,
    /// What the payer really paid, in fen.
    pub payer_total_fen: i64,
    /// When, Unix ms.
    pub paid_ms: i64,
}

impl Order {
    pub(super) fn open(new: NewOrder, now_ms: i64) -> Self {
        Self {
            key: new.key,
            app_id: new.app_id,
            trade_type: new.trade_type,
            amount_fen: new.amount_fen,
            description: new.description,
            attach: new.attach,
            fingerprint: new.fingerprint,
            notify_url: new.notify_url,
            code_token: new.code_token,
            created_ms: now_ms,
            payable_until_ms: new.payable_until_ms,
            code_until_ms: new.code_until_ms,
            closes_ms: new.closes_ms,
            state: OrderState::Created,
            transaction_id: None,
            scanned_ms: None,
            payment: None,
            closed_ms: None,
            memo: new.memo,
        }
    }

    /// Whether money was received for it, whatever was refunded since.
    #[must_use]
    pub fn is_paid(&self) -> bool {
        self.payment.is_some()
    }

    /// Whether it still waits for its payment.
    #[must_use]
    pub fn is_open(&self) -> bool {
        matches!(self.state, OrderState::Created | OrderState::Scanned)
    }
}
