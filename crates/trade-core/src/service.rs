//! What a program calls: create, query, close, refund, and take in notices.
//!
//! [`TradeService`] holds the ports and no state of its own; any number of instances may work on one
//! store. Every method may be repeated, by anyone, at any time.

mod announce;
mod call;
mod close;
mod console;
mod create;
mod error;
mod look;
mod message;
mod notice;
mod operate;
mod place;
mod policy;
mod query;
mod record;
mod refund;
mod refund_look;
mod refund_record;
mod surplus;

use std::{fmt, sync::Arc};

pub use create::CreateTrading;
pub use error::{ErrorClass, TradeError};
pub use message::MessageCode;
pub use notice::{NotTaken, NoticeAnswer, NoticeOutcome};
pub use policy::Policy;
pub use refund::CreateRefund;

pub(crate) use look::{look_at, look_at_refund};

use crate::{
    Channel, EnterpriseId, Trading,
    handler::{PayHandler, Registry},
    port::{CallLog, Clock, IdSource, Lock, Observer, TradeStore},
};

/// What the service needs from outside.
#[derive(Debug, Clone)]
pub struct Ports {
    /// Where everything is kept.
    pub store: Arc<dyn TradeStore>,
    /// The channels, by merchant.
    pub registry: Registry,
    /// The time.
    pub clock: Arc<dyn Clock>,
    /// Numbers for tradings, refunds and events.
    pub ids: Arc<dyn IdSource>,
    /// Saves double work; nothing depends on it.
    pub lock: Arc<dyn Lock>,
    /// Takes note of the calls to the channels, for people.
    pub calls: Arc<dyn CallLog>,
}

/// The payment service. Cheap to clone.
#[derive(Clone)]
pub struct TradeService {
    ports: Arc<Ports>,
    policy: Policy,
    observer: Option<Arc<dyn Observer>>,
}

impl TradeService {
    /// A service over these ports.
    #[must_use]
    pub fn new(ports: Ports, policy: Policy) -> Self {
        Self {
            ports: Arc::new(ports),
            policy,
            observer: None,
        }
    }

    /// The same service, telling somebody what it commits.
    #[must_use]
    pub fn observed_by(self, observer: Arc<dyn Observer>) -> Self {
        Self {
            observer: Some(observer),
            ..self
        }
    }

    /// The same service over another handle of its store, such as one with connections of its own.
    #[must_use]
    pub fn over(&self, store: Arc<dyn TradeStore>) -> Self {
        let ports = Ports {
            store,
            ..Ports::clone(&self.ports)
        };
        Self {
            ports: Arc::new(ports),
            ..self.clone()
        }
    }

    /// The ports it works with.
    #[must_use]
    pub fn ports(&self) -> &Ports {
        &self.ports
    }

    /// The rules of time it works by.
    #[must_use]
    pub fn policy(&self) -> &Policy {
        &self.policy
    }

    fn handler(&self, enterprise: EnterpriseId, channel: Channel) -> Result<Arc<dyn PayHandler>, TradeError> {
        let missing = TradeError::NoConfiguration {
            enterprise_id: enterprise,
            channel,
        };
        self.ports.registry.get(enterprise, channel).ok_or(missing)
    }

    fn handler_of(&self, trading: &Trading) -> Result<Arc<dyn PayHandler>, TradeError> {
        self.handler(trading.enterprise_id, trading.channel)
    }
}

impl fmt::Debug for TradeService {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TradeService")
            .field("registry", &self.ports.registry.entries())
            .finish_non_exhaustive()
    }
}
