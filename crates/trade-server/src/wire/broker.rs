//! The broker: connected to at the start, kept, and left in order.

use std::sync::Arc;

use tokio::task::JoinSet;
use trade_core::port::Clock;
use trade_mq::RabbitSink;

use super::WireError;
use crate::config::Settings;

/// A sink to the broker, and who keeps its connection.
pub(crate) struct Broker {
    pub(crate) sink: Arc<RabbitSink>,
    keeper: JoinSet<()>,
}

impl Broker {
    /// Connects once, when there is one. A broker that does not let us in ends the start, since nothing changes by
    /// itself; one that is away does not: payments go on without it, and events wait.
    pub(super) async fn start(
        settings: &Settings,
        clock: &Arc<dyn Clock>,
    ) -> Result<Option<Self>, WireError> {
        let Some(configured) = &settings.rabbitmq else {
            return Ok(None);
        };
        let settings = configured
            .settings()
            .map_err(|fault| WireError::Setting(format!("rabbitmq.{fault}")))?;
        let sink = Arc::new(RabbitSink::new(settings, Arc::clone(clock))?);
        match sink.connect().await {
            Ok(()) => {}
            Err(error) if error.is_access_refused() => return Err(WireError::BrokerRefuses(error)),
            Err(error) => tracing::warn!(
                %error,
                "rabbitmq.url: the broker is away; the server starts without it, events wait, and it is tried for"
            ),
        }
        let mut keeper = JoinSet::new();
        let kept = Arc::clone(&sink);
        keeper.spawn(async move { kept.keep().await });
        Ok(Some(Self { sink, keeper }))
    }

    /// Closes the connection, and asks for no other.
    pub(crate) async fn close(mut self) {
        self.keeper.shutdown().await;
        self.sink.close().await;
    }
}
