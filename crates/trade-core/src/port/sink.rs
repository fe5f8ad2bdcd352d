//! Where events go.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::event::Event;

/// What it says about an event that it was not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SinkFault {
    /// The receiver is away, or nothing says that it has looked at this event: no fault of the event, which is
    /// offered for as long as it takes.
    Away,
    /// The receiver is there and did not take this event: it said no, had nowhere to put it, or said nothing.
    /// Offering it for ever would hide that; the relay gives up after a day, and shows it.
    Refused,
}

/// The event was not taken; the relay offers it again later.
#[derive(Debug, thiserror::Error)]
#[error("the event was not taken: {reason}")]
pub struct SinkError {
    /// Whose fault it is.
    pub fault: SinkFault,
    /// What happened, for the operator.
    pub reason: String,
    /// The cause, when there is one.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl SinkError {
    /// The receiver is away.
    pub fn away(reason: impl Into<String>) -> Self {
        Self::new(SinkFault::Away, reason)
    }

    /// The receiver did not take this event.
    pub fn refused(reason: impl Into<String>) -> Self {
        Self::new(SinkFault::Refused, reason)
    }

    /// An error without a cause.
    pub fn new(fault: SinkFault, reason: impl Into<String>) -> Self {
        Self {
            fault,
            reason: reason.into(),
            source: None,
        }
    }
}

/// Announces events to the order systems.
///
/// # Contract
/// `Ok` means that the receiver has taken responsibility (a broker's confirm). Delivery is at least
/// once: the same event, with the same id, may be published again after a crash or an error.
#[async_trait]
pub trait EventSink: Debug + Send + Sync + 'static {
    /// Publishes one event.
    ///
    /// # Errors
    /// Not confirmed: unreachable, refused, or not routed to anybody.
    async fn publish(&self, event: &Event) -> Result<(), SinkError>;
}
