//! Closing a trading on request.

use super::{TradeError, TradeService};
use crate::{Cause, Trading, TradingOrderNo, TradingState};

impl TradeService {
    /// Closes an unpaid trading. Closing what is closed is a success.
    ///
    /// # Errors
    /// It is paid (now or before), or has failed; or the channel did not verifiably close it: then it
    /// stays `closing` and is finished in the background.
    pub async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Trading, TradeError> {
        let trading = self.load(trading_order_no).await?;
        if trading.state == TradingState::Cancelled {
            return Ok(trading);
        }
        let closed = self.close_live(trading, Cause::Request).await?;
        match closed.state {
            TradingState::Cancelled => Ok(closed),
            TradingState::Paying(_) => Err(TradeError::Busy(trading_order_no)),
            state @ (TradingState::Failed
            | TradingState::Settled
            | TradingState::Free
            | TradingState::OnAccount) => Err(TradeError::NotClosable {
                trading_order_no,
                state,
            }),
        }
    }
}
