//! Which handler serves which merchant at which channel.

use std::{collections::HashMap, sync::Arc};

use super::PayHandler;
use crate::{Channel, EnterpriseId};

/// The handlers by merchant and channel. Cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Registry {
    handlers: Arc<HashMap<(EnterpriseId, Channel), Arc<dyn PayHandler>>>,
}

impl Registry {
    /// Registers each handler under the merchant and channel it names; the last of two wins.
    #[must_use]
    pub fn new(handlers: impl IntoIterator<Item = Arc<dyn PayHandler>>) -> Self {
        let keyed = handlers
            .into_iter()
            .map(|handler| ((handler.enterprise(), handler.channel()), handler));
        Self {
            handlers: Arc::new(keyed.collect()),
        }
    }

    /// The handler, if the merchant uses that channel.
    #[must_use]
    pub fn get(&self, enterprise: EnterpriseId, channel: Channel) -> Option<Arc<dyn PayHandler>> {
        self.handlers.get(&(enterprise, channel)).map(Arc::clone)
    }

    /// Whether the merchant is known at any channel.
    #[must_use]
    pub fn knows(&self, enterprise: EnterpriseId) -> bool {
        Channel::ALL
            .into_iter()
            .any(|channel| self.handlers.contains_key(&(enterprise, channel)))
    }

    /// The merchants and their channels, in order.
    #[must_use]
    pub fn entries(&self) -> Vec<(EnterpriseId, Channel)> {
        let mut keys: Vec<_> = self.handlers.keys().copied().collect();
        keys.sort_unstable();
        keys
    }
}
