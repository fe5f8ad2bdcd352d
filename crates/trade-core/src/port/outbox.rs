//! The outbox: events between their commit and their announcement.

use std::fmt::Debug;

use async_trait::async_trait;

use super::{OrderKey, StoreError};
use crate::{Event, EventId, Timestamp};

/// An event that is not announced.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WaitingEvent {
    /// The event.
    pub event: Event,
    /// When it is offered next; `None` when it is stuck. One behind another of its order waits for that, too.
    pub next_at: Option<Timestamp>,
    /// Why it was not taken the last time, if it was offered.
    pub reason: Option<String>,
}

/// Keeps events until they are announced.
#[async_trait]
pub trait Outbox: Debug + Send + Sync + 'static {
    /// Claims events that wait to be announced and are due, those first that are due for longest; of one order only
    /// the oldest, so that no event overtakes another of its order. When more are due than are asked for, half of them
    /// are those that became due last: nobody's news waits behind a backlog of somebody else's. Nobody else gets them before `until`, when they are due
    /// again unless it was noted what became of them.
    ///
    /// # Errors
    /// The store failed; what was claimed comes again.
    async fn claim_events(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError>;

    /// Gives a claimed event back before its time, as if it had not been claimed.
    ///
    /// # Errors
    /// The store failed; the event is due again when its claim ends.
    async fn release_event(&self, event_id: EventId, now: Timestamp) -> Result<(), StoreError>;

    /// Notes that an event was announced.
    ///
    /// # Errors
    /// The store failed; the event may be announced again.
    async fn event_sent(&self, event_id: EventId, at: Timestamp) -> Result<(), StoreError>;

    /// Notes that an event was not taken, and when to offer it again. Of one that was sent or is stuck
    /// nothing is noted.
    ///
    /// # Errors
    /// The store failed.
    async fn event_failed(
        &self,
        event_id: EventId,
        retry_at: Timestamp,
        reason: &str,
    ) -> Result<(), StoreError>;

    /// Notes that a receiver that is there did not take an event at `at`, and when to offer it again: never,
    /// when it is given up. Then it is stuck, and the later events of its order wait behind it, until somebody
    /// has it sent again. Of one that was sent or is stuck nothing is noted.
    ///
    /// # Errors
    /// The store failed.
    async fn event_refused(
        &self,
        event_id: EventId,
        at: Timestamp,
        retry_at: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), StoreError>;

    /// Puts an event back as if it had never been offered, due at `now`, whatever became of it before: it waits,
    /// is stuck, or was sent. The later events of its order that were not sent wait behind it. `None` when there
    /// is no such event.
    ///
    /// # Errors
    /// The store failed.
    async fn resend_event(&self, event_id: EventId, now: Timestamp) -> Result<Option<Event>, StoreError>;

    /// Events that are not announced, in the order they were committed: all, or those that are stuck.
    ///
    /// # Errors
    /// The store failed.
    async fn waiting_events(&self, only_stuck: bool, limit: u32) -> Result<Vec<WaitingEvent>, StoreError>;

    /// Committed events after the [`Event::position`] `after`, in order, announced or not: what a reader
    /// that was away reads up.
    ///
    /// # Errors
    /// The store failed.
    async fn events_after(&self, after: i64, limit: u32) -> Result<Vec<Event>, StoreError>;

    /// The committed events of an order, in order, announced or not.
    ///
    /// # Errors
    /// The store failed.
    async fn events_of(&self, order: &OrderKey) -> Result<Vec<Event>, StoreError>;

    /// The position of the last committed event, 0 before the first.
    ///
    /// # Errors
    /// The store failed.
    async fn last_position(&self) -> Result<i64, StoreError>;
}
