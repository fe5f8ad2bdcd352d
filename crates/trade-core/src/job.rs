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

use crate::service::TradeError;

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
