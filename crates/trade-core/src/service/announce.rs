//! Which transitions are announced, and what is said.

use super::{TradeError, TradeService};
use crate::{
    EventDraft, EventId, Refund, RefundOrigin, Role, RoutingKey, Timestamp, TradeStatusMsg, Trading,
    TradingState,
};

impl TradeService {
    /// The announcement of the state a trading has just reached, if it is one that others must know. A
    /// surplus is announced by its refund: the order was paid before and stays so.
    pub(super) async fn trading_event(
        &self,
        after: &Trading,
        now: Timestamp,
    ) -> Result<Option<EventDraft>, TradeError> {
        let announced = match after.state {
            TradingState::Settled => after.role == Some(Role::Winner),
            TradingState::Failed | TradingState::Cancelled => true,
            TradingState::Paying(_) | TradingState::Free | TradingState::OnAccount => false,
        };
        if !announced {
            return Ok(None);
        }
        let event_id = self.next_event_id().await?;
        let message = TradeStatusMsg {
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
            event_id: Some(event_id),
            seq: None,
            occurred_at: Some(now),
        };
        Ok(Some(EventDraft {
            event_id,
            event_key: format!("trading:{}:{}", after.trading_order_no, after.state.name()),
            routing_key: RoutingKey::UpdateStatus,
            message,
        }))
    }

    /// The announcement of the state a refund has just reached.
    pub(super) async fn refund_event(
        &self,
        after: &Refund,
        now: Timestamp,
    ) -> Result<EventDraft, TradeError> {
        let event_id = self.next_event_id().await?;
        let origin = match after.origin {
            RefundOrigin::Caller => None,
            RefundOrigin::Surplus | RefundOrigin::Console => Some(after.origin.key().to_owned()),
        };
        let message = TradeStatusMsg {
            trading_order_no: after.trading_order_no,
            product_app_id: after.product_app_id.clone(),
            product_order_no: after.product_order_no,
            transaction_id: None,
            trading_channel: after.channel,
            refund_no: Some(after.refund_no),
            product_refund_no: after.product_refund_no.clone(),
            refund_fen: Some(after.amount.fen()),
            refund_origin: origin,
            status_name: after.state.name().to_owned(),
            status_code: after.state.code(),
            info: after.memo.clone(),
            created: after.created_at,
            event_id: Some(event_id),
            seq: None,
            occurred_at: Some(now),
        };
        Ok(EventDraft {
            event_id,
            event_key: format!("refund:{}:{}", after.refund_no, after.version),
            routing_key: RoutingKey::RefundUpdateStatus,
            message,
        })
    }

    async fn next_event_id(&self) -> Result<EventId, TradeError> {
        EventId::new(self.ports.ids.next().await?)
            .map_err(|invalid| TradeError::invalid("eventId", invalid.to_string()))
    }
}
