//! The lock and the numbers: shared through Redis when one is configured, else this process's own.

use std::sync::Arc;

use trade_core::{
    Snowflake,
    memory::MemoryLock,
    port::{HighWater, IdSource, Lock},
};
use trade_redis::{LeaseSettings, LeasedIds, Redis, RedisLock};

use super::{Environment, LOCK_LEASE, WireError};
use crate::{config::Settings, http::RedisHealth};

/// What the instances of a service share, or what stands for it.
pub(super) struct Common {
    pub(super) lock: Arc<dyn Lock>,
    pub(super) ids: Arc<dyn IdSource>,
    /// The same as `ids` when the node is leased.
    pub(super) leased: Option<Arc<LeasedIds>>,
    pub(super) health: Option<RedisHealth>,
}

/// Starts both.
///
/// A Redis that is away does not keep the server from starting when it has a node of its own: the lock only saves
/// work, and every write is fenced by the store. Without a node of its own it does, as there are no numbers then.
pub(super) async fn start(
    settings: &Settings,
    environment: &Environment,
    high_water: Arc<dyn HighWater>,
) -> Result<Common, WireError> {
    let (clock, random) = (Arc::clone(&environment.clock), Arc::clone(&environment.random));
    let Some(configured) = &settings.redis else {
        let node = settings.server.node.unwrap_or(0);
        return Ok(Common {
            lock: Arc::new(MemoryLock::new(Arc::clone(&clock), LOCK_LEASE)),
            ids: Arc::new(Snowflake::start(node, clock, high_water).await?),
            leased: None,
            health: None,
        });
    };
    let connection = configured
        .settings()
        .map_err(|fault| WireError::Setting(format!("redis.{fault}")))?;
    let redis = Redis::start(connection, Arc::clone(&clock)).await?;
    if let Some(why) = redis.away() {
        tracing::warn!(
            why,
            "redis.url: Redis is away; the server starts without it where it can, and it is tried for"
        );
    }
    let lock = RedisLock::new(redis.clone(), LOCK_LEASE, Arc::clone(&clock), Arc::clone(&random));
    let health = RedisHealth {
        redis: redis.clone(),
        lock_failures: lock.failures(),
    };
    let leases = LeaseSettings::default();
    let ids = LeasedIds::start(redis, leases, settings.server.node, (clock, random), high_water).await?;
    let ids = Arc::new(ids);
    Ok(Common {
        lock: Arc::new(lock),
        ids: ids.clone(),
        leased: Some(ids),
        health: Some(health),
    })
}
