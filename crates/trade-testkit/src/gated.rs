//! A store behind a gate: whatever is asked of it passes there, so that a test can make it wait, fail,
//! or end the process.

use std::{fmt::Debug, future::Future, sync::Arc};

use async_trait::async_trait;
use trade_core::{
    Event, EventId, JournalEntry, NewRefund, ProductAppId, ProductRefundNo, Refund, RefundChange,
    RefundEntry, RefundNo, Timestamp, Trading, TradingChange, TradingOrderNo,
    port::{
        Begun, CallEntry, CallStore, Census, Claim, Commit, Counts, Due, HighWater, IdempotencyKey,
        IdempotencyStore, Inserted, NoticeInbox, NoticeRecord, NoticeSeen, OrderKey, Outbox, Page, Pick,
        Recorded, RefundCommit, RefundFilter, RefundInserted, RefundStore, StoreError, StoredAnswer,
        TradeStore, TradingFilter, TradingStore, WaitingEvent,
    },
};

/// What is asked of a store.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Operation {
    /// Trait and method, as in `TradingStore::commit_trading`.
    pub name: &'static str,
    /// Whether it changes anything.
    pub writes: bool,
}

/// What stands between a store and whoever asks it.
pub trait Gate: Debug + Send + Sync + 'static {
    /// Lets an operation through, or does not. `call` is the operation itself; it starts when it is
    /// awaited.
    ///
    /// # Errors
    /// The operation failed, or the gate says so.
    fn pass<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> impl Future<Output = Result<T, StoreError>> + Send;
}

/// A store behind a gate.
#[derive(Debug)]
pub struct GatedStore<G> {
    inner: Arc<dyn TradeStore>,
    gate: G,
}

impl<G: Gate> GatedStore<G> {
    /// Puts a gate before a store.
    pub fn new(inner: Arc<dyn TradeStore>, gate: G) -> Self {
        Self { inner, gate }
    }

    async fn read<T: Send>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let operation = Operation { name, writes: false };
        self.gate.pass(operation, call).await
    }

    async fn write<T: Send>(
        &self,
        name: &'static str,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let operation = Operation { name, writes: true };
        self.gate.pass(operation, call).await
    }
}

#[async_trait]
impl<G: Gate> TradingStore for GatedStore<G> {
    async fn insert_trading(
        &self,
        trading: &Trading,
        journal: &JournalEntry,
    ) -> Result<Inserted, StoreError> {
        let insert = self.inner.insert_trading(trading, journal);
        self.write("TradingStore::insert_trading", insert).await
    }

    async fn trading(&self, trading_order_no: TradingOrderNo) -> Result<Option<Trading>, StoreError> {
        self.read("TradingStore::trading", self.inner.trading(trading_order_no))
            .await
    }

    async fn tradings_of(&self, order: &OrderKey) -> Result<Vec<Trading>, StoreError> {
        self.read("TradingStore::tradings_of", self.inner.tradings_of(order))
            .await
    }

    async fn list_tradings(&self, filter: &TradingFilter, page: Page) -> Result<Vec<Trading>, StoreError> {
        self.read(
            "TradingStore::list_tradings",
            self.inner.list_tradings(filter, page),
        )
        .await
    }

    async fn commit_trading(&self, change: &TradingChange) -> Result<Commit, StoreError> {
        let commit = self.inner.commit_trading(change);
        self.write("TradingStore::commit_trading", commit).await
    }

    async fn claim_trading(
        &self,
        trading_order_no: TradingOrderNo,
        claim: Claim,
    ) -> Result<bool, StoreError> {
        let claim = self.inner.claim_trading(trading_order_no, claim);
        self.write("TradingStore::claim_trading", claim).await
    }

    async fn due_tradings(&self, due: Due, pick: Pick) -> Result<Vec<Trading>, StoreError> {
        let rows = self.inner.due_tradings(due, pick);
        self.read("TradingStore::due_tradings", rows).await
    }

    async fn journal(&self, trading_order_no: TradingOrderNo) -> Result<Vec<JournalEntry>, StoreError> {
        self.read("TradingStore::journal", self.inner.journal(trading_order_no))
            .await
    }
}

#[async_trait]
impl<G: Gate> RefundStore for GatedStore<G> {
    async fn insert_refund(&self, refund: &NewRefund) -> Result<RefundInserted, StoreError> {
        let insert = self.inner.insert_refund(refund);
        self.write("RefundStore::insert_refund", insert).await
    }

    async fn refund(&self, refund_no: RefundNo) -> Result<Option<Refund>, StoreError> {
        self.read("RefundStore::refund", self.inner.refund(refund_no))
            .await
    }

    async fn refund_by_product_no(
        &self,
        app: &ProductAppId,
        number: &ProductRefundNo,
    ) -> Result<Option<Refund>, StoreError> {
        let refund = self.inner.refund_by_product_no(app, number);
        self.read("RefundStore::refund_by_product_no", refund).await
    }

    async fn refunds_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<Refund>, StoreError> {
        let refunds = self.inner.refunds_of(trading_order_no);
        self.read("RefundStore::refunds_of", refunds).await
    }

    async fn list_refunds(&self, filter: &RefundFilter, page: Page) -> Result<Vec<Refund>, StoreError> {
        self.read("RefundStore::list_refunds", self.inner.list_refunds(filter, page))
            .await
    }

    async fn commit_refund(&self, change: &RefundChange) -> Result<RefundCommit, StoreError> {
        let commit = self.inner.commit_refund(change);
        self.write("RefundStore::commit_refund", commit).await
    }

    async fn claim_refund(&self, refund_no: RefundNo, claim: Claim) -> Result<bool, StoreError> {
        let claim = self.inner.claim_refund(refund_no, claim);
        self.write("RefundStore::claim_refund", claim).await
    }

    async fn due_refunds(&self, pick: Pick) -> Result<Vec<Refund>, StoreError> {
        self.read("RefundStore::due_refunds", self.inner.due_refunds(pick))
            .await
    }

    async fn refund_journal(&self, refund_no: RefundNo) -> Result<Vec<RefundEntry>, StoreError> {
        let journal = self.inner.refund_journal(refund_no);
        self.read("RefundStore::refund_journal", journal).await
    }
}

#[async_trait]
impl<G: Gate> Outbox for GatedStore<G> {
    async fn claim_events(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let claim = self.inner.claim_events(now, until, limit);
        self.write("Outbox::claim_events", claim).await
    }

    async fn release_event(&self, event_id: EventId, now: Timestamp) -> Result<(), StoreError> {
        self.write("Outbox::release_event", self.inner.release_event(event_id, now))
            .await
    }

    async fn event_sent(&self, event_id: EventId, at: Timestamp) -> Result<(), StoreError> {
        self.write("Outbox::event_sent", self.inner.event_sent(event_id, at))
            .await
    }

    async fn event_failed(
        &self,
        event_id: EventId,
        retry_at: Timestamp,
        reason: &str,
    ) -> Result<(), StoreError> {
        let failed = self.inner.event_failed(event_id, retry_at, reason);
        self.write("Outbox::event_failed", failed).await
    }

    async fn event_refused(
        &self,
        event_id: EventId,
        at: Timestamp,
        retry_at: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let refused = self.inner.event_refused(event_id, at, retry_at, reason);
        self.write("Outbox::event_refused", refused).await
    }

    async fn resend_event(&self, event_id: EventId, now: Timestamp) -> Result<Option<Event>, StoreError> {
        self.write("Outbox::resend_event", self.inner.resend_event(event_id, now))
            .await
    }

    async fn waiting_events(&self, only_stuck: bool, limit: u32) -> Result<Vec<WaitingEvent>, StoreError> {
        let waiting = self.inner.waiting_events(only_stuck, limit);
        self.read("Outbox::waiting_events", waiting).await
    }

    async fn events_after(&self, after: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        self.read("Outbox::events_after", self.inner.events_after(after, limit))
            .await
    }

    async fn events_of(&self, order: &OrderKey) -> Result<Vec<Event>, StoreError> {
        self.read("Outbox::events_of", self.inner.events_of(order)).await
    }

    async fn last_position(&self) -> Result<i64, StoreError> {
        self.read("Outbox::last_position", self.inner.last_position())
            .await
    }
}

#[async_trait]
impl<G: Gate> NoticeInbox for GatedStore<G> {
    async fn record_notice(&self, notice: &NoticeRecord) -> Result<Recorded, StoreError> {
        self.write("NoticeInbox::record_notice", self.inner.record_notice(notice))
            .await
    }

    async fn notices_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<NoticeSeen>, StoreError> {
        self.read("NoticeInbox::notices_of", self.inner.notices_of(trading_order_no))
            .await
    }
}

#[async_trait]
impl<G: Gate> HighWater for GatedStore<G> {
    async fn load(&self, node: i64) -> Result<Option<Timestamp>, StoreError> {
        self.read("HighWater::load", self.inner.load(node)).await
    }

    async fn advance(&self, node: i64, seen: Option<Timestamp>, mark: Timestamp) -> Result<bool, StoreError> {
        self.write("HighWater::advance", self.inner.advance(node, seen, mark))
            .await
    }
}

#[async_trait]
impl<G: Gate> CallStore for GatedStore<G> {
    async fn append_calls(&self, calls: &[CallEntry]) -> Result<(), StoreError> {
        self.write("CallStore::append_calls", self.inner.append_calls(calls))
            .await
    }

    async fn calls_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<CallEntry>, StoreError> {
        self.read("CallStore::calls_of", self.inner.calls_of(trading_order_no))
            .await
    }

    async fn prune_calls(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write("CallStore::prune_calls", self.inner.prune_calls(before, limit))
            .await
    }
}

#[async_trait]
impl<G: Gate> IdempotencyStore for GatedStore<G> {
    async fn begin(
        &self,
        key: &IdempotencyKey,
        fingerprint: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Begun, StoreError> {
        self.write(
            "IdempotencyStore::begin",
            self.inner.begin(key, fingerprint, now, lease_until),
        )
        .await
    }

    async fn finish(&self, key: &IdempotencyKey, answer: &StoredAnswer) -> Result<(), StoreError> {
        self.write("IdempotencyStore::finish", self.inner.finish(key, answer))
            .await
    }

    async fn release(&self, key: &IdempotencyKey, lease_until: Timestamp) -> Result<(), StoreError> {
        self.write("IdempotencyStore::release", self.inner.release(key, lease_until))
            .await
    }

    async fn prune_keys(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.write(
            "IdempotencyStore::prune_keys",
            self.inner.prune_keys(before, limit),
        )
        .await
    }
}

#[async_trait]
impl<G: Gate> Census for GatedStore<G> {
    async fn counts(&self) -> Result<Counts, StoreError> {
        self.read("Census::counts", self.inner.counts()).await
    }
}
