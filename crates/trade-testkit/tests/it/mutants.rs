//! Stores that break one promise each: the suite must find every one of them out.

use std::sync::Arc;

use async_trait::async_trait;
use trade_core::{
    Channel, EnterpriseId, Event, EventId, JournalEntry, Refund, RefundChange, RefundNo, Timestamp, Trading,
    TradingChange, TradingOrderNo,
    memory::MemoryStore,
    port::{
        Claim, Commit, Due, HighWater, Inserted, NoticeInbox, OrderKey, Outbox, Page, Recorded, RefundCommit,
        RefundInserted, RefundStore, StoreError, TradingFilter, TradingStore,
    },
};
use trade_testkit::contract::store::{self, Store};

/// What a mutant does wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    ForgetsAField,
    SecondLiveTradingAccepted,
    StaleCommitAccepted,
    WinnerOverwritten,
    ClaimAlwaysWon,
    DueKindsMixed,
    LimitIgnored,
    JournalBackwards,
    RefundNotCovered,
    RefundNumberReused,
    EventsOvertake,
    SentComesBack,
    NoticeAlwaysNew,
    MarkFalls,
    PositionForgotten,
}

const FAULTS: [Fault; 15] = [
    Fault::ForgetsAField,
    Fault::SecondLiveTradingAccepted,
    Fault::StaleCommitAccepted,
    Fault::WinnerOverwritten,
    Fault::ClaimAlwaysWon,
    Fault::DueKindsMixed,
    Fault::LimitIgnored,
    Fault::JournalBackwards,
    Fault::RefundNotCovered,
    Fault::RefundNumberReused,
    Fault::EventsOvertake,
    Fault::SentComesBack,
    Fault::NoticeAlwaysNew,
    Fault::MarkFalls,
    Fault::PositionForgotten,
];

#[derive(Debug)]
struct Mutant {
    fault: Fault,
    inner: MemoryStore,
}

impl Mutant {
    fn has(&self, fault: Fault) -> bool {
        self.fault == fault
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_suite_finds_every_mutant_out() {
    for fault in FAULTS {
        let mut found = Vec::new();
        for promise in store::promises() {
            let inner = MemoryStore::default();
            let mutant: Store = Arc::new(Mutant { fault, inner });
            if promise.check(mutant).await.is_err() {
                found.push(promise.name());
            }
        }
        assert!(!found.is_empty(), "{fault:?} passes the whole suite");
        assert!(
            found.len() < store::promises().len(),
            "{fault:?} breaks everything"
        );
    }
}

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
        match self.inner.commit_trading(change).await? {
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

    async fn due_tradings(&self, due: Due, now: Timestamp, limit: u32) -> Result<Vec<Trading>, StoreError> {
        let mut rows = self.inner.due_tradings(due, now, limit).await?;
        if self.has(Fault::DueKindsMixed) && due == Due::Sync {
            rows.extend(self.inner.due_tradings(Due::Expired, now, limit).await?);
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

#[async_trait]
impl RefundStore for Mutant {
    async fn insert_refund(&self, refund: &Refund) -> Result<RefundInserted, StoreError> {
        match self.inner.insert_refund(refund).await? {
            RefundInserted::NotCovered if self.has(Fault::RefundNotCovered) => Ok(RefundInserted::Done),
            RefundInserted::Exists(_) if self.has(Fault::RefundNumberReused) => Ok(RefundInserted::Done),
            answer => Ok(answer),
        }
    }

    async fn refund(&self, refund_no: RefundNo) -> Result<Option<Refund>, StoreError> {
        self.inner.refund(refund_no).await
    }

    async fn refunds_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<Refund>, StoreError> {
        self.inner.refunds_of(trading_order_no).await
    }

    async fn commit_refund(&self, change: &RefundChange) -> Result<RefundCommit, StoreError> {
        self.inner.commit_refund(change).await
    }

    async fn claim_refund(&self, refund_no: RefundNo, claim: Claim) -> Result<bool, StoreError> {
        self.inner.claim_refund(refund_no, claim).await
    }

    async fn due_refunds(&self, now: Timestamp, limit: u32) -> Result<Vec<Refund>, StoreError> {
        self.inner.due_refunds(now, limit).await
    }
}

#[async_trait]
impl Outbox for Mutant {
    async fn due_events(&self, now: Timestamp, limit: u32) -> Result<Vec<Event>, StoreError> {
        if self.has(Fault::EventsOvertake) {
            return self.inner.events_after(0, limit).await;
        }
        self.inner.due_events(now, limit).await
    }

    async fn event_sent(&self, event_id: EventId, at: Timestamp) -> Result<(), StoreError> {
        if self.has(Fault::SentComesBack) {
            return self.inner.event_failed(event_id, at, "").await;
        }
        self.inner.event_sent(event_id, at).await
    }

    async fn event_failed(
        &self,
        event_id: EventId,
        retry_at: Timestamp,
        reason: &str,
    ) -> Result<(), StoreError> {
        self.inner.event_failed(event_id, retry_at, reason).await
    }

    async fn events_after(&self, after: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.inner.events_after(after, limit).await
    }

    async fn last_position(&self) -> Result<i64, StoreError> {
        if self.has(Fault::PositionForgotten) {
            return Ok(0);
        }
        self.inner.last_position().await
    }
}

#[async_trait]
impl NoticeInbox for Mutant {
    async fn record_notice(
        &self,
        channel: Channel,
        enterprise_id: EnterpriseId,
        notice_id: &str,
        verdict: &str,
        at: Timestamp,
    ) -> Result<Recorded, StoreError> {
        let recorded = self
            .inner
            .record_notice(channel, enterprise_id, notice_id, verdict, at)
            .await?;
        Ok(if self.has(Fault::NoticeAlwaysNew) {
            Recorded::New
        } else {
            recorded
        })
    }
}

#[async_trait]
impl HighWater for Mutant {
    async fn load(&self, node: i64) -> Result<Option<Timestamp>, StoreError> {
        let mark = self.inner.load(node).await?;
        // A store that would accept lower marks shows the last one; here every mark seems one lower.
        Ok(mark.map(|mark| {
            if self.has(Fault::MarkFalls) {
                Timestamp::from_ms(mark.ms() - 1)
            } else {
                mark
            }
        }))
    }

    async fn store(&self, node: i64, mark: Timestamp) -> Result<(), StoreError> {
        self.inner.store(node, mark).await
    }
}
