//! Locks of other kinds than a server has by itself: one that keeps nobody out, and the one in Redis.

use std::{
    env,
    sync::{
        Arc,
        atomic::{AtomicU32, AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use trade_core::{
    SystemClock, SystemRandom,
    port::{Lock, LockError, LockToken},
    service::{Policy, Ports},
};
use trade_redis::{Redis, RedisLock, RedisSettings};
use trade_server::wire::Decorate;

use crate::instances::redis_url;

/// A lock that everybody gets.
#[derive(Debug)]
struct Open;

#[async_trait]
impl Lock for Open {
    async fn acquire(&self, key: &str, _wait: Duration) -> Result<LockToken, LockError> {
        Ok(LockToken {
            key: key.to_owned(),
            owner: String::new(),
        })
    }

    async fn release(&self, _token: LockToken) {}
}

#[derive(Debug)]
pub(crate) struct WithoutLock;

impl Decorate for WithoutLock {
    fn service(&self, ports: Ports, policy: Policy) -> (Ports, Policy) {
        let lock = Arc::new(Open);
        (Ports { lock, ..ports }, policy)
    }
}

/// The lock in Redis, and how often it was had.
#[derive(Debug)]
struct Shared {
    lock: RedisLock,
    had: AtomicU32,
}

#[async_trait]
impl Lock for Shared {
    async fn acquire(&self, key: &str, wait: Duration) -> Result<LockToken, LockError> {
        let token = self.lock.acquire(key, wait).await?;
        self.had.fetch_add(1, Ordering::SeqCst);
        Ok(token)
    }

    async fn release(&self, token: LockToken) {
        self.lock.release(token).await;
    }
}

/// With the lock in Redis, under keys of its own, which end by themselves after a lease.
#[derive(Debug, Clone)]
pub(crate) struct WithRedis {
    shared: Arc<Shared>,
    failures: Arc<AtomicU64>,
}

impl WithRedis {
    /// None, when only what is embedded was asked for.
    pub(crate) async fn with_lease(lease: Duration) -> Option<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        if env::var_os("TRADE_TEST_EMBEDDED").is_some() {
            return None;
        }
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let settings = RedisSettings {
            prefix: format!("trade-server-test:{}:race-{count}", std::process::id()),
            // Nobody goes on without it only because the machine is busy.
            response_timeout: Duration::from_secs(30),
            ..RedisSettings::new(redis_url())
        };
        let clock = Arc::new(SystemClock::new());
        let redis = Redis::start(settings, clock.clone()).await.unwrap();
        let lock = RedisLock::new(redis, lease, clock, Arc::new(SystemRandom));
        let failures = lock.failures();
        let had = AtomicU32::new(0);
        let shared = Arc::new(Shared { lock, had });
        Some(Self { shared, failures })
    }

    /// That it was the lock, all the time.
    pub(crate) fn was_used(&self) {
        assert!(
            self.shared.had.load(Ordering::SeqCst) > 0,
            "nobody asked for the lock"
        );
        assert_eq!(self.failures.load(Ordering::SeqCst), 0, "Redis failed");
    }
}

impl Decorate for WithRedis {
    fn service(&self, ports: Ports, policy: Policy) -> (Ports, Policy) {
        let lock = self.shared.clone();
        (Ports { lock, ..ports }, policy)
    }
}
