//! Refunds: one file a write, and the reads.

mod commit;
mod insert;
mod read;

use async_trait::async_trait;
use trade_core::{
    NewRefund, ProductAppId, ProductRefundNo, Refund, RefundChange, RefundEntry, RefundNo, TradingOrderNo,
    port::{Claim, Page, Pick, RefundCommit, RefundFilter, RefundInserted, RefundStore, StoreError},
};

pub(crate) use insert::put_of_surplus;

use crate::{
    claim::{ClaimRow, Row},
    store::SqlStore,
    transaction::execute,
};

#[async_trait]
impl RefundStore for SqlStore {
    async fn insert_refund(&self, refund: &NewRefund) -> Result<RefundInserted, StoreError> {
        execute(self.writer(), insert::Insert(refund.clone())).await
    }

    async fn refund(&self, refund_no: RefundNo) -> Result<Option<Refund>, StoreError> {
        let row = read::find(self.reader(), refund_no).await;
        row.map_err(|fault| fault.during("read a refund"))
    }

    async fn refund_by_product_no(
        &self,
        product_app_id: &ProductAppId,
        product_refund_no: &ProductRefundNo,
    ) -> Result<Option<Refund>, StoreError> {
        let row = read::by_product_no(self.reader(), product_app_id, product_refund_no).await;
        row.map_err(|fault| fault.during("read a refund by the caller's number"))
    }

    async fn refunds_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<Refund>, StoreError> {
        let rows = read::of_trading(self.reader(), trading_order_no).await;
        rows.map_err(|fault| fault.during("read the refunds of a trading"))
    }

    async fn list_refunds(&self, filter: &RefundFilter, page: Page) -> Result<Vec<Refund>, StoreError> {
        let rows = read::list(self.reader(), filter, page).await;
        rows.map_err(|fault| fault.during("list refunds"))
    }

    async fn commit_refund(&self, change: &RefundChange) -> Result<RefundCommit, StoreError> {
        execute(self.writer(), commit::Transition(change.clone())).await
    }

    async fn claim_refund(&self, refund_no: RefundNo, claim: Claim) -> Result<bool, StoreError> {
        let row = Row::Refund(refund_no);
        execute(self.writer(), ClaimRow { row, claim }).await
    }

    async fn due_refunds(&self, pick: Pick) -> Result<Vec<Refund>, StoreError> {
        let rows = read::due(self.reader(), pick).await;
        rows.map_err(|fault| fault.during("read the refunds that are due"))
    }

    async fn refund_journal(&self, refund_no: RefundNo) -> Result<Vec<RefundEntry>, StoreError> {
        let entries = read::journal(self.reader(), refund_no).await;
        entries.map_err(|fault| fault.during("read a refund's journal"))
    }
}
