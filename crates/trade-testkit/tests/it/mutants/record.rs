//! Notices, calls, idempotency keys, counts and marks, wrongly.

use async_trait::async_trait;
use trade_core::{
    Timestamp, TradingOrderNo,
    port::{
        Begun, CallEntry, CallStore, Census, Counts, HighWater, IdempotencyKey, IdempotencyStore,
        NoticeInbox, NoticeRecord, NoticeSeen, Recorded, StoreError, StoredAnswer,
    },
};

use super::{Fault, Mutant};

#[async_trait]
impl NoticeInbox for Mutant {
    async fn record_notice(&self, notice: &NoticeRecord) -> Result<Recorded, StoreError> {
        let recorded = self.inner.record_notice(notice).await?;
        Ok(if self.has(Fault::NoticeAlwaysNew) {
            Recorded::New
        } else {
            recorded
        })
    }

    async fn notices_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<NoticeSeen>, StoreError> {
        let mut notices = self.inner.notices_of(trading_order_no).await?;
        if self.has(Fault::NoticesForgotten) {
            notices.clear();
        }
        Ok(notices)
    }
}

#[async_trait]
impl CallStore for Mutant {
    async fn append_calls(&self, calls: &[CallEntry]) -> Result<(), StoreError> {
        self.inner.append_calls(calls).await
    }

    async fn calls_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<CallEntry>, StoreError> {
        let mut calls = self.inner.calls_of(trading_order_no).await?;
        if self.has(Fault::CallsUnordered) {
            calls.reverse();
        }
        Ok(calls)
    }

    async fn prune_calls(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        let all = self.has(Fault::PruneLimitIgnored);
        let limit = if all { u32::MAX } else { limit };
        self.inner.prune_calls(before, limit).await
    }
}

#[async_trait]
impl IdempotencyStore for Mutant {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        fingerprint: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Begun, StoreError> {
        let endless = self.has(Fault::LeaseNeverEnds);
        let lease_until = if endless {
            Timestamp::from_ms(i64::MAX)
        } else {
            lease_until
        };
        let begun = self.inner.begin(key, fingerprint, now, lease_until).await?;
        Ok(if self.has(Fault::KeyAlwaysYours) {
            Begun::Yours
        } else {
            begun
        })
    }

    async fn finish(&self, key: &IdempotencyKey, answer: &StoredAnswer) -> Result<(), StoreError> {
        if self.has(Fault::AnswerForgotten) {
            return Ok(());
        }
        self.inner.finish(key, answer).await
    }

    async fn release(&self, key: &IdempotencyKey, lease_until: Timestamp) -> Result<(), StoreError> {
        self.inner.release(key, lease_until).await
    }

    async fn prune_keys(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.inner.prune_keys(before, limit).await
    }
}

#[async_trait]
impl Census for Mutant {
    async fn counts(&self) -> Result<Counts, StoreError> {
        if self.has(Fault::CensusFrozen) {
            return Ok(Counts::default());
        }
        self.inner.counts().await
    }
}

#[async_trait]
impl HighWater for Mutant {
    async fn load(&self, node: i64) -> Result<Option<Timestamp>, StoreError> {
        self.inner.load(node).await
    }

    async fn advance(&self, node: i64, seen: Option<Timestamp>, mark: Timestamp) -> Result<bool, StoreError> {
        let moved = self.inner.advance(node, seen, mark).await?;
        Ok(moved || self.has(Fault::MarkAlwaysMoved))
    }
}
