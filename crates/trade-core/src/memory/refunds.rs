//! Refunds in memory.

use async_trait::async_trait;

use super::store::{MemoryStore, Tables, broken};
use crate::{
    Fen, NewRefund, ProductAppId, ProductRefundNo, Refund, RefundChange, RefundEntry, RefundNo, RefundOrigin,
    RefundState, Trading, TradingOrderNo, TradingState,
    guard::{self, Guard},
    port::{Claim, Page, Pick, RefundCommit, RefundFilter, RefundInserted, RefundStore, StoreError},
};

impl Tables {
    /// Whether the trading of a refund covers it.
    fn covered(&self, refund: &Refund) -> bool {
        let trading = self.tradings.get(&refund.trading_order_no);
        trading.is_some_and(|trading| covers(trading, refund))
    }

    /// The refund that has one of the numbers of a new one.
    fn same_number(&self, new: &Refund) -> Option<&Refund> {
        if let Some(same) = self.refunds.get(&new.refund_no) {
            return Some(same);
        }
        self.refunds.values().find(|row| {
            let at_channel =
                row.trading_order_no == new.trading_order_no && row.out_refund_no == new.out_refund_no;
            let by_caller = new.product_refund_no.is_some()
                && row.product_refund_no == new.product_refund_no
                && row.product_app_id == new.product_app_id
                && guard::on(Guard::RefundNumber);
            at_channel || by_caller
        })
    }

    /// The newest refund beside which a sole one is not made.
    fn standing(&self, new: &NewRefund) -> Option<&Refund> {
        let is_standing = |row: &&Refund| {
            row.trading_order_no == new.refund.trading_order_no
                && row.origin == RefundOrigin::Caller
                && row.state != RefundState::Failed
        };
        let sole = new.sole && guard::on(Guard::RefundNumber);
        sole.then(|| self.refunds.values().rev().find(is_standing))
            .flatten()
    }

    /// Whether the refund of a surplus can be made; asked before anything of its transaction is written.
    pub(super) fn check_surplus_refund(&self, after: &Trading, new: &NewRefund) -> Result<(), StoreError> {
        if !covers(after, &new.refund) {
            return Err(broken("commit a surplus", "its sums do not cover its refund"));
        }
        if self.same_number(&new.refund).is_some() {
            return Err(broken("commit a surplus", "the number of its refund exists"));
        }
        self.check_event(new.event.as_ref())
    }

    /// Writes a new refund, which is covered and has a number of its own.
    pub(super) fn put_refund(&mut self, new: &NewRefund) -> Refund {
        let mut refund = new.refund.clone();
        // What the channel refused keeps nothing waiting.
        let others = self.refunds.values().filter(|row| {
            row.trading_order_no == refund.trading_order_no && row.state != RefundState::Failed
        });
        let free_at = others.map(|row| row.send_at.plus(new.gap)).max();
        if let Some(free_at) = free_at {
            refund.send_at = refund.send_at.max(free_at);
        }
        let amount = refund.amount.fen();
        if let Some(trading) = self.tradings.get_mut(&refund.trading_order_no) {
            let sum = |held: Fen| held.checked_add(amount).unwrap_or(held);
            trading.refund_reserved = sum(trading.refund_reserved);
            if refund.state == RefundState::Success {
                trading.refunded = sum(trading.refunded);
            }
        }
        if let Some(event) = &new.event {
            self.put_event(event);
        }
        self.refund_journal.push(new.journal.clone());
        self.refunds.insert(refund.refund_no, refund.clone());
        refund
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
                if reserved > total && guard::on(Guard::RefundReserve) {
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
    async fn insert_refund(&self, refund: &NewRefund) -> Result<RefundInserted, StoreError> {
        let mut tables = self.tables();
        let existing = tables.same_number(&refund.refund);
        if let Some(existing) = existing.or_else(|| tables.standing(refund)) {
            return Ok(RefundInserted::Exists(Box::new(existing.clone())));
        }
        if !tables.covered(&refund.refund) {
            return Ok(RefundInserted::NotCovered);
        }
        tables.check_event(refund.event.as_ref())?;
        Ok(RefundInserted::Done(Box::new(tables.put_refund(refund))))
    }

    async fn refund_by_product_no(
        &self,
        product_app_id: &ProductAppId,
        product_refund_no: &ProductRefundNo,
    ) -> Result<Option<Refund>, StoreError> {
        let tables = self.tables();
        let found = tables.refunds.values().find(|row| {
            row.product_app_id == *product_app_id && row.product_refund_no.as_ref() == Some(product_refund_no)
        });
        Ok(found.cloned())
    }

    async fn list_refunds(&self, filter: &RefundFilter, page: Page) -> Result<Vec<Refund>, StoreError> {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let wanted = |row: &&Refund| {
            page.before.is_none_or(|before| row.refund_no.get() < before) && matches(filter, row)
        };
        let tables = self.tables();
        let rows = tables.refunds.values().rev().filter(wanted).take(limit);
        Ok(rows.cloned().collect())
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
        if current.version != change.from_version && guard::on(Guard::CompareAndSet) {
            return Ok(RefundCommit::Stale);
        }
        let before = current.state;
        let after = moved(current, &change.after);
        tables.check_event(change.event.as_ref())?;
        if tables.settle_sums(before, &after).is_none() {
            return Ok(RefundCommit::NotCovered);
        }
        if let Some(event) = &change.event {
            tables.put_event(event);
        }
        tables.refund_journal.push(change.journal.clone());
        tables.refunds.insert(after.refund_no, after);
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

    async fn due_refunds(&self, pick: Pick) -> Result<Vec<Refund>, StoreError> {
        let tables = self.tables();
        let due = |refund: &&Refund| {
            refund.next_check_at.is_some_and(|at| at <= pick.now) && pick.shard.has(refund.refund_no.get())
        };
        let mut rows: Vec<_> = tables.refunds.values().filter(due).cloned().collect();
        rows.sort_by_key(|refund| (refund.next_check_at, refund.refund_no));
        rows.truncate(usize::try_from(pick.limit).unwrap_or(usize::MAX));
        Ok(rows)
    }

    async fn refund_journal(&self, refund_no: RefundNo) -> Result<Vec<RefundEntry>, StoreError> {
        let tables = self.tables();
        let lines = tables
            .refund_journal
            .iter()
            .filter(|line| line.refund_no == refund_no);
        Ok(lines.cloned().collect())
    }
}

/// Whether a trading is settled and has as much left as a refund asks for.
fn covers(trading: &Trading, refund: &Refund) -> bool {
    let reserved = trading.refund_reserved.checked_add(refund.amount.fen());
    let within = |reserved: Fen| reserved <= trading.amount.fen() || !guard::on(Guard::RefundReserve);
    trading.state == TradingState::Settled && reserved.is_some_and(within)
}

/// The row after a transition: what was agreed at the insert stays.
fn moved(current: &Refund, after: &Refund) -> Refund {
    let current = current.clone();
    Refund {
        origin: current.origin,
        product_refund_no: current.product_refund_no,
        out_refund_no: current.out_refund_no,
        trading_order_no: current.trading_order_no,
        product_app_id: current.product_app_id,
        product_order_no: current.product_order_no,
        enterprise_id: current.enterprise_id,
        channel: current.channel,
        amount: current.amount,
        total: current.total,
        memo: current.memo,
        content: current.content,
        send_at: current.send_at,
        created_at: current.created_at,
        ..after.clone()
    }
}

fn matches(filter: &RefundFilter, row: &Refund) -> bool {
    filter
        .product_app_id
        .as_ref()
        .is_none_or(|app| *app == row.product_app_id)
        && filter
            .product_order_no
            .is_none_or(|order| order == row.product_order_no)
        && filter
            .trading_order_no
            .is_none_or(|trading| trading == row.trading_order_no)
        && (!filter.stuck || row.stuck.is_some())
}
