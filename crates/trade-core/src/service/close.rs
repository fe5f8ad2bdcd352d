//! Closing a trading on request.

use super::{TradeError, TradeService, look::Closing, record::Finding};
use crate::{Cause, Fact, Trading, TradingOrderNo, TradingState};

impl TradeService {
    /// Closes an unpaid trading for good: should it be paid after it was closed (a code that nobody had
    /// scanned cannot be closed at Alipay), the payment goes back by itself. Closing what is closed is a
    /// success.
    ///
    /// # Errors
    /// It is paid (now or before), or has failed; or the channel did not verifiably close it: then it
    /// stays `closing` and is finished in the background.
    pub async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Trading, TradeError> {
        let trading = self.load(trading_order_no).await?;
        if trading.state == TradingState::Cancelled && trading.withdrawn {
            return Ok(trading);
        }
        if trading.state == TradingState::Cancelled {
            let withdrawn = Finding::new(Fact::CloseWanted, Cause::Request).withdrawing();
            return self
                .record(trading, &withdrawn.because("given up by its caller"))
                .await;
        }
        let closed = self.close_live(trading, Closing::WITHDRAWN).await?;
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
