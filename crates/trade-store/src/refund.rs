//! Refunds: one file a write, and the reads.

mod claim;
mod commit;
mod insert;
mod read;

use async_trait::async_trait;
use trade_core::{
    Refund, RefundChange, RefundNo, Timestamp, TradingOrderNo,
    port::{Claim, RefundCommit, RefundInserted, RefundStore, StoreError},
};

use crate::{store::SqlStore, transaction::execute};

#[async_trait]
impl RefundStore for SqlStore {
    async fn insert_refund(&self, refund: &Refund) -> Result<RefundInserted, StoreError> {
        execute(self.writer(), insert::Insert(refund.clone())).await
    }

    async fn refund(&self, refund_no: RefundNo) -> Result<Option<Refund>, StoreError> {
        let row = read::find(self.reader(), refund_no).await;
        row.map_err(|fault| fault.during("read a refund"))
    }

    async fn refunds_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<Refund>, StoreError> {
        let rows = read::of_trading(self.reader(), trading_order_no).await;
        rows.map_err(|fault| fault.during("read the refunds of a trading"))
    }

    async fn commit_refund(&self, change: &RefundChange) -> Result<RefundCommit, StoreError> {
        execute(self.writer(), commit::Transition(change.clone())).await
    }

    async fn claim_refund(&self, refund_no: RefundNo, claim: Claim) -> Result<bool, StoreError> {
        execute(self.writer(), claim::ClaimRefund { refund_no, claim }).await
    }

    async fn due_refunds(&self, now: Timestamp, limit: u32) -> Result<Vec<Refund>, StoreError> {
        let rows = read::due(self.reader(), now, limit).await;
        rows.map_err(|fault| fault.during("read the refunds that are due"))
    }
}
