//! What an order system writes: its side of a message.

use async_trait::async_trait;
use trade_core::TradeStatusMsg;

/// What a listener made of a message. Both are acknowledged; the difference shows in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Handled {
    /// It changed something, and the change is committed.
    Applied,
    /// It changed nothing: seen before, or of no interest.
    Skipped,
}

/// A listener could not handle a message.
#[derive(Debug, thiserror::Error)]
#[error("{reason}")]
pub struct ListenError {
    reason: String,
    again: bool,
    #[source]
    source: Option<Box<dyn std::error::Error + Send + Sync>>,
}

impl ListenError {
    /// Deliver it again after the delay: the database was away, or an earlier event is missing.
    #[must_use]
    pub fn retry(reason: impl Into<String>) -> Self {
        Self {
            reason: reason.into(),
            again: true,
            source: None,
        }
    }

    /// Do not deliver it again: it can never work, a person has to look at it.
    #[must_use]
    pub fn reject(reason: impl Into<String>) -> Self {
        Self {
            again: false,
            ..Self::retry(reason)
        }
    }

    /// With the error behind it.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Self {
        self.source = Some(source.into());
        self
    }

    /// Whether another delivery may help.
    #[must_use]
    pub const fn is_worth_a_retry(&self) -> bool {
        self.again
    }
}

/// Takes in messages, one at a time.
///
/// # Contract
/// Return `Ok` only once the effect is committed: the message is acknowledged then and does not come again.
/// The same message may come more than once (a crash before the ack, an event published twice), so deduplicate
/// by `event_id` and order by `seq`; [`judge`](crate::judge) shows how to do both in one transaction.
#[async_trait]
pub trait Listener: Send + Sync + 'static {
    /// Handles one message of an order system this consumer is for.
    ///
    /// # Errors
    /// [`ListenError::retry`] delivers it again later, as does a panic; [`ListenError::reject`] dead-letters it.
    async fn on_message(&self, message: &TradeStatusMsg) -> Result<Handled, ListenError>;
}
