//! Refunds in memory.

use async_trait::async_trait;

use super::store::{MemoryStore, Tables, broken};
use crate::{
    Fen, Refund, RefundChange, RefundNo, RefundState, Timestamp, TradingOrderNo, TradingState,
    port::{Claim, RefundCommit, RefundInserted, RefundStore, StoreError},
};

impl Tables {
    /// What would be reserved with this refund, if the trading covers it.
    fn reserve(&self, refund: &Refund) -> Option<Fen> {
        let trading = self.tradings.get(&refund.trading_order_no)?;
        let reserved = trading.refund_reserved.checked_add(refund.amount.fen())?;
        (trading.state == TradingState::Settled && reserved <= trading.amount.fen()).then_some(reserved)
    }

    /// Moves the trading's sums along with a refund that ends; fails rather than go wrong.
    fn settle_sums(&mut self, before: RefundState, after: &Refund) -> Option<()> {
        let trading = self.tradings.get_mut(&after.trading_order_no)?;
        let (amount, total) = (after.amount.fen(), trading.amount.fen());
        match (before, after.state) {
            (RefundState::Applied | RefundState::Sending(_), RefundState::Success) => {
                trading.refunded = trading.refunded.checked_add(amount)?;
            }
            (RefundState::Applied | RefundState::Sending(_), RefundState::Failed) => {
                trading.refund_reserved = trading.refund_reserved.checked_sub(amount)?;
            }
            (RefundState::Failed, RefundState::Success) => {
                let reserved = trading.refund_reserved.checked_add(amount)?;
                let refunded = trading.refunded.checked_add(amount)?;
                if reserved > total {
                    return None;
                }
                (trading.refund_reserved, trading.refunded) = (reserved, refunded);
            }
            _ => {}
        }
        Some(())
    }
}

#[async_trait]
impl RefundStore for MemoryStore {
    async fn insert_refund(&self, refund: &Refund) -> Result<RefundInserted, StoreError> {
        let mut tables = self.tables();
        if let Some(existing) = tables.refunds.get(&refund.refund_no) {
            return Ok(RefundInserted::Exists(Box::new(existing.clone())));
        }
        let Some(reserved) = tables.reserve(refund) else {
            return Ok(RefundInserted::NotCovered);
        };
        if let Some(trading) = tables.tradings.get_mut(&refund.trading_order_no) {
            trading.refund_reserved = reserved;
        }
        tables.refunds.insert(refund.refund_no, refund.clone());
        Ok(RefundInserted::Done)
    }

    async fn refund(&self, refund_no: RefundNo) -> Result<Option<Refund>, StoreError> {
        Ok(self.tables().refunds.get(&refund_no).cloned())
    }

    async fn refunds_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<Refund>, StoreError> {
        let tables = self.tables();
        let of_trading = tables
            .refunds
            .values()
            .rev()
            .filter(|row| row.trading_order_no == trading_order_no);
        Ok(of_trading.cloned().collect())
    }

    async fn commit_refund(&self, change: &RefundChange) -> Result<RefundCommit, StoreError> {
        let mut tables = self.tables();
        let Some(current) = tables.refunds.get(&change.after.refund_no) else {
            return Err(broken("commit a refund", "there is no such refund"));
        };
        if current.version != change.from_version {
            return Ok(RefundCommit::Stale);
        }
        let before = current.state;
        tables.check_event(change.event.as_ref())?;
        if tables.settle_sums(before, &change.after).is_none() {
            return Err(broken("commit a refund", "the trading's sums do not allow it"));
        }
        if let Some(event) = &change.event {
            tables.put_event(event);
        }
        tables
            .refunds
            .insert(change.after.refund_no, change.after.clone());
        Ok(RefundCommit::Done)
    }

    async fn claim_refund(&self, refund_no: RefundNo, claim: Claim) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(refund) = tables.refunds.get_mut(&refund_no) else {
            return Ok(false);
        };
        if refund.version != claim.version || refund.next_check_at != claim.seen {
            return Ok(false);
        }
        refund.next_check_at = claim.next_check_at;
        refund.checks = claim.checks;
        refund.stuck = claim.stuck;
        Ok(true)
    }

    async fn due_refunds(&self, now: Timestamp, limit: u32) -> Result<Vec<Refund>, StoreError> {
        let tables = self.tables();
        let due = |refund: &&Refund| refund.next_check_at.is_some_and(|at| at <= now);
        let mut rows: Vec<_> = tables.refunds.values().filter(due).cloned().collect();
        rows.sort_by_key(|refund| (refund.next_check_at, refund.refund_no));
        rows.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(rows)
    }
}
