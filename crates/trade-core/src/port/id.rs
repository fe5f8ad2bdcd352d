//! Where numbers come from, and where their high-water mark is kept.

use std::fmt::Debug;

use async_trait::async_trait;

use super::StoreError;
use crate::{Timestamp, id::IdError};

/// Makes numbers for tradings, refunds and events.
///
/// # Contract
/// No number is ever given out twice: not by two callers at once, not after a restart, not after the
/// clock was set back. Numbers are positive and grow with time, roughly.
#[async_trait]
pub trait IdSource: Debug + Send + Sync + 'static {
    /// The next number.
    ///
    /// # Errors
    /// The generator could not make sure that the number is new.
    async fn next(&self) -> Result<i64, IdError>;
}

/// Keeps, per node, the point in time up to which numbers may have been given out.
///
/// # Contract
/// Whoever moved a node's mark owns the time between the two: of all who try to move it from one place, one succeeds.
#[async_trait]
pub trait HighWater: Debug + Send + Sync + 'static {
    /// The stored mark of the node, if it ever stored one.
    ///
    /// # Errors
    /// The store did not answer.
    async fn load(&self, node: i64) -> Result<Option<Timestamp>, StoreError>;

    /// Moves the mark from where it was `seen` to a later time, durably before returning; `false` when it is not there
    /// any more. `None` means that the node had no mark.
    ///
    /// # Errors
    /// The store did not answer; the caller then gives out no number. The mark may have been moved all the same.
    async fn advance(&self, node: i64, seen: Option<Timestamp>, mark: Timestamp) -> Result<bool, StoreError>;
}
