//! Publishing.

use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use lapin::{Channel, Confirmation, options::BasicPublishOptions};
use trade_core::{
    Backoff, Event, RoutingKey,
    port::{Clock, EventSink, SinkError},
};

use crate::{DeadLetter, MqError, RabbitSettings, link::within, pool::Pool, settings::short, wire};

/// How often the connection is looked at while no events come.
const LOOK: Duration = Duration::from_secs(2);

/// Publishes events to RabbitMQ, each confirmed by the broker and routed to a queue; any number at once, each over a
/// channel of its own.
///
/// It connects on the first event, or when told; after a failure it connects again on the first event that comes
/// when the back-off is over, and until then refuses events at once. What it refuses stays in the outbox. A publish
/// takes no longer than the two time-outs of the settings together, whatever it waits for.
#[derive(Debug)]
pub struct RabbitSink {
    settings: RabbitSettings,
    clock: Arc<dyn Clock>,
    state: Mutex<State>,
    /// Held by the one that connects.
    connecting: tokio::sync::Mutex<()>,
}

#[derive(Debug)]
struct State {
    pool: Option<Arc<Pool>>,
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
                pool: None,
                backoff,
                rest: None,
            }),
            connecting: tokio::sync::Mutex::default(),
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

    /// Connects now, unless there is a connection.
    ///
    /// # Errors
    /// There is none, with the reason; [`MqError::is_access_refused`] tells what does not end by itself.
    pub async fn connect(&self) -> Result<(), MqError> {
        self.pool().await.map(drop)
    }

    /// Connects again whenever there is no connection, also while no events come. It never returns: drop it.
    pub async fn keep(&self) {
        let mut is_told = false;
        loop {
            match self.connect().await {
                Ok(()) => is_told = false,
                Err(MqError::Waiting { .. }) => {}
                Err(error) => {
                    if !std::mem::replace(&mut is_told, true) {
                        tracing::warn!(%error, "the broker is away: events wait");
                    }
                }
            }
            self.clock.sleep(LOOK).await;
        }
    }

    /// Why no event would be taken just now, as far as that is known; `None` when nothing speaks against it.
    #[must_use]
    pub fn away(&self) -> Option<String> {
        let state = self.state();
        match &state.pool {
            Some(pool) if pool.is_up() => pool.is_blocked().then(|| MqError::Blocked.to_string()),
            Some(_) => Some("the connection to the broker was lost".into()),
            None => {
                let reason = state.rest.as_ref().map(|rest| rest.reason.clone());
                Some(reason.unwrap_or_else(|| "there is no connection to the broker yet".into()))
            }
        }
    }

    /// Closes the connection, if there is one; the next event opens another.
    pub async fn close(&self) {
        let pool = self.state().pool.take();
        if let Some(pool) = pool
            && pool.close().await
        {
            tracing::info!("the connection to the broker was closed");
        }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn send(&self, event: &Event) -> Result<(), MqError> {
        let pool = self.pool().await?;
        if pool.is_blocked() {
            return Err(MqError::Blocked);
        }
        let after = self.settings.confirm_timeout;
        let offered = tokio::time::timeout(after, self.offer(&pool, event)).await;
        let error = match offered {
            Ok(Ok(())) => {
                self.state().backoff.worked();
                return Ok(());
            }
            Ok(Err(error)) => error,
            Err(_elapsed) => MqError::TimedOut {
                doing: "waited for a confirm",
                after,
            },
        };
        if error.is_of_the_message() {
            self.state().backoff.worked();
            return Err(error);
        }
        if pool.is_up() && pool.is_blocked() {
            // Another connection would be blocked as well, and this one hears when that is over.
            return Err(MqError::Blocked);
        }
        Err(self.gave_up(&pool, error))
    }

    /// The connection that is up, be it a new one.
    async fn pool(&self) -> Result<Arc<Pool>, MqError> {
        if let Some(pool) = self.up() {
            return Ok(pool);
        }
        let _alone = self.connecting.lock().await;
        // While this one waited, another may have connected, or have tried in vain.
        if let Some(pool) = self.up() {
            return Ok(pool);
        }
        self.may_connect()?;
        match Pool::open(&self.settings).await {
            Ok(pool) => {
                let pool = Arc::new(pool);
                let mut state = self.state();
                (state.pool, state.rest) = (Some(Arc::clone(&pool)), None);
                tracing::info!(broker = self.settings.broker(), "connected to the broker");
                Ok(pool)
            }
            Err(error) => {
                self.rest(&mut self.state(), &error);
                Err(error)
            }
        }
    }

    fn up(&self) -> Option<Arc<Pool>> {
        self.state().pool.clone().filter(|pool| pool.is_up())
    }

    fn may_connect(&self) -> Result<(), MqError> {
        let state = self.state();
        let Some(rest) = &state.rest else { return Ok(()) };
        let wait = rest.until.saturating_sub(self.clock.monotonic());
        if wait.is_zero() {
            return Ok(());
        }
        Err(MqError::Waiting {
            wait,
            reason: rest.reason.clone(),
        })
    }

    /// Gives a connection up, unless another publish over it has done so: what ends many at once is one failure.
    fn gave_up(&self, pool: &Arc<Pool>, error: MqError) -> MqError {
        let mut state = self.state();
        if state.pool.as_ref().is_some_and(|now| Arc::ptr_eq(now, pool)) {
            state.pool = None;
            self.rest(&mut state, &error);
        }
        error
    }

    fn rest(&self, state: &mut State, error: &MqError) {
        let wait = state.backoff.failed();
        state.rest = Some(Rest {
            until: self.clock.monotonic().saturating_add(wait),
            reason: error.to_string(),
        });
    }

    /// What is dropped half-way takes its channel with it, so that no later publish gets its answer.
    async fn offer(&self, pool: &Pool, event: &Event) -> Result<(), MqError> {
        let channel = pool.take(&self.settings).await?;
        let offered = self.offer_over(&channel, event).await;
        match &offered {
            Err(error) if !error.is_of_the_message() => {}
            Ok(()) | Err(_) => pool.put_back(channel),
        }
        offered
    }

    async fn offer_over(&self, channel: &Channel, event: &Event) -> Result<(), MqError> {
        let body = event.body()?;
        let key = event.routing_key.code();
        let exchange = short("exchange", &self.settings.exchange)?;
        let mandatory = BasicPublishOptions {
            mandatory: true,
            ..BasicPublishOptions::default()
        };
        let confirmed = async {
            channel
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
        let after = self.settings.publish_limit();
        let sent = tokio::time::timeout(after, self.send(event)).await;
        let sent = sent.unwrap_or_else(|_elapsed| {
            let doing = "waited for a connection to publish over";
            Err(MqError::TimedOut { doing, after })
        });
        sent.map_err(SinkError::from)
    }
}
