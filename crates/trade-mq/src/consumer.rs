//! Consuming a queue.

mod count;
mod session;

use std::{collections::BTreeSet, fmt, sync::Arc, time::Duration};

use tokio::sync::watch;
use trade_core::{Backoff, ProductAppId, port::Clock};

use crate::{Listener, MqError, RabbitSettings, settings::short};
use count::Counts;

/// What to consume, and how patiently.
#[derive(Debug, Clone)]
pub struct ConsumerSettings {
    /// The broker. The exchange is not used: the queue exists already, see [`declare_queue`](crate::declare_queue).
    pub rabbit: RabbitSettings,
    /// The queue.
    pub queue: String,
    /// The order systems this consumer is for; messages of others are acknowledged and skipped.
    pub apps: BTreeSet<ProductAppId>,
    /// How many messages the broker hands out ahead of their acks. 1 keeps the order of the queue even over
    /// failures; with more, later messages go on while a failed one waits for its next delivery.
    pub prefetch: u16,
    /// After so many deliveries that failed, the message is dead-lettered. At least 1.
    pub max_deliveries: u32,
    /// How long a message waits after a failure until it is given back to the queue.
    pub retry_delay: Duration,
}

impl ConsumerSettings {
    /// The usual settings: one message at a time, 5 deliveries, 5 s between them.
    #[must_use]
    pub fn new(
        rabbit: RabbitSettings,
        queue: impl Into<String>,
        apps: impl IntoIterator<Item = ProductAppId>,
    ) -> Self {
        Self {
            rabbit,
            queue: queue.into(),
            apps: apps.into_iter().collect(),
            prefetch: 1,
            max_deliveries: 5,
            retry_delay: Duration::from_secs(5),
        }
    }

    fn check(&self) -> Result<(), MqError> {
        self.rabbit.check()?;
        short("queue", &self.queue)?;
        let rules = [
            (self.queue.is_empty(), "`queue` is empty"),
            (
                self.apps.is_empty(),
                "`apps` is empty, so every message would be skipped: name the order system, such as jzo2o.orders",
            ),
            (
                self.prefetch == 0,
                "`prefetch` 0 means without limit; 1 keeps the order of messages",
            ),
            (self.max_deliveries == 0, "`max_deliveries` must be at least 1"),
        ];
        match rules.into_iter().find(|(broken, _)| *broken) {
            Some((_, rule)) => Err(MqError::Settings(rule.to_owned())),
            None => Ok(()),
        }
    }
}

/// Hands the messages of a queue to a [`Listener`], and acknowledges what it handled.
///
/// - A message is acknowledged after the listener returned `Ok`, never before.
/// - After [`ListenError::retry`](crate::ListenError::retry) it goes back to the queue, `retry_delay` later, until
///   it was delivered `max_deliveries` times; then, like after [`ListenError::reject`](crate::ListenError::reject),
///   it is rejected. Deliveries are counted in this process (and by quorum queues): a restart begins anew.
/// - What cannot be read is rejected at once.
/// - A body with several messages is one delivery: when one of them fails, all of them come again.
///
/// What is rejected lands in the queue's dead-letter exchange. **A queue without one loses it**; declare
/// it with [`DeadLetter`](crate::DeadLetter) or set a policy. The log has an error for each.
pub struct Consumer {
    settings: ConsumerSettings,
    listener: Arc<dyn Listener>,
    clock: Arc<dyn Clock>,
}

impl Consumer {
    /// A consumer that has not connected yet.
    ///
    /// # Errors
    /// [`MqError::Settings`]: the settings cannot work.
    pub fn new(
        settings: ConsumerSettings,
        listener: Arc<dyn Listener>,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, MqError> {
        settings.check()?;
        Ok(Self {
            settings,
            listener,
            clock,
        })
    }

    /// Consumes until `stop` turns `true` or its sender is dropped; reconnects with back-off in between.
    ///
    /// The message in hand is finished and acknowledged before it returns; others go back to the queue.
    /// A listener that hangs keeps it from stopping.
    pub async fn run(&self, mut stop: watch::Receiver<bool>) {
        let rabbit = &self.settings.rabbit;
        let mut backoff = Backoff::new(rabbit.backoff_first, rabbit.backoff_longest);
        let mut counts = Counts::default();
        while let Err(error) = self.session(&mut stop, &mut backoff, &mut counts).await {
            let wait = backoff.failed();
            tracing::warn!(queue = self.settings.queue, ?wait, %error, "not consuming, trying again later");
            tokio::select! {
                () = stopped(&mut stop) => break,
                () = self.clock.sleep(wait) => {}
            }
        }
        tracing::info!(queue = self.settings.queue, "consumer stopped");
    }
}

impl fmt::Debug for Consumer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Consumer")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

/// Returns once the signal is given; a sender that is gone counts as one.
async fn stopped(stop: &mut watch::Receiver<bool>) {
    let _gone = stop.wait_for(|stop| *stop).await.is_err();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn settings_that_cannot_work_are_refused() {
        let good = || {
            let rabbit = RabbitSettings::new("amqp://127.0.0.1");
            ConsumerSettings::new(rabbit, "q", [ProductAppId::new("jzo2o.orders").unwrap()])
        };
        assert!(good().check().is_ok());
        let bad = |change: fn(&mut ConsumerSettings), word: &str| {
            let mut settings = good();
            change(&mut settings);
            let text = settings.check().unwrap_err().to_string();
            assert!(text.contains(word), "{text}");
        };
        bad(|it| it.rabbit.url.clear(), "url");
        bad(|it| it.queue.clear(), "queue");
        bad(|it| it.apps.clear(), "apps");
        bad(|it| it.prefetch = 0, "prefetch");
        bad(|it| it.max_deliveries = 0, "max_deliveries");
    }
}
