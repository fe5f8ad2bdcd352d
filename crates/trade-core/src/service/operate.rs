//! What an operator does about a row that needs a person.

use super::{TradeError, TradeService};
use crate::{Event, EventId, Refund, RefundNo, Trading, TradingOrderNo, port::WaitingEvent};

impl TradeService {
    /// Has a trading looked at again at once, and forgets why it was stuck: after the cause was removed.
    ///
    /// # Errors
    /// No such trading, or the store failed.
    pub async fn retry_trading(&self, trading_order_no: TradingOrderNo) -> Result<Trading, TradeError> {
        let trading = self.load(trading_order_no).await?;
        let now = self.ports.clock.now();
        self.reschedule(&trading, Some(now), 0, None).await?;
        self.load(trading_order_no).await
    }

    /// The same for a refund. It is asked about first, then sent again with its own number if the
    /// channel has none.
    ///
    /// # Errors
    /// No such refund, or the store failed.
    pub async fn retry_refund(&self, refund_no: RefundNo) -> Result<Refund, TradeError> {
        let refund = self.load_refund(refund_no).await?;
        if refund.state.is_final() {
            return Ok(refund);
        }
        let now = Some(self.ports.clock.now());
        self.reschedule_refund(&refund, refund.next_check_at, now, 0, None)
            .await?;
        self.load_refund(refund_no).await
    }

    /// Has an event announced again, whatever became of it before: after the cause was removed for which it was
    /// refused, or for an order system that lost it. `by` says who asked, for the log.
    ///
    /// # Errors
    /// No such event, or the store failed.
    pub async fn resend(&self, event_id: EventId, by: &str) -> Result<Event, TradeError> {
        let now = self.ports.clock.now();
        let event = self.ports.store.resend_event(event_id, now).await?;
        let event = event.ok_or(TradeError::EventNotFound(event_id))?;
        tracing::info!(%event_id, by, "event put back to be announced again");
        Ok(event)
    }

    /// Events that are not announced, oldest first: all, or those that need a person.
    ///
    /// # Errors
    /// The store failed.
    pub async fn waiting_events(
        &self,
        only_stuck: bool,
        limit: u32,
    ) -> Result<Vec<WaitingEvent>, TradeError> {
        Ok(self.ports.store.waiting_events(only_stuck, limit).await?)
    }
}
