//! The outbox in memory.

use std::collections::BTreeSet;

use async_trait::async_trait;

use super::{
    from_both_ends,
    store::{MemoryStore, OutboxRow, Tables, broken},
};
use crate::{
    Event, EventDraft, EventId, Timestamp,
    port::{OrderKey, Outbox, StoreError, WaitingEvent},
};

fn order_of(event: &Event) -> OrderKey {
    OrderKey {
        product_app_id: event.message.product_app_id.clone(),
        product_order_no: event.message.product_order_no,
    }
}

impl OutboxRow {
    fn put_off(&mut self, until: Timestamp, reason: &str) {
        self.due_at = Some(until);
        self.reason = Some(reason.to_owned());
        self.event.attempts = self.event.attempts.saturating_add(1);
    }
}

impl Tables {
    /// Whether an event is new; asked before anything of its transaction is written.
    pub(super) fn check_event(&self, draft: Option<&EventDraft>) -> Result<(), StoreError> {
        match draft {
            Some(draft)
                if self.outbox.contains_key(&draft.event_id)
                    || self.event_keys.contains(&draft.event_key) =>
            {
                Err(broken("commit an event", "its id or its key exists"))
            }
            Some(_) | None => Ok(()),
        }
    }

    /// The event, while it waits to be offered again by itself.
    fn waiting(&mut self, event_id: EventId) -> Option<&mut OutboxRow> {
        let row = self.outbox.get_mut(&event_id)?;
        (row.due_at.is_some() && !row.is_stuck()).then_some(row)
    }

    /// Adds a new event as the next of its order.
    pub(super) fn put_event(&mut self, draft: &EventDraft) {
        self.event_keys.insert(draft.event_key.clone());
        let mut event = Event {
            event_id: draft.event_id,
            routing_key: draft.routing_key,
            message: draft.message.clone(),
            position: i64::try_from(self.outbox.len())
                .unwrap_or(i64::MAX)
                .saturating_add(1),
            attempts: 0,
            refused_since: None,
        };
        let order = order_of(&event);
        let last = self.outbox.values().filter(|row| order_of(&row.event) == order);
        let seq = last.filter_map(|row| row.event.message.seq).max().unwrap_or(0) + 1;
        event.message.seq = Some(seq);
        let due_at = event.message.occurred_at.or(Some(Timestamp::from_ms(0)));
        let row = OutboxRow {
            event,
            due_at,
            reason: None,
        };
        self.outbox.insert(row.event.event_id, row);
    }
}

#[async_trait]
impl Outbox for MemoryStore {
    async fn claim_events(
        &self,
        now: Timestamp,
        until: Timestamp,
        limit: u32,
    ) -> Result<Vec<Event>, StoreError> {
        let mut tables = self.tables();
        let mut unsent: Vec<_> = tables
            .outbox
            .values_mut()
            .filter(|row| row.due_at.is_some())
            .collect();
        unsent.sort_by_key(|row| row.event.position);
        let mut orders = BTreeSet::new();
        let firsts = unsent
            .into_iter()
            .filter(|row| orders.insert(order_of(&row.event)));
        let mut due: Vec<_> = firsts
            .filter(|row| row.due_at.is_some_and(|at| at <= now))
            .collect();
        due.sort_by_key(|row| row.due_at);
        from_both_ends(&mut due, limit);
        Ok(due
            .into_iter()
            .map(|row| {
                row.due_at = Some(until);
                row.event.clone()
            })
            .collect())
    }

    async fn release_event(&self, event_id: EventId, now: Timestamp) -> Result<(), StoreError> {
        if let Some(row) = self.tables().waiting(event_id) {
            row.due_at = Some(now);
        }
        Ok(())
    }

    async fn event_sent(&self, event_id: EventId, _at: Timestamp) -> Result<(), StoreError> {
        if let Some(row) = self.tables().outbox.get_mut(&event_id) {
            row.due_at = None;
        }
        Ok(())
    }

    async fn event_failed(
        &self,
        event_id: EventId,
        retry_at: Timestamp,
        reason: &str,
    ) -> Result<(), StoreError> {
        if let Some(row) = self.tables().waiting(event_id) {
            row.put_off(retry_at, reason);
        }
        Ok(())
    }

    async fn event_refused(
        &self,
        event_id: EventId,
        at: Timestamp,
        retry_at: Option<Timestamp>,
        reason: &str,
    ) -> Result<(), StoreError> {
        if let Some(row) = self.tables().waiting(event_id) {
            row.put_off(retry_at.unwrap_or(OutboxRow::NEVER), reason);
            row.event.refused_since.get_or_insert(at);
        }
        Ok(())
    }

    async fn resend_event(&self, event_id: EventId, now: Timestamp) -> Result<Option<Event>, StoreError> {
        let mut tables = self.tables();
        let Some(row) = tables.outbox.get_mut(&event_id) else {
            return Ok(None);
        };
        row.due_at = Some(now);
        (row.event.attempts, row.event.refused_since, row.reason) = (0, None, None);
        Ok(Some(row.event.clone()))
    }

    async fn waiting_events(&self, only_stuck: bool, limit: u32) -> Result<Vec<WaitingEvent>, StoreError> {
        let tables = self.tables();
        let wanted = |row: &&OutboxRow| row.due_at.is_some() && (row.is_stuck() || !only_stuck);
        let mut waiting: Vec<_> = tables
            .outbox
            .values()
            .filter(wanted)
            .map(|row| WaitingEvent {
                event: row.event.clone(),
                next_at: row.due_at.filter(|_| !row.is_stuck()),
                reason: row.reason.clone(),
            })
            .collect();
        waiting.sort_by_key(|waiting| waiting.event.position);
        waiting.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(waiting)
    }

    async fn events_after(&self, after: i64, limit: u32) -> Result<Vec<Event>, StoreError> {
        let tables = self.tables();
        let later = tables.outbox.values().filter(|row| row.event.position > after);
        let mut events: Vec<_> = later.map(|row| row.event.clone()).collect();
        events.sort_by_key(|event| event.position);
        events.truncate(usize::try_from(limit).unwrap_or(usize::MAX));
        Ok(events)
    }

    async fn events_of(&self, order: &OrderKey) -> Result<Vec<Event>, StoreError> {
        let tables = self.tables();
        let of_order = tables
            .outbox
            .values()
            .filter(|row| order_of(&row.event) == *order);
        let mut events: Vec<_> = of_order.map(|row| row.event.clone()).collect();
        events.sort_by_key(|event| event.position);
        Ok(events)
    }

    async fn last_position(&self) -> Result<i64, StoreError> {
        Ok(self
            .tables()
            .outbox
            .values()
            .map(|row| row.event.position)
            .max()
            .unwrap_or(0))
    }
}
