//! Publishing.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use lapin::{Confirmation, options::BasicPublishOptions};
use tokio::sync::Mutex;
use trade_core::{
    Backoff, Event, RoutingKey,
    port::{Clock, EventSink, SinkError},
};

use crate::{
    DeadLetter, MqError, RabbitSettings,
    link::{Link, within},
    settings::short,
    wire,
};

/// Publishes events to RabbitMQ, one at a time, each confirmed by the broker and routed to a queue.
///
/// It connects on the first event, not before; after a failure it connects again on the first event that comes
/// when the back-off is over, and until then refuses events at once. What it refuses stays in the outbox.
#[derive(Debug)]
pub struct RabbitSink {
    settings: RabbitSettings,
    clock: Arc<dyn Clock>,
    /// Held over a whole publish: a returned message can then only belong to the confirm being waited for.
    state: Mutex<State>,
}

#[derive(Debug)]
struct State {
    link: Option<Link>,
    backoff: Backoff,
    rest: Option<Rest>,
}

/// No attempt before `until`, on the monotonic clock.
#[derive(Debug)]
struct Rest {
    until: Duration,
    reason: String,
}

impl RabbitSink {
    /// A sink that has not connected yet.
    ///
    /// # Errors
    /// [`MqError::Settings`]: the settings cannot work.
    pub fn new(settings: RabbitSettings, clock: Arc<dyn Clock>) -> Result<Self, MqError> {
        settings.check()?;
        let backoff = Backoff::new(settings.backoff_first, settings.backoff_longest);
        Ok(Self {
            settings,
            clock,
            state: Mutex::new(State {
                link: None,
                backoff,
                rest: None,
            }),
        })
    }

    /// Declares a durable queue bound to the sink's exchange; see [`declare_queue`](crate::declare_queue).
    ///
    /// # Errors
    /// No connection, no permission, or something of that name exists with other arguments.
    pub async fn declare_queue(
        &self,
        queue: &str,
        keys: &[RoutingKey],
        dead_letter: Option<&DeadLetter>,
    ) -> Result<(), MqError> {
        crate::declare_queue(&self.settings, queue, keys, dead_letter).await
    }

    /// Closes the connection, if there is one; the next event opens another.
    pub async fn close(&self) {
        let link = self.state.lock().await.link.take();
        if let Some(link) = link {
            link.close().await;
        }
    }

    async fn send(&self, event: &Event) -> Result<(), MqError> {
        let mut state = self.state.lock().await;
        // Taken out, so that a publish that is dropped half-way takes its connection with it.
        let link = match state.link.take().filter(Link::is_up) {
            Some(link) => Ok(link),
            None => self.connect(&mut state).await,
        };
        let link = match link {
            Err(error @ MqError::Waiting { .. }) => return Err(error),
            Err(error) => return Err(self.rest_after(&mut state, error)),
            Ok(link) => link,
        };
        match self.offer(&link, event).await {
            Ok(()) => {
                state.backoff.worked();
                state.link = Some(link);
                Ok(())
            }
            Err(error) if error.is_of_the_message() => {
                state.backoff.worked();
                state.link = Some(link);
                Err(error)
            }
            Err(error) => Err(self.rest_after(&mut state, error)),
        }
    }

    async fn connect(&self, state: &mut State) -> Result<Link, MqError> {
        if let Some(rest) = &state.rest {
            let wait = rest.until.saturating_sub(self.clock.monotonic());
            if !wait.is_zero() {
                return Err(MqError::Waiting {
                    wait,
                    reason: rest.reason.clone(),
                });
            }
        }
        let link = Link::open(&self.settings).await?;
        link.prepare_to_publish(&self.settings).await?;
        state.rest = None;
        tracing::info!(broker = self.settings.broker(), "connected to the broker");
        Ok(link)
    }

    fn rest_after(&self, state: &mut State, error: MqError) -> MqError {
        let wait = state.backoff.failed();
        state.rest = Some(Rest {
            until: self.clock.monotonic().saturating_add(wait),
            reason: error.to_string(),
        });
        error
    }

    async fn offer(&self, link: &Link, event: &Event) -> Result<(), MqError> {
        let body = event.body()?;
        let key = event.routing_key.code();
        let exchange = short("exchange", &self.settings.exchange)?;
        let mandatory = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let confirmed = async {
            link.channel
                .basic_publish(
                    exchange,
                    key.into(),
                    mandatory,
                    body.as_bytes(),
                    wire::properties(event),
                )
                .await?
                .await
        };
        match within(self.settings.confirm_timeout, "waited for a confirm", confirmed).await? {
            Confirmation::Ack(None) => Ok(()),
            Confirmation::Ack(Some(returned)) | Confirmation::Nack(Some(returned)) => {
                Err(MqError::Unroutable {
                    exchange: self.settings.exchange.clone(),
                    key,
                    reply: format!("{} {}", returned.reply_code, returned.reply_text),
                })
            }
            Confirmation::Nack(None) => Err(MqError::Nack),
            Confirmation::NotRequested => Err(MqError::Unconfirmed),
        }
    }
}

#[async_trait]
impl EventSink for RabbitSink {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        self.send(event).await.map_err(SinkError::from)
    }
}
