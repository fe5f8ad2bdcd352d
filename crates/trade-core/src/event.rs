//! What is announced to the order systems.

use serde::{Deserialize, Serialize};

use crate::{
    Channel, EventId, Fen, ProductAppId, ProductOrderNo, ProductRefundNo, RefundNo, Timestamp,
    TradingOrderNo, TransactionId,
};

/// Which kind of event it is; the routing key of the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum RoutingKey {
    /// A trading changed.
    #[serde(rename = "UPDATE_STATUS")]
    UpdateStatus,
    /// A refund changed.
    #[serde(rename = "REFUND_UPDATE_STATUS")]
    RefundUpdateStatus,
}

impl RoutingKey {
    /// The text on the wire and in the tables.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::UpdateStatus => "UPDATE_STATUS",
            Self::RefundUpdateStatus => "REFUND_UPDATE_STATUS",
        }
    }

    /// Reads what [`RoutingKey::code`] wrote.
    #[must_use]
    pub fn from_code(code: &str) -> Option<Self> {
        [Self::UpdateStatus, Self::RefundUpdateStatus]
            .into_iter()
            .find(|key| key.code() == code)
    }
}

/// The integer code of a state in a message: of a trading (2 to 7) or of a refund (0 to 3), by the routing key.
pub type StatusCode = u8;

/// The message to the order systems. It travels as an array of these, numbers as numbers, absent
/// fields left out; readers ignore fields they do not know.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct TradeStatusMsg {
    /// The trading.
    pub trading_order_no: TradingOrderNo,
    /// The order system it is for; others skip it.
    pub product_app_id: ProductAppId,
    /// The order.
    pub product_order_no: ProductOrderNo,
    /// The channel's number, once paid.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transaction_id: Option<TransactionId>,
    /// The channel.
    pub trading_channel: Channel,
    /// The refund, when the event is about one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_no: Option<RefundNo>,
    /// The caller's own number of that refund, when the caller gave one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub product_refund_no: Option<ProductRefundNo>,
    /// What that refund gives back, in fen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_fen: Option<Fen>,
    /// Who wanted that refund, when it was not an order system: `SURPLUS` for the return of a second
    /// payment of the order, which leaves the order paid; `CONSOLE` for one made at the channel.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub refund_origin: Option<String>,
    /// The state's name (`YJS`, `SUCCESS`).
    pub status_name: String,
    /// The state's code.
    pub status_code: StatusCode,
    /// The memo.
    pub info: String,
    /// When the trading was created, in epoch milliseconds.
    pub created: Timestamp,
    /// The id of the event; the same on every delivery. Deduplicate by it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub event_id: Option<EventId>,
    /// Counts the events of one order from 1; ignore what is older than what you have seen.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub seq: Option<i64>,
    /// When it happened, in epoch milliseconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurred_at: Option<Timestamp>,
}

/// An event about to be committed with its transition; the store gives it its `seq`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EventDraft {
    /// Its id.
    pub event_id: EventId,
    /// Names the transition; the store refuses a second event with the same key.
    pub event_key: String,
    /// Its kind.
    pub routing_key: RoutingKey,
    /// The message, without `seq`.
    pub message: TradeStatusMsg,
}

/// A committed event in the outbox.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Event {
    /// Its id.
    pub event_id: EventId,
    /// Its kind.
    pub routing_key: RoutingKey,
    /// The message, complete.
    pub message: TradeStatusMsg,
    /// The store's order of commit, from 1: a reader that was away goes on after the last it saw.
    pub position: i64,
    /// How often it was offered in vain since it was committed, or sent again by a person.
    pub attempts: u32,
    /// Since when a receiver that is there does not take it.
    pub refused_since: Option<Timestamp>,
}

impl Event {
    /// The body of the message: a JSON array of one.
    ///
    /// # Errors
    /// Never in practice: every field serializes.
    pub fn body(&self) -> Result<String, serde_json::Error> {
        serde_json::to_string(&[&self.message])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_message_is_what_order_systems_read_today() {
        let message = TradeStatusMsg {
            trading_order_no: TradingOrderNo::new(1_234_567_890_123_456_789).unwrap(),
            product_app_id: ProductAppId::new("jzo2o.orders").unwrap(),
            product_order_no: ProductOrderNo::new(2_406_011_000_000_000_001).unwrap(),
            transaction_id: Some(TransactionId::new("4200")),
            trading_channel: Channel::WechatPay,
            refund_no: None,
            product_refund_no: None,
            refund_fen: None,
            refund_origin: None,
            status_name: "YJS".into(),
            status_code: 4,
            info: "日常保洁".into(),
            created: Timestamp::from_ms(1_717_200_000_000),
            event_id: Some(EventId::new(7).unwrap()),
            seq: Some(1),
            occurred_at: Some(Timestamp::from_ms(1_717_200_000_500)),
        };
        let event = Event {
            event_id: EventId::new(7).unwrap(),
            routing_key: RoutingKey::UpdateStatus,
            message,
            position: 1,
            attempts: 0,
            refused_since: None,
        };
        assert_eq!(
            event.body().unwrap(),
            r#"[{"tradingOrderNo":1234567890123456789,"productAppId":"jzo2o.orders","productOrderNo":2406011000000000001,"transactionId":"4200","tradingChannel":"WECHAT_PAY","statusName":"YJS","statusCode":4,"info":"日常保洁","created":1717200000000,"eventId":7,"seq":1,"occurredAt":1717200000500}]"#
        );
        // A message of the service we replace reads too.
        let old = r#"{"tradingOrderNo":1,"productAppId":"a","productOrderNo":2,"tradingChannel":"ALI_PAY","statusName":"YJS","statusCode":4,"info":"","created":1,"more":null}"#;
        assert_eq!(
            serde_json::from_str::<TradeStatusMsg>(old).unwrap().event_id,
            None
        );
    }
}
