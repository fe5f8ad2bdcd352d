//! The store's record of idempotency keys: the same key, the same answer.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::Timestamp;

/// A key and where it counts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct IdempotencyKey {
    /// Where it counts: the route, and the order system when the request names one.
    pub scope: String,
    /// The caller's key.
    pub key: String,
}

/// The answer that is given again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StoredAnswer {
    /// The HTTP status.
    pub status: u16,
    /// The body as it was sent.
    pub body: String,
}

/// What a key is found to be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Begun {
    /// It is yours until the lease ends: do the work, then [`IdempotencyStore::finish`] or release it.
    Yours,
    /// Another request with it is at work until then.
    InFlight(Timestamp),
    /// It was used with other content.
    Other,
    /// The work is done; this was the answer.
    Done(StoredAnswer),
}

/// Keeps idempotency keys.
#[async_trait]
pub trait IdempotencyStore: Debug + Send + Sync + 'static {
    /// Claims a key for a request with this fingerprint. One statement decides between two at once. A
    /// claim whose lease has ended (its owner died) is taken over by a request with the same fingerprint.
    ///
    /// # Errors
    /// The store failed.
    async fn begin(
        &self,
        key: &IdempotencyKey,
        fingerprint: &str,
        now: Timestamp,
        lease_until: Timestamp,
    ) -> Result<Begun, StoreError>;

    /// Keeps the answer.
    ///
    /// # Errors
    /// The store failed; the work is repeated, harmlessly, by the next request with the key.
    async fn finish(&self, key: &IdempotencyKey, answer: &StoredAnswer) -> Result<(), StoreError>;

    /// Ends the lease that lasts until then without an answer, so that the next request may do the work. A key that
    /// has an answer keeps it, and one that another request has taken over is that one's.
    ///
    /// # Errors
    /// The store failed; the lease ends by itself.
    async fn release(&self, key: &IdempotencyKey, lease_until: Timestamp) -> Result<(), StoreError>;

    /// Forgets up to `limit` keys first seen before `before`, and returns how many went.
    ///
    /// # Errors
    /// The store failed.
    async fn prune_keys(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError>;
}
