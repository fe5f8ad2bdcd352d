//! A refund, as the channel sees it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::OrderKey;
use crate::Channel;

/// What identifies a refund.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
pub struct RefundKey {
    /// The channel.
    pub channel: Channel,
    /// What the number is unique in: the `mchid` at WeChat Pay, the `out_trade_no` at Alipay.
    pub scope: String,
    /// The merchant's number: `out_refund_no` or `out_request_no`.
    pub number: String,
}

/// Where a refund stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum RefundState {
    /// Accepted; the money is on its way.
    Processing,
    /// The payer has the money.
    Success,
    /// The payer's card or account cannot take it; the merchant must act.
    Abnormal,
    /// Given up; the money stays with the merchant.
    Closed,
}

/// How a refund shall end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RefundOutcome {
    /// The payer gets the money.
    Success,
    /// It stays PROCESSING until somebody settles it.
    Processing,
    /// It turns ABNORMAL.
    Abnormal,
    /// It turns CLOSED.
    Closed,
    /// The request itself is refused: the merchant's balance does not cover it.
    NotEnough,
}

/// What a channel opens a refund with.
#[derive(Debug, Clone)]
pub struct NewRefund {
    /// Channel, scope, number.
    pub key: RefundKey,
    /// The order.
    pub order: OrderKey,
    /// The channel's number for it.
    pub refund_id: String,
    /// In fen.
    pub amount_fen: i64,
    /// Shown to the payer.
    pub reason: Option<String>,
    /// Where its notices go; none are sent without.
    pub notify_url: Option<String>,
    /// Tells whether a repeated request is the same one.
    pub fingerprint: String,
    /// How it ends.
    pub outcome: RefundOutcome,
    /// When it ends, Unix ms. A time that has come already settles it when the clock is looked at next.
    pub settles_ms: i64,
    /// What else the channel wants to remember, by field name.
    pub memo: BTreeMap<String, String>,
}

/// A refund.
#[derive(Debug, Clone, Serialize)]
pub struct Refund {
    /// Channel, scope, number.
    #[serde(flatten)]
    pub key: RefundKey,
    /// The order.
    pub order: OrderKey,
    /// The channel's number for it.
    pub refund_id: String,
    /// In fen.
    pub amount_fen: i64,
    /// Shown to the payer.
    pub reason: Option<String>,
    /// Where its notices go; none are sent without.
    pub notify_url: Option<String>,
    /// Tells whether a repeated request is the same one.
    #[serde(skip)]
    pub fingerprint: String,
    /// How it ends.
    pub outcome: RefundOutcome,
    /// When it ends, Unix ms.
    pub settles_ms: i64,
    /// Where it stands.
    pub state: RefundState,
    /// When it was accepted, Unix ms.
    pub created_ms: i64,
    /// When the payer got the money, Unix ms.
    pub success_ms: Option<i64>,
    /// What else the channel wants to remember, by field name.
    pub memo: BTreeMap<String, String>,
}

impl Refund {
    pub(super) fn open(new: NewRefund, now_ms: i64) -> Self {
        Self {
            key: new.key,
            order: new.order,
            refund_id: new.refund_id,
            amount_fen: new.amount_fen,
            reason: new.reason,
            notify_url: new.notify_url,
            fingerprint: new.fingerprint,
            outcome: new.outcome,
            settles_ms: new.settles_ms,
            state: RefundState::Processing,
            created_ms: now_ms,
            success_ms: None,
            memo: new.memo,
        }
    }
}
