//! The composition root: the only place that knows both what is needed and what provides it.

mod alipay;
mod broker;
mod redis;
mod stores;
mod wechat;

use std::{fmt::Debug, sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::watch;
use trade_core::{
    EnterpriseId, IdError, SystemClock, SystemRandom,
    handler::{Breaker, BreakerPolicy, PayHandler, Registry, Retry, RetryPolicy, Timeout, Trace},
    port::{Clock, EventSink, Random, StoreError, TradeStore},
    service::{Policy, Ports, TradeService},
};
use trade_mq::RabbitSink;
use trade_redis::LeasedIds;
use trade_store::SqlStore;
use trade_webhook::WebhookSink;

pub(crate) use self::broker::Broker;
use crate::{
    causes::one_line,
    config::{Merchant, Settings, Store},
    http::{Outside, Probe},
    infra::{CallRecorder, CallWriter, Fan, LocalSink, Measured},
    metrics::Metrics,
};

/// One call to a channel takes no longer.
const CALL_LIMIT: Duration = Duration::from_secs(8);
/// A request that forgot its lock loses it after this.
const LOCK_LEASE: Duration = Duration::from_secs(30);

/// Stands around the ports of a server: for programs that embed one and want to watch its ports, or to
/// make them fail. What a decorator does not care about it returns as it is.
pub trait Decorate: Debug + Send + Sync + 'static {
    /// Around the store, before anything uses it.
    fn store(&self, store: Arc<dyn TradeStore>) -> Arc<dyn TradeStore> {
        store
    }

    /// Around everything else the service works with; its rules of time may be others, too.
    fn service(&self, ports: Ports, policy: Policy) -> (Ports, Policy) {
        (ports, policy)
    }

    /// Around the sink of the events.
    fn sink(&self, sink: Arc<dyn EventSink>) -> Arc<dyn EventSink> {
        sink
    }
}

/// Adds nothing.
#[derive(Debug)]
struct Undecorated;

impl Decorate for Undecorated {}

/// Time and randomness, so that tests can hold them, and what stands around the ports.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Nonces.
    pub random: Arc<dyn Random>,
    /// What stands around the ports; by default nothing.
    pub decorate: Arc<dyn Decorate>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
            decorate: Arc::new(Undecorated),
        }
    }
}

/// Why the parts do not make a server.
#[derive(Debug, thiserror::Error)]
pub enum WireError {
    /// Merchants are configured wrongly; all faults are listed.
    #[error("the configuration is wrong:\n  {}", .0.join("\n  "))]
    Merchants(Vec<String>),
    /// The store cannot be opened or migrated.
    #[error("the store at {place} cannot be opened")]
    Store {
        /// The file, or the setting that names a server.
        place: String,
        /// The cause.
        #[source]
        source: StoreError,
    },
    /// The store lacks what this version needs, and the settings leave it to a person to add it.
    #[error(
        "the store at {place} is of an older version ({} missing): run `trade migrate`, or set `store.migrate = true`",
        .missing.join(", ")
    )]
    OldSchema {
        /// The file, or the setting that names a server.
        place: String,
        /// The migrations that are missing.
        missing: Vec<&'static str>,
    },
    /// The broker's settings cannot work.
    #[error("rabbitmq: events cannot be announced")]
    Broker(#[from] trade_mq::MqError),
    /// The broker does not let us in.
    #[error("rabbitmq.url: the broker does not let us in")]
    BrokerRefuses(#[source] trade_mq::MqError),
    /// Another setting cannot work.
    #[error("{0}")]
    Setting(String),
    /// The settings of a webhook cannot work.
    #[error("events cannot be sent: {0}")]
    Webhook(String),
    /// The settings of Redis cannot work.
    #[error("redis: what instances share cannot be shared")]
    Redis(#[from] trade_redis::RedisError),
    /// The number generator cannot start.
    #[error("no numbers can be made")]
    Numbers(#[from] IdError),
}

impl WireError {
    /// Names the store that failed.
    pub(crate) fn of_store(settings: &Store) -> impl Fn(StoreError) -> Self + Copy {
        |source| Self::Store {
            place: settings.place(),
            source,
        }
    }

    /// Names the store that lacks something.
    pub(crate) fn old_schema(settings: &Store, missing: Vec<&'static str>) -> Self {
        Self::OldSchema {
            place: settings.place(),
            missing,
        }
    }
}

/// A service and what stands around it.
pub(crate) struct Wired {
    /// For requests.
    pub(crate) service: TradeService,
    /// For notices.
    pub(crate) notices: TradeService,
    /// For jobs.
    pub(crate) jobs: TradeService,
    pub(crate) sink: Arc<dyn EventSink>,
    pub(crate) announced: watch::Receiver<u64>,
    pub(crate) calls: CallWriter,
    pub(crate) probe: Arc<dyn Probe>,
    pub(crate) outside: Outside,
    pub(crate) broker: Option<Broker>,
    pub(crate) leased: Option<Arc<LeasedIds>>,
}

pub(crate) async fn build(
    settings: &Settings,
    environment: Environment,
    metrics: &Metrics,
) -> Result<Wired, WireError> {
    let registry = registry(&settings.merchants, &environment, metrics)?;
    let stores = stores::open(&settings.store).await?;
    let opened = stores.shared.clone();
    metrics.watch_store("requests", stores.requests.clone());
    if settings.store.url.is_some() {
        metrics.watch_store("notices", stores.notices.clone());
        metrics.watch_store("jobs", stores.jobs.clone());
        metrics.watch_store("shared", opened.clone());
    }
    let stores = stores.map(|store| environment.decorate.store(Arc::new(store)));
    // Before a node is leased, which a start that ends here would keep from others for a while.
    let broker = Broker::start(settings, &environment.clock).await?;
    let common = redis::start(settings, &environment, stores.shared).await?;
    let (clock, decorate) = (environment.clock, environment.decorate);
    let (local, announced) = LocalSink::new();
    let outside = Outside {
        redis: common.health,
        broker: broker.as_ref().map(|broker| Arc::clone(&broker.sink)),
    };
    metrics.watch_outside(outside.clone());
    let sink = sink(settings, outside.broker.clone(), local, &clock)?;
    let (recorder, calls) = CallRecorder::start(stores.jobs.clone());
    metrics.watch_dropped_calls(calls.dropped());
    let ports = Ports {
        store: stores.requests,
        registry,
        clock,
        ids: common.ids,
        lock: common.lock,
        calls: Arc::new(recorder),
    };
    let policy = Policy {
        pay_within: settings.server.pay_within(),
        ..settings.jobs.policy()
    };
    let (ports, policy) = decorate.service(ports, policy);
    let service = TradeService::new(ports, policy).observed_by(Arc::new(metrics.clone()));
    Ok(Wired {
        notices: service.over(stores.notices),
        jobs: service.over(stores.jobs),
        service,
        sink: decorate.sink(sink),
        announced,
        calls,
        probe: Arc::new(Needs {
            store: opened,
            leased: common.leased.clone(),
        }),
        outside,
        broker,
        leased: common.leased,
    })
}

/// Events go to the broker and the receivers that are configured, and to the streams.
fn sink(
    settings: &Settings,
    broker: Option<Arc<RabbitSink>>,
    local: LocalSink,
    clock: &Arc<dyn Clock>,
) -> Result<Arc<dyn EventSink>, WireError> {
    let mut sinks: Vec<Arc<dyn EventSink>> = Vec::new();
    if let Some(broker) = broker {
        sinks.push(broker);
    }
    for (index, webhook) in settings.webhooks.iter().enumerate() {
        let failed = |why| WireError::Webhook(format!("webhook[{index}].{why}"));
        let webhook = webhook.settings().map_err(|wrong| failed(wrong.join(", ")))?;
        let webhook = WebhookSink::new(webhook, Arc::clone(clock));
        sinks.push(Arc::new(webhook.map_err(|error| failed(error.to_string()))?));
    }
    Ok(Arc::new(Fan::new(sinks, local)))
}

fn registry(
    merchants: &[Merchant],
    environment: &Environment,
    metrics: &Metrics,
) -> Result<Registry, WireError> {
    let mut handlers: Vec<Arc<dyn PayHandler>> = Vec::new();
    let mut wrong = Vec::new();
    for (index, merchant) in merchants.iter().enumerate() {
        let Ok(enterprise) = EnterpriseId::new(merchant.enterprise_id) else {
            wrong.push(format!(
                "merchant[{index}].enterprise_id: must be greater than zero"
            ));
            continue;
        };
        if let Some(account) = &merchant.wechat {
            match wechat::handler(enterprise, account, environment) {
                Ok(handler) => handlers.push(guard(handler, environment, metrics)),
                Err(why) => wrong.push(format!("merchant[{index}].wechat: {why}")),
            }
        }
        if let Some(account) = &merchant.alipay {
            match alipay::handler(enterprise, account, environment) {
                Ok(handler) => handlers.push(guard(handler, environment, metrics)),
                Err(why) => wrong.push(format!("merchant[{index}].alipay: {why}")),
            }
        }
    }
    if wrong.is_empty() {
        Ok(Registry::new(handlers))
    } else {
        Err(WireError::Merchants(wrong))
    }
}

/// Every handler is traced, retried, measured, guarded and timed in the same way.
fn guard(handler: Arc<dyn PayHandler>, environment: &Environment, metrics: &Metrics) -> Arc<dyn PayHandler> {
    let clock = &environment.clock;
    let timed = Arc::new(Timeout::new(handler, Arc::clone(clock), CALL_LIMIT));
    let guarded = Arc::new(Breaker::new(timed, Arc::clone(clock), BreakerPolicy::default()));
    metrics.watch_breaker(guarded.enterprise(), guarded.channel(), Arc::clone(&guarded));
    let measured = Arc::new(Measured::new(guarded, Arc::clone(clock), metrics.clone()));
    let retried = Arc::new(Retry::new(measured, Arc::clone(clock), RetryPolicy::default()));
    Arc::new(Trace::new(retried, Arc::clone(clock)))
}

/// Ready means that the store takes a write, and that there are numbers.
struct Needs {
    store: SqlStore,
    leased: Option<Arc<LeasedIds>>,
}

#[async_trait]
impl Probe for Needs {
    async fn ready(&self) -> Result<(), String> {
        self.store.ping().await.map_err(|error| {
            tracing::error!(error = one_line(&error), "the store is not ready");
            // The first cause names no host and no table.
            format!("the store takes no writes: {}", error.source)
        })?;
        match &self.leased {
            Some(ids) => ids.node().map(|_| ()).map_err(|error| error.to_string()),
            None => Ok(()),
        }
    }
}
