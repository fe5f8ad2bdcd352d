//! Numbers made under a leased node.

use std::{
    fmt,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use tokio::task::JoinSet;
use trade_core::{
    IdError, Snowflake,
    port::{Clock, HighWater, IdSource, Random},
};

use crate::{
    LeaseSettings, Redis,
    lease::{Lease, LeaseError, Leases},
};

/// The longest wait between two looks at a lease.
const LOOK: Duration = Duration::from_secs(1);

/// A [`Snowflake`] whose node is leased, so that no two instances make numbers under one.
///
/// A task in the background renews the lease, and leases another node when it is lost. A number is given out only
/// if the lease still lasted, by the owner's own reckoning, *after* the number was made. Whoever gets the node next
/// reads the node's high-water mark later than that, and begins above it.
///
/// Without a lease, numbers are made under the spare node when there is one: a fixed node that no other instance
/// uses. Without either there are none.
///
/// What no lease can know of: a Redis that forgets keys while it runs (`FLUSHALL`, a failover to a replica that was
/// behind). Two instances may then have one node until the next renewal, and take turns under it, as a [`Snowflake`]
/// does: no number comes twice.
pub struct LeasedIds {
    shared: Arc<Shared>,
    keeper: tokio::sync::Mutex<JoinSet<()>>,
}

struct Shared {
    leases: Leases,
    clock: Arc<dyn Clock>,
    high_water: Arc<dyn HighWater>,
    spare: Option<Snowflake>,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    held: Option<Arc<Held>>,
    renew_at: Duration,
    /// Why there is no lease, as last told.
    why: Option<String>,
}

/// A leased node and what makes numbers under it.
#[derive(Debug)]
struct Held {
    lease: Lease,
    ids: Snowflake,
}

impl LeasedIds {
    /// Leases a node, and starts to keep it.
    ///
    /// With a spare node it starts without a lease if need be. Without one it waits for a Redis that was started
    /// a moment ago, at most for one lease.
    ///
    /// # Errors
    /// A spare node that is leased out to others, or whose numbers cannot be made; without a spare node: nothing was
    /// leased, with the reason.
    pub async fn start(
        redis: Redis,
        settings: LeaseSettings,
        spare: Option<i64>,
        (clock, random): (Arc<dyn Clock>, Arc<dyn Random>),
        high_water: Arc<dyn HighWater>,
    ) -> Result<Self, IdError> {
        if let Some(node) = spare.filter(|node| settings.nodes.contains(node)) {
            return Err(IdError::NoNode(format!(
                "node {node} is one of those that are leased, {} to {}: take another for this instance",
                settings.nodes.start(),
                settings.nodes.end()
            )));
        }
        let spare = match spare {
            Some(node) => Some(Snowflake::start(node, Arc::clone(&clock), Arc::clone(&high_water)).await?),
            None => None,
        };
        let leases = Leases::new(redis, settings, Arc::clone(&clock), random);
        let shared = Arc::new(Shared {
            leases,
            clock,
            high_water,
            spare,
            state: Mutex::default(),
        });
        shared.begin().await?;
        let mut keeper = JoinSet::new();
        keeper.spawn(Arc::clone(&shared).keep());
        Ok(Self {
            shared,
            keeper: tokio::sync::Mutex::new(keeper),
        })
    }

    /// Gives the leased node back and leases no other, for a program that ends: the next to start has the node at
    /// once. To be called when every number that was made is stored or given up: whoever has the node next begins
    /// above the stored ones.
    pub async fn give_back(&self) {
        // First, so that it leases nothing meanwhile.
        self.keeper.lock().await.shutdown().await;
        let held = self.shared.state().held.take();
        let Some(held) = held else { return };
        let node = held.lease.node;
        match self.shared.leases.give_back(&held.lease).await {
            Ok(()) => tracing::info!(node, "the leased node was given back"),
            Err(error) => tracing::info!(node, %error, "the leased node is free once its lease ends"),
        }
    }

    /// The node that numbers are made under now, if there is one.
    ///
    /// # Errors
    /// [`IdError::NoNode`]: neither a lease nor a spare node, with the reason.
    pub fn node(&self) -> Result<i64, IdError> {
        match (self.shared.lasting(), &self.shared.spare) {
            (Some(held), _) => Ok(held.lease.node),
            (None, Some(spare)) => Ok(spare.node()),
            (None, None) => Err(self.shared.no_node()),
        }
    }
}

#[async_trait]
impl IdSource for LeasedIds {
    async fn next(&self) -> Result<i64, IdError> {
        if let Some(held) = self.shared.lasting() {
            let number = held.ids.next().await?;
            // A pause of any length may lie between the two looks.
            if self.shared.leases.lasts(&held.lease) {
                return Ok(number);
            }
        }
        match &self.shared.spare {
            Some(spare) => spare.next().await,
            None => Err(self.shared.no_node()),
        }
    }
}

impl Shared {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What is held, if its lease still lasts.
    fn lasting(&self) -> Option<Arc<Held>> {
        let held = self.state().held.clone();
        held.filter(|held| self.leases.lasts(&held.lease))
    }

    fn no_node(&self) -> IdError {
        let why = self.state().why.clone();
        IdError::NoNode(why.unwrap_or_else(|| "the lease ended, another is being asked for".into()))
    }

    async fn begin(&self) -> Result<(), IdError> {
        loop {
            match self.take().await {
                Ok(()) => return Ok(()),
                Err(error) if self.spare.is_some() => {
                    self.tell(&error.to_string());
                    return Ok(());
                }
                Err(LeaseError::TooYoung { uptime, wait }) => {
                    self.tell(&LeaseError::TooYoung { uptime, wait }.to_string());
                    self.clock.sleep(wait.min(LOOK)).await;
                }
                Err(LeaseError::Start { source, .. }) => return Err(source),
                Err(error) => return Err(IdError::NoNode(error.to_string())),
            }
        }
    }

    async fn keep(self: Arc<Self>) {
        let look = LOOK.min(self.leases.renew_every());
        loop {
            self.clock.sleep(look).await;
            if let Err(error) = self.tend().await {
                self.tell(&error.to_string());
            }
        }
    }

    /// Renews what is held when it is time, or leases a node when nothing is.
    async fn tend(&self) -> Result<(), LeaseError> {
        let (held, renew_at) = {
            let state = self.state();
            (state.held.clone(), state.renew_at)
        };
        let Some(held) = held else {
            return self.take().await;
        };
        let now = self.clock.monotonic();
        if now < renew_at && self.leases.lasts(&held.lease) {
            return Ok(());
        }
        if self.leases.renew(&held.lease).await? {
            let mut state = self.state();
            state.renew_at = now.saturating_add(self.leases.renew_every());
            state.why = None;
            return Ok(());
        }
        self.state().held = None;
        tracing::warn!(node = held.lease.node, "the lease of the node was lost");
        self.take().await
    }

    async fn take(&self) -> Result<(), LeaseError> {
        let now = self.clock.monotonic();
        let lease = self.leases.acquire().await?;
        let node = lease.node;
        // Only now: the mark is read after the last number of whoever had the node before.
        let ids = Snowflake::start(node, Arc::clone(&self.clock), Arc::clone(&self.high_water))
            .await
            .map_err(|source| LeaseError::Start { node, source })?;
        tracing::info!(node, "numbers are made under a leased node");
        *self.state() = State {
            held: Some(Arc::new(Held { lease, ids })),
            renew_at: now.saturating_add(self.leases.renew_every()),
            why: None,
        };
        Ok(())
    }

    /// Says what is wrong, once as long as it stays the same kind of thing.
    fn tell(&self, why: &str) {
        if self.state().why.replace(why.to_owned()).is_none() {
            let spare = self.spare.as_ref().map(Snowflake::node);
            tracing::warn!(
                why,
                spare,
                "no node could be leased, or a lease not renewed: once it ends, numbers are made under the spare node if there is one"
            );
        }
    }
}

impl fmt::Debug for LeasedIds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("LeasedIds")
            .field("node", &self.node().ok())
            .finish_non_exhaustive()
    }
}
