//! Leases on node numbers.

use std::{
    ops::RangeInclusive,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use redis::Value;
use trade_core::{
    IdError, Timestamp,
    port::{Clock, Random},
};

use crate::{
    Redis, RedisError,
    lock::{RELEASE, whole_ms},
};

/// Prolongs the lease of its owner. A key that is gone is written again only while the owner's own reckoning says
/// that its lease lasts (`ARGV[3]`): nobody else can have begun to work under the node then.
const RENEW: &str = "local owner = redis.call('GET', KEYS[1]) \
     if owner == ARGV[1] then return redis.call('PEXPIRE', KEYS[1], ARGV[2]) end \
     if not owner and ARGV[3] == '1' then redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2]) return 1 end \
     return 0";

/// Which nodes are leased, and for how long.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseSettings {
    /// The nodes, within 0 to 1023. No instance may use one of them without a lease.
    pub nodes: RangeInclusive<i64>,
    /// How long a lease lasts unless it is renewed. The owner counts on five sixths of it, and renews it after one.
    pub lease: Duration,
}

impl LeaseSettings {
    /// The upper half of the nodes: the lower half is for instances with a fixed one.
    pub const NODES: RangeInclusive<i64> = 512..=1023;
}

impl Default for LeaseSettings {
    /// The upper half of the nodes, leased for a minute.
    fn default() -> Self {
        Self {
            nodes: Self::NODES,
            lease: Duration::from_secs(60),
        }
    }
}

/// Why no node was leased.
#[derive(Debug, thiserror::Error)]
pub(crate) enum LeaseError {
    #[error(transparent)]
    Redis(#[from] RedisError),
    #[error(
        "Redis has run for {} s only, so instances may be at work under nodes it leased out before it was started, and \
         does not know of any more; it leases nodes again in {} s",
        .uptime.as_secs(), .wait.as_secs()
    )]
    TooYoung { uptime: Duration, wait: Duration },
    #[error(
        "Redis does not say how long it has been running (INFO server): without it a node cannot be leased safely"
    )]
    NoUptime,
    #[error("all {nodes} nodes are leased; those of instances that ended are free again within {} s", .lease.as_secs())]
    AllLeased { nodes: usize, lease: Duration },
    #[error("no numbers can be made under the leased node {node}: {source}")]
    Start { node: i64, source: IdError },
}

/// A node and until when it is ours.
#[derive(Debug)]
pub(crate) struct Lease {
    pub(crate) node: i64,
    owner: String,
    until: Mutex<Until>,
}

/// The end of a lease by the owner's own clocks. Both must agree: the monotonic clock of some machines stands still
/// while they are suspended, and the other may be set back.
#[derive(Debug, Clone, Copy)]
struct Until {
    monotonic: Duration,
    wall: Timestamp,
}

impl Lease {
    fn until(&self) -> Until {
        *self.until.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Leases nodes from Redis.
#[derive(Debug)]
pub(crate) struct Leases {
    redis: Redis,
    settings: LeaseSettings,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
}

impl Leases {
    pub(crate) fn new(
        redis: Redis,
        settings: LeaseSettings,
        clock: Arc<dyn Clock>,
        random: Arc<dyn Random>,
    ) -> Self {
        Self {
            redis,
            settings,
            clock,
            random,
        }
    }

    /// How long a lease is left alone after it was renewed.
    pub(crate) fn renew_every(&self) -> Duration {
        self.settings.lease / 6
    }

    /// Whether the lease lasts, as far as its owner can know without asking.
    pub(crate) fn lasts(&self, lease: &Lease) -> bool {
        let until = lease.until();
        self.clock.monotonic() < until.monotonic && self.clock.now() < until.wall
    }

    /// The first free node from a random one on.
    pub(crate) async fn acquire(&self) -> Result<Lease, LeaseError> {
        // A Redis that was started anew has forgotten its leases. By the time it has run for one lease, every lease
        // of before has ended. The same connection for all means the same process.
        let connection = self.redis.connection()?;
        let mut info = redis::cmd("INFO");
        let info: String = self.redis.ask_on(&connection, info.arg("server")).await?;
        let uptime = uptime(&info).ok_or(LeaseError::NoUptime)?;
        let wait = self.settings.lease.saturating_sub(uptime);
        if !wait.is_zero() {
            return Err(LeaseError::TooYoung { uptime, wait });
        }
        let owner = self.random.nonce();
        let nodes: Vec<i64> = self.settings.nodes.clone().collect();
        let (before, from) = nodes.split_at(self.below(nodes.len()));
        for node in from.iter().chain(before) {
            let until = self.end_of_one_asked_for_now();
            let mut set = redis::cmd("SET");
            set.arg(self.key(*node)).arg(&owner);
            set.arg("NX").arg("PX").arg(whole_ms(self.settings.lease));
            let answer: Value = self.redis.ask_on(&connection, &set).await?;
            if answer != Value::Nil {
                return Ok(Lease {
                    node: *node,
                    owner,
                    until: Mutex::new(until),
                });
            }
        }
        Err(LeaseError::AllLeased {
            nodes: nodes.len(),
            lease: self.settings.lease,
        })
    }

    /// Renews the lease; `false` when the node is not its owner's any more.
    pub(crate) async fn renew(&self, lease: &Lease) -> Result<bool, RedisError> {
        let until = self.end_of_one_asked_for_now();
        let mut renew = redis::cmd("EVAL");
        renew
            .arg(RENEW)
            .arg(1)
            .arg(self.key(lease.node))
            .arg(&lease.owner);
        renew.arg(whole_ms(self.settings.lease));
        renew.arg(u8::from(self.lasts(lease)));
        let is_ours = self.redis.ask::<u64>(&renew).await? == 1;
        if is_ours {
            *lease.until.lock().unwrap_or_else(PoisonError::into_inner) = until;
        }
        Ok(is_ours)
    }

    /// Gives the lease back: it is over for its owner first, and the node free for others after that.
    pub(crate) async fn give_back(&self, lease: &Lease) -> Result<(), RedisError> {
        *lease.until.lock().unwrap_or_else(PoisonError::into_inner) = Until {
            monotonic: Duration::ZERO,
            wall: self.clock.now(),
        };
        let mut release = redis::cmd("EVAL");
        release
            .arg(RELEASE)
            .arg(1)
            .arg(self.key(lease.node))
            .arg(&lease.owner);
        self.redis.ask::<u64>(&release).await.map(drop)
    }

    /// The end of a lease that is asked for now: Redis counts from later on, so ours ends before its does.
    fn end_of_one_asked_for_now(&self) -> Until {
        let safe = self.settings.lease.saturating_sub(self.settings.lease / 6);
        Until {
            monotonic: self.clock.monotonic().saturating_add(safe),
            wall: self.clock.now().plus(safe),
        }
    }

    fn key(&self, node: i64) -> String {
        self.redis.key("node", &node.to_string())
    }

    /// A random number below `limit`.
    fn below(&self, limit: usize) -> usize {
        let mut bytes = [0; 8];
        self.random.fill(&mut bytes);
        let limit = u64::try_from(limit).unwrap_or(u64::MAX).max(1);
        usize::try_from(u64::from_le_bytes(bytes) % limit).unwrap_or(0)
    }
}

/// How long Redis has been running, rounded down to be safe.
fn uptime(info: &str) -> Option<Duration> {
    let line = info
        .lines()
        .find_map(|line| line.strip_prefix("uptime_in_seconds:"))?;
    let seconds: u64 = line.trim().parse().ok()?;
    Some(Duration::from_secs(seconds.saturating_sub(1)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_uptime_is_read_and_rounded_down() {
        let info = "# Server\r\nredis_version:7.0.15\r\nuptime_in_seconds:61\r\nuptime_in_days:0\r\n";
        assert_eq!(uptime(info), Some(Duration::from_secs(60)));
        assert_eq!(uptime("uptime_in_seconds:0"), Some(Duration::ZERO));
        assert_eq!(uptime("uptime_in_seconds:soon"), None);
        assert_eq!(uptime(""), None);
    }
}
