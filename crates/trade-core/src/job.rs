//! What runs by the clock: each job is one bounded tick that returns a report. The clockwork is the
//! program's; any number of instances may tick at once, since every row is claimed first.

mod close_expired;
mod relay_events;
mod sync_refund;
mod sync_trading;

pub use close_expired::close_expired;
pub use relay_events::relay_events;
pub use sync_refund::sync_refund;
pub use sync_trading::sync_trading;

use std::fmt;

use crate::{
    Timestamp,
    port::{Pick, Shard},
    service::TradeError,
};

/// How much a tick may do: a number of rows, of which part, and until when. A number alone is a `Work`, too.
#[derive(Clone, Copy)]
pub struct Work<'a> {
    limit: u32,
    shard: Shard,
    is_over: &'a (dyn Fn() -> bool + Sync),
}

impl Work<'static> {
    /// At most `limit` rows of all.
    #[must_use]
    pub fn of(limit: u32) -> Self {
        Self {
            limit,
            shard: Shard::ALL,
            is_over: &|| false,
        }
    }
}

impl From<u32> for Work<'static> {
    fn from(limit: u32) -> Self {
        Self::of(limit)
    }
}

impl<'a> Work<'a> {
    /// Only of that part. Events are not divided: those of an order keep their order, and are claimed.
    #[must_use]
    pub fn on(self, shard: Shard) -> Self {
        Self { shard, ..self }
    }

    /// Ends after the row in hand once `is_over` says so; what was claimed and not begun is given back.
    #[must_use]
    pub fn until<'b>(self, is_over: &'b (dyn Fn() -> bool + Sync)) -> Work<'b> {
        Work {
            limit: self.limit,
            shard: self.shard,
            is_over,
        }
    }

    fn is_over(&self) -> bool {
        (self.is_over)()
    }

    fn pick(&self, now: Timestamp) -> Pick {
        Pick {
            now,
            limit: self.limit,
            shard: self.shard,
        }
    }
}

impl fmt::Debug for Work<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Work")
            .field("limit", &self.limit)
            .field("shard", &self.shard)
            .finish_non_exhaustive()
    }
}

/// What a tick did.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Report {
    /// Rows that were due.
    pub due: u32,
    /// Rows that moved.
    pub changed: u32,
    /// Rows somebody else was working on.
    pub taken: u32,
    /// Rows whose look ended in an error; each is logged and has its next look set.
    pub failed: u32,
}

impl Report {
    /// Whether the tick was filled to its limit, so that another should follow at once.
    #[must_use]
    pub fn is_full(&self, limit: u32) -> bool {
        self.due >= limit
    }
}

/// A tick ends early only when the store fails; a single row's failure never stops the others.
pub type Tick = Result<Report, TradeError>;
