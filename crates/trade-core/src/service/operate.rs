//! What an operator does about a row that needs a person.

use super::{TradeError, TradeService};
use crate::{Refund, RefundNo, Trading, TradingOrderNo};

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
}
