//! Rows that are valid until a test says otherwise. Change single fields by struct update:
//!
//! ```
//! use trade_core::Trading;
//! use trade_testkit::fixture;
//!
//! let trading = Trading { memo: "日常保洁".into(), ..fixture::trading(7) };
//! assert_eq!(trading.version, 1);
//! ```

mod record;
mod refund;
mod trading;

use trade_core::{
    EnterpriseId, Event, EventDraft, EventId, ProductAppId, ProductOrderNo, RefundNo, RoutingKey, Timestamp,
    TradeStatusMsg, Trading, TradingOrderNo, TradingState,
};

pub use record::{answer, call, key, notice};
pub use refund::{
    first_refund_entry, new_refund, product_refund_no, refund, refund_change, refund_event, refund_like,
    surplus_refund,
};
pub use trading::{change, first_entry, like, paid, rich_trading, surplus, trading};

/// When fixtures happen: 2026-11-23T09:00:00+08:00.
pub const START: Timestamp = Timestamp::from_ms(1_795_395_600_000);

/// `START` and `seconds` more, or less when negative.
#[must_use]
pub fn at(seconds: i64) -> Timestamp {
    Timestamp::from_ms(START.ms() + seconds * 1000)
}

/// The order system of fixtures.
#[must_use]
pub fn app() -> ProductAppId {
    app_named("jzo2o.orders")
}

/// An order system of that name, which must be valid.
#[must_use]
pub fn app_named(name: &str) -> ProductAppId {
    ProductAppId::new(name).expect("a valid name")
}

/// A 19-digit order number, as the order system makes them.
#[must_use]
pub fn order_no(number: i64) -> ProductOrderNo {
    ProductOrderNo::new(2_406_011_000_000_000_000 + number).expect("positive")
}

/// A trading number.
#[must_use]
pub fn trading_no(number: i64) -> TradingOrderNo {
    TradingOrderNo::new(number).expect("positive")
}

/// A refund number.
#[must_use]
pub fn refund_no(number: i64) -> RefundNo {
    RefundNo::new(number).expect("positive")
}

/// An event id.
#[must_use]
pub fn event_id(number: i64) -> EventId {
    EventId::new(number).expect("positive")
}

/// The merchant of that number.
#[must_use]
pub fn enterprise(number: i64) -> EnterpriseId {
    EnterpriseId::new(number).expect("positive")
}

/// An event about the state a trading is in, with a key of its own, due at the row's `updated_at`.
#[must_use]
pub fn event(after: &Trading, id: i64) -> EventDraft {
    EventDraft {
        event_id: event_id(id),
        event_key: format!("trading:{}:{}:{id}", after.trading_order_no, after.state.name()),
        routing_key: RoutingKey::UpdateStatus,
        message: TradeStatusMsg {
            trading_order_no: after.trading_order_no,
            product_app_id: after.product_app_id.clone(),
            product_order_no: after.product_order_no,
            transaction_id: after.transaction_id.clone(),
            trading_channel: after.channel,
            refund_no: None,
            product_refund_no: None,
            refund_fen: None,
            refund_origin: None,
            status_name: after.state.name().to_owned(),
            status_code: after.state.code(),
            info: after.memo.clone(),
            created: after.created_at,
            event_id: Some(event_id(id)),
            seq: None,
            occurred_at: Some(after.updated_at),
        },
    }
}

/// The event that a store makes of a draft: the `seq`th of its order, at a position in the stream, not offered yet.
#[must_use]
pub fn committed(draft: EventDraft, seq: i64, position: i64) -> Event {
    Event {
        event_id: draft.event_id,
        routing_key: draft.routing_key,
        message: TradeStatusMsg {
            seq: Some(seq),
            ..draft.message
        },
        position,
        attempts: 0,
        refused_since: None,
    }
}

/// The event of a payment of that order.
#[must_use]
pub fn paid_event(order: i64, seq: i64, id: i64) -> Event {
    let trading = change(&rich_trading(order), TradingState::Settled).after;
    committed(event(&trading, id), seq, id)
}
