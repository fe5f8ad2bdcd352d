//! Reading: what the table says, and what the channel says while a trading is pending.

use super::{TradeError, TradeService, look::one_line};
use crate::{
    JournalEntry, ProductAppId, ProductRefundNo, Refund, RefundEntry, RefundNo, RefundState, Trading,
    TradingOrderNo, TradingState,
    port::{CallEntry, Counts, NoticeSeen, OrderKey, Page, RefundFilter, TradingFilter},
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
        self.asked(trading).await
    }

    /// Asks the channel; when it gives no answer, the row as it is.
    async fn asked(&self, trading: Trading) -> Result<Trading, TradeError> {
        let trading_order_no = trading.trading_order_no;
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

    /// A trading brought up to date before something is done about it: asked for at the channel unless it
    /// is paid. Without an answer, the table's word stands.
    pub(super) async fn repaired(&self, trading_order_no: TradingOrderNo) -> Result<Trading, TradeError> {
        let trading = self.load(trading_order_no).await?;
        match trading.state {
            TradingState::Paying(_) | TradingState::Cancelled | TradingState::Failed => {
                self.asked(trading).await
            }
            TradingState::Settled | TradingState::Free | TradingState::OnAccount => Ok(trading),
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

    /// Refunds by filter, highest number first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list_refunds(&self, filter: &RefundFilter, page: Page) -> Result<Vec<Refund>, TradeError> {
        Ok(self.ports.store.list_refunds(filter, page).await?)
    }

    /// The refund that an order system knows by its own number, as it stands; a running one is asked
    /// for at the channel first.
    ///
    /// # Errors
    /// No such refund, or the store failed.
    pub async fn query_refund_by_product_no(
        &self,
        app: &ProductAppId,
        number: &ProductRefundNo,
    ) -> Result<Refund, TradeError> {
        match self.ports.store.refund_by_product_no(app, number).await? {
            Some(refund) => self.query_refund(refund.refund_no).await,
            None => Err(TradeError::ProductRefundNotFound(number.clone())),
        }
    }

    /// A refund's history, oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn refund_history(&self, refund_no: RefundNo) -> Result<Vec<RefundEntry>, TradeError> {
        Ok(self.ports.store.refund_journal(refund_no).await?)
    }

    /// The calls to the channel about a trading and its refunds, oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn calls_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<CallEntry>, TradeError> {
        Ok(self.ports.store.calls_of(trading_order_no).await?)
    }

    /// The verified notices about a trading, first come first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn notices_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<NoticeSeen>, TradeError> {
        Ok(self.ports.store.notices_of(trading_order_no).await?)
    }

    /// How many rows wait, run, or need a person.
    ///
    /// # Errors
    /// The store failed.
    pub async fn counts(&self) -> Result<Counts, TradeError> {
        Ok(self.ports.store.counts().await?)
    }

    /// A refund as it stands; a running one is asked for at the channel first.
    ///
    /// # Errors
    /// No such refund, or the store failed.
    pub async fn query_refund(&self, refund_no: RefundNo) -> Result<Refund, TradeError> {
        let refund = self.load_refund(refund_no).await?;
        // One that waits its turn is unknown to the channel.
        let waiting = refund.state == RefundState::Applied && refund.send_at > self.ports.clock.now();
        if refund.state.is_final() || waiting {
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
