//! The book's side of refunds.

use std::collections::BTreeMap;

use super::{
    Book, Entry, EntryKind, LedgerError, NewRefund, OrderKey, Refund, RefundKey, RefundOutcome, RefundState,
    book::{Deadline, find, next_seq},
};
use crate::Channel;

impl Book {
    /// The refund of a key.
    #[must_use]
    pub fn refund(&self, key: &RefundKey) -> Option<&Refund> {
        self.refunds.get(key)
    }

    /// The refund of a channel's own number.
    #[must_use]
    pub fn refund_by_id(&self, channel: Channel, refund_id: &str) -> Option<&Refund> {
        let key = self.refund_ids.get(&(channel, refund_id.to_owned()))?;
        self.refunds.get(key)
    }

    /// The refunds of an order, oldest first.
    pub fn refunds_of(&self, order: &OrderKey) -> impl Iterator<Item = &Refund> {
        self.refunds_of
            .get(order)
            .into_iter()
            .flatten()
            .filter_map(|key| self.refunds.get(key))
    }

    /// All refunds, by channel and number.
    pub fn refunds(&self) -> impl Iterator<Item = &Refund> {
        self.refunds.values()
    }

    /// What is refunded or about to be refunded of an order, in fen. Closed refunds do not count.
    #[must_use]
    pub fn reserved_fen(&self, order: &OrderKey) -> i64 {
        self.refunds_of(order)
            .filter(|refund| refund.state != RefundState::Closed)
            .fold(0, |sum, refund| sum.saturating_add(refund.amount_fen))
    }

    /// Opens a refund, PROCESSING; the channel has checked its rules. Money moves when it settles.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NumberTaken`], [`LedgerError::OrderNotFound`].
    pub fn open_refund(&mut self, new: NewRefund, now_ms: i64) -> Result<&Refund, LedgerError> {
        let key = new.key.clone();
        if self.refunds.contains_key(&key) {
            return Err(LedgerError::NumberTaken(key.number));
        }
        find(&mut self.orders, &new.order)?;
        self.refunds_of
            .entry(new.order.clone())
            .or_default()
            .push(key.clone());
        self.refund_ids
            .insert((key.channel, new.refund_id.clone()), key.clone());
        if new.outcome != RefundOutcome::Processing {
            self.deadlines
                .insert((new.settles_ms, Deadline::Settle(key.clone())));
        }
        let refund = Refund::open(new, now_ms);
        Ok(self.refunds.entry(key).or_insert(refund))
    }

    /// Puts an ABNORMAL refund back on its way, to settle at `settles_ms`.
    ///
    /// # Errors
    ///
    /// [`LedgerError::RefundNotFound`], [`LedgerError::RefundFinal`] when it is not ABNORMAL.
    pub fn resume_refund(&mut self, key: &RefundKey, settles_ms: i64) -> Result<&Refund, LedgerError> {
        let refund = find_refund(&mut self.refunds, key)?;
        if refund.state != RefundState::Abnormal {
            return Err(LedgerError::RefundFinal(key.number.clone()));
        }
        refund.state = RefundState::Processing;
        refund.outcome = RefundOutcome::Success;
        refund.settles_ms = settles_ms;
        self.deadlines.insert((settles_ms, Deadline::Settle(key.clone())));
        Ok(refund)
    }

    /// Ends a refund. Only SUCCESS moves money.
    ///
    /// # Errors
    ///
    /// [`LedgerError::RefundNotFound`], [`LedgerError::RefundFinal`] unless it is PROCESSING.
    pub fn settle_refund(
        &mut self,
        key: &RefundKey,
        outcome: RefundOutcome,
        now_ms: i64,
    ) -> Result<&Refund, LedgerError> {
        let refund = find_refund(&mut self.refunds, key)?;
        if refund.state != RefundState::Processing {
            return Err(LedgerError::RefundFinal(key.number.clone()));
        }
        refund.outcome = outcome;
        refund.state = match outcome {
            RefundOutcome::Success => RefundState::Success,
            RefundOutcome::Processing => RefundState::Processing,
            RefundOutcome::Abnormal => RefundState::Abnormal,
            RefundOutcome::Closed | RefundOutcome::NotEnough => RefundState::Closed,
        };
        if refund.state == RefundState::Success {
            refund.success_ms = Some(now_ms);
            let entry = Entry {
                seq: next_seq(&self.entries),
                at_ms: now_ms,
                channel: key.channel,
                merchant: refund.order.merchant.clone(),
                out_trade_no: refund.order.out_trade_no.clone(),
                refund_no: Some(key.number.clone()),
                kind: EntryKind::Refund,
                amount_fen: refund.amount_fen,
            };
            self.entries.push(entry);
        }
        Ok(refund)
    }
}

fn find_refund<'book>(
    refunds: &'book mut BTreeMap<RefundKey, Refund>,
    key: &RefundKey,
) -> Result<&'book mut Refund, LedgerError> {
    refunds
        .get_mut(key)
        .ok_or_else(|| LedgerError::RefundNotFound(key.number.clone()))
}
