//! A copy of the whole ledger at one moment, for tests and for the control API.

use serde::Serialize;

use super::{Order, Refund};
use crate::Channel;

/// What a line of the ledger records.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum EntryKind {
    /// Money came from a payer.
    Payment,
    /// Money went back to a payer.
    Refund,
}

/// One movement of money. Lines are only ever added.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Entry {
    /// Counts from 1.
    pub seq: u64,
    /// When, Unix ms.
    pub at_ms: i64,
    /// The channel.
    pub channel: Channel,
    /// The merchant.
    pub merchant: String,
    /// The order.
    pub out_trade_no: String,
    /// The merchant's number of the refund.
    pub refund_no: Option<String>,
    /// The direction.
    pub kind: EntryKind,
    /// In fen, always positive.
    pub amount_fen: i64,
}

/// The ledger at one moment.
#[derive(Debug, Clone, Serialize)]
pub struct Snapshot {
    /// All orders, by channel and number.
    pub orders: Vec<Order>,
    /// All refunds, by channel and number.
    pub refunds: Vec<Refund>,
    /// All movements of money, oldest first.
    pub entries: Vec<Entry>,
}

impl Snapshot {
    /// What payers paid at a channel, in fen.
    #[must_use]
    pub fn paid_fen(&self, channel: Channel) -> i64 {
        self.total(EntryKind::Payment, |entry| entry.channel == channel)
    }

    /// What payers got back at a channel, in fen.
    #[must_use]
    pub fn refunded_fen(&self, channel: Channel) -> i64 {
        self.total(EntryKind::Refund, |entry| entry.channel == channel)
    }

    /// What payers paid minus what they got back for the orders of the given number, in fen.
    #[must_use]
    pub fn net_fen(&self, channel: Channel, out_trade_no: &str) -> i64 {
        let of_order = |entry: &Entry| entry.channel == channel && entry.out_trade_no == out_trade_no;
        let paid = self.total(EntryKind::Payment, of_order);
        paid.saturating_sub(self.total(EntryKind::Refund, of_order))
    }

    /// The order of a number.
    #[must_use]
    pub fn order(&self, channel: Channel, out_trade_no: &str) -> Option<&Order> {
        self.orders
            .iter()
            .find(|order| order.key.channel == channel && order.key.out_trade_no == out_trade_no)
    }

    /// The refund of a number.
    #[must_use]
    pub fn refund(&self, channel: Channel, number: &str) -> Option<&Refund> {
        self.refunds
            .iter()
            .find(|refund| refund.key.channel == channel && refund.key.number == number)
    }

    fn total(&self, kind: EntryKind, wanted: impl Fn(&Entry) -> bool) -> i64 {
        self.entries
            .iter()
            .filter(|entry| entry.kind == kind && wanted(entry))
            .fold(0, |sum, entry| sum.saturating_add(entry.amount_fen))
    }
}
