//! Events, wrongly.

use async_trait::async_trait;
use trade_core::{
    Event, EventId, Timestamp,
    port::{OrderKey, Outbox, StoreError},
};

use super::{Fault, Mutant};

#[async_trait]
impl Outbox for Mutant {
    async fn claim_events(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        if self.has(Fault::EventsOvertake) {
            return self.inner.events_after(0, limit).await;
        }
        let until = if self.has(Fault::ClaimForgotten) {
            now
        } else {
            until
        };
        self.inner.claim_events(now, until, limit).await
    }

    async fn release_event(&self, event_id: EventId, now: Timestamp) -> Result<(), StoreError> {
        if self.has(Fault::SentComesBack) {
            return self.inner.event_failed(event_id, now, "").await;
        }
        self.inner.release_event(event_id, now).await
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

    async fn events_of(&self, order: &OrderKey) -> Result<Vec<Event>, StoreError> {
        if self.has(Fault::EventsOfAllOrders) {
            return self.inner.events_after(0, u32::MAX).await;
        }
        self.inner.events_of(order).await
    }

    async fn last_position(&self) -> Result<i64, StoreError> {
        if self.has(Fault::PositionForgotten) {
            return Ok(0);
        }
        self.inner.last_position().await
    }
}
