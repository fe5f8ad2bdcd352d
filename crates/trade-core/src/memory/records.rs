//! Calls, idempotency keys and counts in memory.

use async_trait::async_trait;

use super::store::{KeyRow, MemoryStore, Tables};
use crate::{
    Refund, RefundState, RefundStep, Step, Timestamp, Trading, TradingOrderNo, TradingState,
    port::{
        Begun, CallEntry, CallLog, CallStore, Census, Counts, IdempotencyKey, IdempotencyStore, StoreError,
        StoredAnswer,
    },
};

impl CallLog for MemoryStore {
    fn note(&self, call: CallEntry) {
        self.tables().calls.push(call);
    }
}

#[async_trait]
impl CallStore for MemoryStore {
    async fn append_calls(&self, calls: &[CallEntry]) -> Result<(), StoreError> {
        self.tables().calls.extend_from_slice(calls);
        Ok(())
    }

    async fn calls_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<CallEntry>, StoreError> {
        let tables = self.tables();
        let about = |call: &&CallEntry| call.trading_order_no == trading_order_no;
        let mut calls: Vec<_> = tables.calls.iter().filter(about).cloned().collect();
        calls.sort_by_key(|call| call.at);
        Ok(calls)
    }

    async fn prune_calls(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        tables.calls.sort_by_key(|call| call.at);
        let old = tables.calls.partition_point(|call| call.at < before);
        let goes = old.min(count(limit));
        tables.calls.drain(..goes);
        Ok(u64::try_from(goes).unwrap_or(u64::MAX))
    }
}

#[async_trait]
impl IdempotencyStore for MemoryStore {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        fingerprint: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Begun, StoreError> {
        let mut tables = self.tables();
        let Some(row) = tables.keys.get_mut(key) else {
            let row = KeyRow {
                fingerprint: fingerprint.to_owned(),
                created_at: now,
                lease_until,
                answer: None,
            };
            tables.keys.insert(key.clone(), row);
            return Ok(Begun::Yours);
        };
        if row.fingerprint != fingerprint {
            return Ok(Begun::Other);
        }
        if let Some(answer) = &row.answer {
            return Ok(Begun::Done(answer.clone()));
        }
        if row.lease_until > now {
            return Ok(Begun::InFlight(row.lease_until));
        }
        row.lease_until = lease_until;
        Ok(Begun::Yours)
    }

    async fn finish(&self, key: &IdempotencyKey, answer: &StoredAnswer) -> Result<(), StoreError> {
        if let Some(row) = self.tables().keys.get_mut(key) {
            row.answer.get_or_insert_with(|| answer.clone());
        }
        Ok(())
    }

    async fn release(&self, key: &IdempotencyKey, lease_until: Timestamp) -> Result<(), StoreError> {
        let mut tables = self.tables();
        let row = tables.keys.get_mut(key);
        if let Some(row) = row.filter(|row| row.lease_until == lease_until) {
            row.lease_until = Timestamp::from_ms(0);
        }
        Ok(())
    }

    async fn prune_keys(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let mut tables = self.tables();
        let old = tables.keys.iter().filter(|(_, row)| row.created_at < before);
        let mut old: Vec<_> = old.map(|(key, row)| (row.created_at, key.clone())).collect();
        old.sort_unstable();
        old.truncate(count(limit));
        for (_, key) in &old {
            tables.keys.remove(key);
        }
        Ok(u64::try_from(old.len()).unwrap_or(u64::MAX))
    }
}

fn count(limit: u32) -> usize {
    usize::try_from(limit).unwrap_or(usize::MAX)
}

#[async_trait]
impl Census for MemoryStore {
    async fn counts(&self) -> Result<Counts, StoreError> {
        Ok(self.tables().counts())
    }
}

impl Tables {
    fn counts(&self) -> Counts {
        let (mut counts, mut oldest_open, mut oldest_refund) = (Counts::default(), None, None);
        for trading in self.tradings.values() {
            count_trading(&mut counts, trading);
            if is_open(trading) {
                oldest_open = earlier(oldest_open, trading.updated_at);
            }
            if trading.state == TradingState::Paying(Step::Unknown) {
                counts.unknown_tradings += 1;
                counts.oldest_unknown_at = earlier(counts.oldest_unknown_at, trading.updated_at);
            }
        }
        let running = |refund: &&Refund| !refund.state.is_final();
        for refund in self.refunds.values().filter(running) {
            counts.running_refunds += 1;
            oldest_refund = earlier(oldest_refund, refund.created_at);
            if refund.state == RefundState::Sending(RefundStep::Unknown) {
                counts.unknown_refunds += 1;
                counts.oldest_unknown_refund_at = earlier(counts.oldest_unknown_refund_at, refund.updated_at);
            }
        }
        let stuck = self.refunds.values().filter(|refund| refund.stuck.is_some());
        counts.stuck_refunds = u64::try_from(stuck.count()).unwrap_or(u64::MAX);
        for row in self.outbox.values().filter(|row| row.due_at.is_some()) {
            counts.unsent_events += 1;
            counts.stuck_events += u64::from(row.is_stuck());
            if let Some(at) = row.event.message.occurred_at {
                counts.oldest_event_at = earlier(counts.oldest_event_at, at);
            }
        }
        Counts {
            oldest_open_at: oldest_open,
            oldest_refund_at: oldest_refund,
            ..counts
        }
    }
}

fn is_open(trading: &Trading) -> bool {
    matches!(
        trading.state,
        TradingState::Paying(Step::Intended | Step::Unknown | Step::Closing)
    )
}

fn count_trading(counts: &mut Counts, trading: &Trading) {
    counts.waiting_tradings += u64::from(trading.state == TradingState::Paying(Step::Placed));
    counts.open_tradings += u64::from(is_open(trading));
    counts.stuck_tradings += u64::from(trading.stuck.is_some());
}

fn earlier(oldest: Option<Timestamp>, at: Timestamp) -> Option<Timestamp> {
    Some(oldest.map_or(at, |oldest| oldest.min(at)))
}
