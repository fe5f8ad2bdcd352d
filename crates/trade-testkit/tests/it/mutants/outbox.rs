//! Events, wrongly.

use async_trait::async_trait;
use trade_core::{
    Event, EventId, Timestamp,
    port::{OrderKey, Outbox, StoreError, WaitingEvent},
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

    async fn event_refused(
        &self,
        event_id: EventId,
        at: Timestamp,
        retry_at: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), StoreError> {
        let retry_at = match retry_at {
            None if self.has(Fault::StuckIsOffered) => Some(at),
            Some(retry_at) if self.has(Fault::RefusalForgotten) => {
                return self.inner.event_failed(event_id, retry_at, reason).await;
            }
            retry_at => retry_at,
        };
        self.inner.event_refused(event_id, at, retry_at, reason).await
    }

    async fn resend_event(&self, event_id: EventId, now: Timestamp) -> Result<Option<Event>, StoreError> {
        if self.has(Fault::ResendForgotten) {
            let all = self.inner.events_after(0, u32::MAX).await?;
            return Ok(all.into_iter().find(|event| event.event_id == event_id));
        }
        self.inner.resend_event(event_id, now).await
    }

    async fn waiting_events(&self, only_stuck: bool, limit: u32) -> Result<Vec<WaitingEvent>, StoreError> {
        self.inner.waiting_events(only_stuck, limit).await
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
