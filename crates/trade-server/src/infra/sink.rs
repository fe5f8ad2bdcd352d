//! Events announced: to a broker when one is configured, and within the process, where streams wake up and
//! read them from the outbox.

use async_trait::async_trait;
use tokio::sync::watch;
use trade_core::{
    Event,
    port::{EventSink, SinkError},
};
use trade_mq::RabbitSink;

/// The embedded default, for when no broker is configured: an event counts as announced once the
/// streams were woken. It stays in the outbox, where a reader that was away reads it up.
#[derive(Debug)]
pub struct LocalSink {
    announced: watch::Sender<u64>,
}

impl LocalSink {
    /// A sink, and the signal that changes with every event.
    #[must_use]
    pub fn new() -> (Self, watch::Receiver<u64>) {
        let (announced, signal) = watch::channel(0);
        (Self { announced }, signal)
    }
}

/// Announces to a broker, and within the process what the broker has taken.
#[derive(Debug)]
pub struct BrokerSink {
    broker: RabbitSink,
    local: LocalSink,
}

impl BrokerSink {
    /// The sink of a server with a broker.
    #[must_use]
    pub fn new(broker: RabbitSink, local: LocalSink) -> Self {
        Self { broker, local }
    }
}

#[async_trait]
impl EventSink for BrokerSink {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        self.broker.publish(event).await?;
        self.local.publish(event).await
    }
}

#[async_trait]
impl EventSink for LocalSink {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        let message = &event.message;
        tracing::info!(
            event_id = event.event_id.get(),
            trading_order_no = message.trading_order_no.get(),
            status = message.status_name,
            "event announced"
        );
        self.announced.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }
}
