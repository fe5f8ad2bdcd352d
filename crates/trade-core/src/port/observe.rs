//! Being told what was committed, for metrics.

use std::{fmt::Debug, time::Duration};

use crate::Trading;

/// Is told of what counts. Best effort: it has no say in what happens, and a process that dies between
/// a commit and the call tells nobody.
pub trait Observer: Debug + Send + Sync + 'static {
    /// This process has committed the settlement of a trading, which happens once in a trading's life.
    /// `lag` is how long after the channel's own time of the payment that was, when the channel told it;
    /// zero when our clock is behind the channel's.
    fn settled(&self, trading: &Trading, lag: Option<Duration>);
}
