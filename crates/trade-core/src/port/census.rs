//! What an operator counts.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;

/// How many rows are how, for dashboards and alarms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Counts {
    /// Live tradings that wait for their payer.
    pub waiting_tradings: u64,
    /// Live tradings whose outcome at the channel is open: intended, unknown or closing.
    pub open_tradings: u64,
    /// Since when the oldest of those is so.
    pub oldest_open_at: Option<Timestamp>,
    /// Those of them whose outcome at the channel is unknown.
    pub unknown_tradings: u64,
    /// Since when the oldest of those is so.
    pub oldest_unknown_at: Option<Timestamp>,
    /// Tradings that need a person.
    pub stuck_tradings: u64,
    /// Refunds that are neither done nor failed.
    pub running_refunds: u64,
    /// When the oldest of those was asked for.
    pub oldest_refund_at: Option<Timestamp>,
    /// Those of them whose outcome at the channel is unknown.
    pub unknown_refunds: u64,
    /// Since when the oldest of those is so.
    pub oldest_unknown_refund_at: Option<Timestamp>,
    /// Refunds that need a person.
    pub stuck_refunds: u64,
    /// Events not announced yet.
    pub unsent_events: u64,
    /// When the oldest of those happened.
    pub oldest_event_at: Option<Timestamp>,
    /// Those of them that need a person: a receiver did not take them for a day.
    pub stuck_events: u64,
}

/// Counts rows.
#[async_trait]
pub trait Census: Debug + Send + Sync + 'static {
    /// The counts at this moment.
    ///
    /// # Errors
    /// The store failed.
    async fn counts(&self) -> Result<Counts, StoreError>;
}
