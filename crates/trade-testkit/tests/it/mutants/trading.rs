//! Tradings, wrongly.

use async_trait::async_trait;
use trade_core::{
    JournalEntry, Trading, TradingChange, TradingOrderNo,
    port::{Claim, Commit, Due, Inserted, OrderKey, Page, Pick, StoreError, TradingFilter, TradingStore},
};

use super::{Fault, Mutant};

#[async_trait]
impl TradingStore for Mutant {
    async fn insert_trading(
        &self,
        trading: &Trading,
        journal: &JournalEntry,
    ) -> Result<Inserted, StoreError> {
        let answer = self.inner.insert_trading(trading, journal).await?;
        let accept = self.has(Fault::SecondLiveTradingAccepted) && matches!(answer, Inserted::LiveExists(_));
        Ok(if accept { Inserted::Done } else { answer })
    }

    async fn trading(&self, trading_order_no: TradingOrderNo) -> Result<Option<Trading>, StoreError> {
        let mut row = self.inner.trading(trading_order_no).await?;
        if self.has(Fault::ForgetsAField)
            && let Some(row) = &mut row
        {
            row.payer_total = None;
        }
        Ok(row)
    }

    async fn tradings_of(&self, order: &OrderKey) -> Result<Vec<Trading>, StoreError> {
        self.inner.tradings_of(order).await
    }

    async fn list_tradings(&self, filter: &TradingFilter, page: Page) -> Result<Vec<Trading>, StoreError> {
        let limit = if self.has(Fault::LimitIgnored) {
            u32::MAX
        } else {
            page.limit
        };
        self.inner.list_tradings(filter, Page { limit, ..page }).await
    }

    async fn commit_trading(&self, change: &TradingChange) -> Result<Commit, StoreError> {
        let mut change = change.clone();
        if self.has(Fault::SurplusRefundDropped) {
            change.refund = None;
        }
        match self.inner.commit_trading(&change).await? {
            Commit::Stale if self.has(Fault::StaleCommitAccepted) => Ok(Commit::Done),
            Commit::WinnerExists if self.has(Fault::WinnerOverwritten) => Ok(Commit::Done),
            answer => Ok(answer),
        }
    }

    async fn claim_trading(
        &self,
        trading_order_no: TradingOrderNo,
        claim: Claim,
    ) -> Result<bool, StoreError> {
        let won = self.inner.claim_trading(trading_order_no, claim).await?;
        Ok(won || self.has(Fault::ClaimAlwaysWon))
    }

    async fn due_tradings(&self, due: Due, pick: Pick) -> Result<Vec<Trading>, StoreError> {
        let mut rows = self.inner.due_tradings(due, pick).await?;
        if self.has(Fault::DueKindsMixed) && due == Due::Expired {
            rows.extend(self.inner.due_tradings(Due::Sync, pick).await?);
        }
        Ok(rows)
    }

    async fn journal(&self, trading_order_no: TradingOrderNo) -> Result<Vec<JournalEntry>, StoreError> {
        let mut entries = self.inner.journal(trading_order_no).await?;
        if self.has(Fault::JournalBackwards) {
            entries.reverse();
        }
        Ok(entries)
    }
}
