//! A lock within one process.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use crate::port::{Clock, Lock, LockError, LockToken};

/// How often a waiter looks again.
const LOOK_AGAIN: Duration = Duration::from_millis(20);

/// A lock in memory, with leases so that a token that was dropped does not lock for ever.
#[derive(Debug)]
pub struct MemoryLock {
    clock: Arc<dyn Clock>,
    lease: Duration,
    held: Mutex<Held>,
}

#[derive(Debug, Default)]
struct Held {
    /// Key to owner and end of lease.
    keys: HashMap<String, (u64, Duration)>,
    owners: u64,
}

impl MemoryLock {
    /// A lock whose tokens end after `lease`.
    #[must_use]
    pub fn new(clock: Arc<dyn Clock>, lease: Duration) -> Self {
        Self {
            clock,
            lease,
            held: Mutex::default(),
        }
    }

    fn try_acquire(&self, key: &str) -> Option<LockToken> {
        let now = self.clock.monotonic();
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held.keys.get(key).is_some_and(|(_, until)| now < *until) {
            return None;
        }
        held.owners += 1;
        let owner = held.owners;
        held.keys
            .insert(key.to_owned(), (owner, now.saturating_add(self.lease)));
        Some(LockToken {
            key: key.to_owned(),
            owner: owner.to_string(),
        })
    }
}

#[async_trait]
impl Lock for MemoryLock {
    async fn acquire(&self, key: &str, wait: Duration) -> Result<LockToken, LockError> {
        let until = self.clock.monotonic().saturating_add(wait);
        loop {
            if let Some(token) = self.try_acquire(key) {
                return Ok(token);
            }
            if self.clock.monotonic() >= until {
                return Err(LockError::Held(key.to_owned()));
            }
            self.clock.sleep(LOOK_AGAIN).await;
        }
    }

    async fn release(&self, token: LockToken) {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        if held
            .keys
            .get(&token.key)
            .is_some_and(|(owner, _)| owner.to_string() == token.owner)
        {
            held.keys.remove(&token.key);
        }
    }
}
