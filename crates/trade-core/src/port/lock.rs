//! A lock that saves work. Everything is right without it: the store refuses what must not be.

use std::{fmt::Debug, time::Duration};

use async_trait::async_trait;

/// Proof of ownership of a lock; give it back to [`Lock::release`].
#[derive(Debug, PartialEq, Eq)]
pub struct LockToken {
    /// The key that is locked.
    pub key: String,
    /// A value only the owner knows, so that nobody else can release the lock.
    pub owner: String,
}

/// Why a lock was not had.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Somebody else held it for the whole wait.
    #[error("`{0}` is locked by another request")]
    Held(String),
    /// The lock service did not answer; work goes on without the lock.
    #[error("the lock service did not answer")]
    Unavailable(#[source] Box<dyn std::error::Error + Send + Sync>),
}

/// Mutual exclusion as a courtesy.
///
/// # Contract
/// At most one token per key is valid at a time, unless a token outlived its lease. Releasing a token
/// that is no longer valid changes nothing. A token that is never released ends with its lease.
///
/// # Cancel safety
/// A dropped `acquire` holds nothing, or at most until the lease ends.
#[async_trait]
pub trait Lock: Debug + Send + Sync + 'static {
    /// Waits up to `wait` for the key.
    ///
    /// # Errors
    /// Held by another for the whole wait, or the service is unavailable.
    async fn acquire(&self, key: &str, wait: Duration) -> Result<LockToken, LockError>;

    /// Gives the lock back, if the token still owns it.
    async fn release(&self, token: LockToken);
}
