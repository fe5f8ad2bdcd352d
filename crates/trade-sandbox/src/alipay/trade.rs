//! Trades: how the ledger's orders look at Alipay.

use serde_json::{Map, Value, json};

use super::{
    PAYER, amount,
    answer::{Fields, Refusal},
    content::Content,
};
use crate::{
    Channel,
    beijing::DAY_MS,
    ledger::{Book, Order, OrderKey, OrderState, RefundState},
    world::World,
};

/// The business's word for arguments it does not accept.
pub(super) const INVALID: &str = "ACQ.INVALID_PARAMETER";

/// How long a paid trade can be refunded.
const REFUND_WINDOW_MS: i64 = 365 * DAY_MS;

/// `trade_status`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Status {
    /// Scanned, not paid.
    Wait,
    /// Paid, refundable.
    Success,
    /// Paid, no longer refundable.
    Finished,
    /// Never paid, or paid and refunded in full.
    Closed,
}

impl Status {
    /// The word on the wire.
    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Wait => "WAIT_BUYER_PAY",
            Self::Success => "TRADE_SUCCESS",
            Self::Finished => "TRADE_FINISHED",
            Self::Closed => "TRADE_CLOSED",
        }
    }
}

/// Where the trade of an order stands; `None` as long as nobody has scanned the code: there is no trade.
pub(super) fn status(order: &Order) -> Option<Status> {
    order.transaction_id.as_ref()?;
    Some(match order.state {
        OrderState::Created | OrderState::Scanned => Status::Wait,
        OrderState::Paid => Status::Success,
        OrderState::Finished => Status::Finished,
        OrderState::Closed => Status::Closed,
    })
}

/// Which trade a call means.
#[derive(Debug, Clone, Copy)]
pub(super) enum Number<'call> {
    /// Alipay's number. It wins when both were sent.
    Trade(&'call str),
    /// The merchant's number.
    Order(&'call str),
}

impl<'call> Number<'call> {
    /// # Errors
    ///
    /// [`INVALID`] when neither number was sent.
    pub(super) fn of(content: &'call Content) -> Result<Self, Refusal> {
        let trade = content.text("trade_no").map(Self::Trade);
        trade
            .or_else(|| content.text("out_trade_no").map(Self::Order))
            .ok_or_else(|| Refusal::new(INVALID, "参数有误：out_trade_no与trade_no不能同时为空"))
    }

    /// The merchant's number, when that is what was sent.
    pub(super) fn out_trade_no(self) -> Option<&'call str> {
        match self {
            Self::Trade(_) => None,
            Self::Order(number) => Some(number),
        }
    }

    /// Why there is nothing: the code may well be paid later.
    pub(super) fn not_exist(self, sub_code: &'static str) -> Refusal {
        Refusal::new(sub_code, "交易不存在：买家扫码之前没有交易")
            .with(Fields::new().maybe("out_trade_no", self.out_trade_no()))
    }

    /// The order, if it has a trade. Trades whose time for refunds is over are finished on the way.
    pub(super) fn find(self, book: &mut Book, world: &World, now_ms: i64) -> Option<(Order, Status)> {
        let found = match self {
            Self::Trade(number) => book.order_by_transaction(Channel::Alipay, number),
            Self::Order(number) => book.order(&world.order_key(Channel::Alipay, number)),
        };
        let order = found?.clone();
        let over = |paid_ms: i64| now_ms >= paid_ms.saturating_add(REFUND_WINDOW_MS);
        let paid_ms = order.payment.as_ref().map(|payment| payment.paid_ms);
        let order = if order.state == OrderState::Paid && paid_ms.is_some_and(over) {
            book.finish(&order.key).ok()?.clone()
        } else {
            order
        };
        let status = status(&order)?;
        Some((order, status))
    }
}

/// What was refunded so far, in fen.
pub(super) fn refunded_fen(book: &Book, order: &OrderKey) -> i64 {
    book.refunds_of(order)
        .filter(|refund| refund.state == RefundState::Success)
        .fold(0, |sum, refund| sum.saturating_add(refund.amount_fen))
}

/// Closes a trade when all of it is refunded.
pub(super) fn close_when_refunded(book: &mut Book, key: &OrderKey, now_ms: i64) {
    let refunded_fen = refunded_fen(book, key);
    let whole = book
        .order(key)
        .is_some_and(|order| order.state == OrderState::Paid && refunded_fen >= order.amount_fen);
    if whole {
        // The order is there: it was found a line above.
        let _ = book.close(key, now_ms);
    }
}

/// The two numbers of a trade.
pub(super) fn numbers(order: &Order) -> Fields {
    Fields::new()
        .maybe("trade_no", order.transaction_id.as_deref())
        .text("out_trade_no", &order.key.out_trade_no)
}

/// Who buys.
pub(super) fn buyer_id(order: &Order) -> &str {
    order
        .payment
        .as_ref()
        .map_or(PAYER, |payment| payment.payer.as_str())
}

/// The buyer's account, masked: `138****0042`.
pub(super) fn buyer_logon_id(order: &Order) -> String {
    let id: Vec<char> = buyer_id(order).chars().collect();
    let tail: String = id.iter().skip(id.len().saturating_sub(4)).collect();
    format!("138****{tail}")
}

/// What the buyer paid with, as a list whose names are `name_of_channel` and `amount`.
pub(super) fn fund_bills(order: &Order, name_of_channel: &str) -> Value {
    let Some(payment) = &order.payment else {
        return json!([]);
    };
    let coupon_fen = order.amount_fen.saturating_sub(payment.payer_total_fen);
    let parts = [
        (payment.bank_type.as_str(), payment.payer_total_fen),
        ("COUPON", coupon_fen),
    ];
    let bill = |(channel, fen): (&str, i64)| {
        Value::Object(Map::from_iter([
            (name_of_channel.to_owned(), Value::from(channel)),
            ("amount".to_owned(), Value::from(amount::format(fen))),
        ]))
    };
    parts.into_iter().filter(|(_, fen)| *fen > 0).map(bill).collect()
}
