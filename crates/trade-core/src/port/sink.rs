//! Where events go.

use std::fmt::Debug;

use async_trait::async_trait;

use crate::event::Event;

/// The event was not taken; the relay offers it again later.
#[derive(Debug, thiserror::Error)]
#[error("the event was not taken: {reason}")]
pub struct SinkError {
    /// What happened, for the operator.
    pub reason: String,
    /// The cause, when there is one.
    #[source]
    pub source: Option<Box<dyn std::error::Error + Send + Sync>>,
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
