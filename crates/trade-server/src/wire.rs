//! The composition root: the only place that knows both what is needed and what provides it.

mod alipay;
mod wechat;

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use tokio::sync::watch;
use trade_core::{
    EnterpriseId, IdError, Snowflake, SystemClock, SystemRandom,
    handler::{Breaker, BreakerPolicy, PayHandler, Registry, Retry, RetryPolicy, Timeout, Trace},
    memory::MemoryLock,
    port::{Clock, EventSink, Random, StoreError},
    service::{Policy, Ports, TradeService},
};
use trade_store::SqlStore;

use crate::{
    config::{Merchant, Settings},
    http::Probe,
    infra::LocalSink,
};

/// One call to a channel takes no longer.
const CALL_LIMIT: Duration = Duration::from_secs(8);
/// A request that forgot its lock loses it after this.
const LOCK_LEASE: Duration = Duration::from_secs(30);

/// Time and randomness, so that tests can hold them.
#[derive(Debug, Clone)]
pub struct Environment {
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Nonces.
    pub random: Arc<dyn Random>,
}

impl Default for Environment {
    fn default() -> Self {
        Self {
            clock: Arc::new(SystemClock::new()),
            random: Arc::new(SystemRandom),
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
    #[error("the store at {path} cannot be opened: is the folder there and writable?")]
    Store {
        /// Where it should be.
        path: String,
        /// The cause.
        #[source]
        source: StoreError,
    },
    /// The number generator cannot start.
    #[error("no numbers can be made")]
    Numbers(#[from] IdError),
}

/// A service and what stands around it.
pub(crate) struct Wired {
    pub(crate) service: TradeService,
    pub(crate) sink: Arc<dyn EventSink>,
    pub(crate) announced: watch::Receiver<u64>,
    pub(crate) probe: Arc<dyn Probe>,
}

pub(crate) async fn build(settings: &Settings, environment: Environment) -> Result<Wired, WireError> {
    let registry = registry(&settings.merchants, &environment)?;
    let store = Arc::new(open(settings).await?);
    let clock = environment.clock;
    let ids = Snowflake::start(settings.server.node, Arc::clone(&clock), store.clone()).await?;
    let (sink, announced) = LocalSink::new();
    let ports = Ports {
        store: store.clone(),
        registry,
        clock: Arc::clone(&clock),
        ids: Arc::new(ids),
        lock: Arc::new(MemoryLock::new(clock, LOCK_LEASE)),
    };
    let policy = Policy {
        pay_within: settings.server.pay_within(),
        ..Policy::default()
    };
    let probe = Arc::new(StoreProbe(store));
    Ok(Wired {
        service: TradeService::new(ports, policy),
        sink: Arc::new(sink),
        announced,
        probe,
    })
}

async fn open(settings: &Settings) -> Result<SqlStore, WireError> {
    let path = &settings.store.path;
    let failed = |source| WireError::Store {
        path: path.display().to_string(),
        source,
    };
    let store = SqlStore::open(path).await.map_err(failed)?;
    store.migrate().await.map_err(failed)?;
    Ok(store)
}

fn registry(merchants: &[Merchant], environment: &Environment) -> Result<Registry, WireError> {
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
                Ok(handler) => handlers.push(guard(handler, environment)),
                Err(why) => wrong.push(format!("merchant[{index}].wechat: {why}")),
            }
        }
        if let Some(account) = &merchant.alipay {
            match alipay::handler(enterprise, account, environment) {
                Ok(handler) => handlers.push(guard(handler, environment)),
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

/// Every handler is traced, retried, guarded and timed in the same way.
fn guard(handler: Arc<dyn PayHandler>, environment: &Environment) -> Arc<dyn PayHandler> {
    let clock = &environment.clock;
    let timed = Arc::new(Timeout::new(handler, Arc::clone(clock), CALL_LIMIT));
    let guarded = Arc::new(Breaker::new(timed, Arc::clone(clock), BreakerPolicy::default()));
    let retried = Arc::new(Retry::new(guarded, Arc::clone(clock), RetryPolicy::default()));
    Arc::new(Trace::new(retried, Arc::clone(clock)))
}

/// Ready means that the store takes a write.
struct StoreProbe(Arc<SqlStore>);

#[async_trait]
impl Probe for StoreProbe {
    async fn ready(&self) -> Result<(), String> {
        self.0.ping().await.map_err(|error| {
            tracing::error!(%error, "the store is not ready");
            "the store takes no writes: see the log".to_owned()
        })
    }
}
