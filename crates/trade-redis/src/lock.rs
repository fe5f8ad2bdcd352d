//! The lock that all instances share.

use std::{
    fmt,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use redis::Value;
use trade_core::port::{Clock, Lock, LockError, LockToken, Random};

use crate::{Redis, RedisError};

/// Deletes the key only if it still is the owner's: between a look and a deletion the lease may end, and the key
/// be another's.
pub(crate) const RELEASE: &str =
    "if redis.call('GET', KEYS[1]) == ARGV[1] then return redis.call('DEL', KEYS[1]) end return 0";

/// A waiter looks again after 10 to 41 ms. Chance spreads the waiters, so that none is last every time.
const LOOK_AGAIN: Duration = Duration::from_millis(10);

/// A lock in Redis: a key per lock, with the owner's random token as its value and a lease as its time to live.
///
/// It only saves work. A lease can end while its owner is paused, and a failover of Redis can forget a key, so
/// what must not happen twice is refused by the store.
pub struct RedisLock {
    redis: Redis,
    lease: Duration,
    clock: Arc<dyn Clock>,
    random: Arc<dyn Random>,
    failures: Arc<AtomicU64>,
}

impl RedisLock {
    /// A lock whose tokens end after `lease`.
    #[must_use]
    pub fn new(redis: Redis, lease: Duration, clock: Arc<dyn Clock>, random: Arc<dyn Random>) -> Self {
        Self {
            redis,
            lease,
            clock,
            random,
            failures: Arc::default(),
        }
    }

    /// How often Redis failed when a lock was asked for or given back. The count goes on as the lock is used.
    #[must_use]
    pub fn failures(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.failures)
    }

    async fn try_acquire(&self, key: &str, owner: &str) -> Result<bool, RedisError> {
        let mut set = redis::cmd("SET");
        set.arg(self.redis.key("lock", key)).arg(owner);
        set.arg("NX").arg("PX").arg(whole_ms(self.lease));
        // `OK`, or nil when the key is there.
        let answer: Value = self.redis.ask(&set).await?;
        Ok(answer != Value::Nil)
    }

    fn count(&self, error: RedisError) -> RedisError {
        self.failures.fetch_add(1, Ordering::Relaxed);
        error
    }

    fn pause(&self) -> Duration {
        let mut byte = [0];
        self.random.fill(&mut byte);
        let [byte] = byte;
        LOOK_AGAIN.saturating_add(Duration::from_millis(u64::from(byte >> 3)))
    }
}

/// Redis takes whole milliseconds, at least one.
pub(crate) fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX).max(1)
}

#[async_trait]
impl Lock for RedisLock {
    async fn acquire(&self, key: &str, wait: Duration) -> Result<LockToken, LockError> {
        let until = self.clock.monotonic().saturating_add(wait);
        let token = LockToken {
            key: key.to_owned(),
            owner: self.random.nonce(),
        };
        loop {
            match self.try_acquire(key, &token.owner).await {
                Ok(true) => return Ok(token),
                Ok(false) => {}
                Err(error) => return Err(LockError::Unavailable(Box::new(self.count(error)))),
            }
            let left = until.saturating_sub(self.clock.monotonic());
            if left.is_zero() {
                return Err(LockError::Held(key.to_owned()));
            }
            self.clock.sleep(self.pause().min(left)).await;
        }
    }

    async fn release(&self, token: LockToken) {
        let mut release = redis::cmd("EVAL");
        release.arg(RELEASE).arg(1);
        release.arg(self.redis.key("lock", &token.key)).arg(&token.owner);
        if let Err(error) = self.redis.ask::<u64>(&release).await {
            let error = self.count(error);
            tracing::warn!(key = token.key, %error, "a lock was not given back: it ends with its lease");
        }
    }
}

impl fmt::Debug for RedisLock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RedisLock")
            .field("redis", &self.redis)
            .field("lease", &self.lease)
            .finish_non_exhaustive()
    }
}
