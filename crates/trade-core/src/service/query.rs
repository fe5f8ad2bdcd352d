//! Reading: what the table says, and what the channel says while a trading is pending.

use super::{TradeError, TradeService, look::one_line};
use crate::{
    JournalEntry, Refund, RefundNo, Trading, TradingOrderNo,
    port::{OrderKey, Page, TradingFilter},
};

impl TradeService {
    /// A trading as it stands; a pending one is asked for at the channel first.
    ///
    /// When the channel gives no answer, the row is returned as it is: pending is then the truth as
    /// far as anybody knows it.
    ///
    /// # Errors
    /// No such trading, or the store failed.
    pub async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Trading, TradeError> {
        let trading = self.load(trading_order_no).await?;
        if !trading.state.is_live() {
            return Ok(trading);
        }
        match self.observe(trading.clone()).await {
            Ok(observed) => Ok(observed),
            Err(error @ (TradeError::Channel { .. } | TradeError::NoConfiguration { .. })) => {
                let error = one_line(&error);
                tracing::warn!(
                    trading_order_no = trading_order_no.get(),
                    error,
                    "answered from the table"
                );
                Ok(trading)
            }
            Err(error) => Err(error),
        }
    }

    /// A trading as the table has it.
    ///
    /// # Errors
    /// No such trading, or the store failed.
    pub async fn trading(&self, trading_order_no: TradingOrderNo) -> Result<Trading, TradeError> {
        self.load(trading_order_no).await
    }

    /// Every trading of an order, newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn tradings_of(&self, order: &OrderKey) -> Result<Vec<Trading>, TradeError> {
        Ok(self.ports.store.tradings_of(order).await?)
    }

    /// Tradings by filter, newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self, filter: &TradingFilter, page: Page) -> Result<Vec<Trading>, TradeError> {
        Ok(self.ports.store.list_tradings(filter, page).await?)
    }

    /// A trading's history, oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn history(&self, trading_order_no: TradingOrderNo) -> Result<Vec<JournalEntry>, TradeError> {
        Ok(self.ports.store.journal(trading_order_no).await?)
    }

    /// The refunds of a trading, newest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn refunds_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<Refund>, TradeError> {
        Ok(self.ports.store.refunds_of(trading_order_no).await?)
    }

    /// A refund as it stands; a running one is asked for at the channel first.
    ///
    /// # Errors
    /// No such refund, or the store failed.
    pub async fn query_refund(&self, refund_no: RefundNo) -> Result<Refund, TradeError> {
        let refund = self.load_refund(refund_no).await?;
        if refund.state.is_final() {
            return Ok(refund);
        }
        match self.observe_refund(refund.clone()).await {
            Ok(observed) => Ok(observed),
            Err(error @ (TradeError::Channel { .. } | TradeError::NoConfiguration { .. })) => {
                let error = one_line(&error);
                tracing::warn!(refund_no = refund_no.get(), error, "answered from the table");
                Ok(refund)
            }
            Err(error) => Err(error),
        }
    }
}
