//! Refunds, wrongly.

use std::time::Duration;

use async_trait::async_trait;
use trade_core::{
    NewRefund, ProductAppId, ProductRefundNo, Refund, RefundChange, RefundEntry, RefundNo, TradingOrderNo,
    port::{Claim, Page, Pick, RefundCommit, RefundFilter, RefundInserted, RefundStore, StoreError},
};

use super::{Fault, Mutant};

#[async_trait]
impl RefundStore for Mutant {
    async fn insert_refund(&self, new: &NewRefund) -> Result<RefundInserted, StoreError> {
        let mut asked = new.clone();
        if self.has(Fault::RefundTurnIgnored) {
            asked.gap = Duration::ZERO;
        }
        if self.has(Fault::SoleRefundDoubled) {
            asked.sole = false;
        }
        let done = RefundInserted::Done(Box::new(new.refund.clone()));
        Ok(match self.inner.insert_refund(&asked).await? {
            RefundInserted::NotCovered if self.has(Fault::RefundNotCovered) => done,
            RefundInserted::Exists(_) if self.has(Fault::RefundNumberReused) => done,
            RefundInserted::Exists(row)
                if self.has(Fault::ProductRefundNumberReused)
                    && row.product_refund_no.is_some()
                    && row.product_refund_no == new.refund.product_refund_no =>
            {
                done
            }
            answer => answer,
        })
    }

    async fn refund(&self, refund_no: RefundNo) -> Result<Option<Refund>, StoreError> {
        self.inner.refund(refund_no).await
    }

    async fn refund_by_product_no(
        &self,
        product_app_id: &ProductAppId,
        product_refund_no: &ProductRefundNo,
    ) -> Result<Option<Refund>, StoreError> {
        let found = self.inner.refund_by_product_no(product_app_id, product_refund_no);
        found.await
    }

    async fn refunds_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<Refund>, StoreError> {
        self.inner.refunds_of(trading_order_no).await
    }

    async fn list_refunds(&self, filter: &RefundFilter, page: Page) -> Result<Vec<Refund>, StoreError> {
        if self.has(Fault::RefundFilterIgnored) {
            return self.inner.list_refunds(&RefundFilter::default(), page).await;
        }
        self.inner.list_refunds(filter, page).await
    }

    async fn commit_refund(&self, change: &RefundChange) -> Result<RefundCommit, StoreError> {
        Ok(match self.inner.commit_refund(change).await? {
            RefundCommit::NotCovered if self.has(Fault::LateSuccessNotCovered) => RefundCommit::Done,
            answer => answer,
        })
    }

    async fn claim_refund(&self, refund_no: RefundNo, claim: Claim) -> Result<bool, StoreError> {
        self.inner.claim_refund(refund_no, claim).await
    }

    async fn due_refunds(&self, pick: Pick) -> Result<Vec<Refund>, StoreError> {
        self.inner.due_refunds(pick).await
    }

    async fn refund_journal(&self, refund_no: RefundNo) -> Result<Vec<RefundEntry>, StoreError> {
        let mut lines = self.inner.refund_journal(refund_no).await?;
        if self.has(Fault::RefundJournalForgotten) {
            lines.truncate(1);
        }
        Ok(lines)
    }
}
