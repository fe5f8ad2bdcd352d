//! Leaving a receiver alone for a while that costs time and takes nothing.

use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use trade_core::{Backoff, port::Clock};

const FIRST: Duration = Duration::from_secs(1);
const LONGEST: Duration = Duration::from_secs(60);

/// When a receiver that was silent or away is tried again, so that its events do not hold up those of others: one
/// request in vain takes as long as hundreds that are answered.
#[derive(Debug)]
pub(crate) struct Rest(Mutex<State>);

#[derive(Debug)]
struct State {
    backoff: Backoff,
    until: Option<(Duration, String)>,
    began: Option<Duration>,
}

impl Rest {
    pub(crate) const fn new() -> Self {
        Self(Mutex::new(State {
            backoff: Backoff::new(FIRST, LONGEST),
            until: None,
            began: None,
        }))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How much longer it is left alone, and what the last request said; `None` when one may be sent.
    pub(crate) fn left(&self, clock: &dyn Clock) -> Option<(Duration, String)> {
        let state = self.state();
        let (until, reason) = state.until.as_ref()?;
        let left = until.saturating_sub(clock.monotonic());
        (!left.is_zero()).then(|| (left, reason.clone()))
    }

    pub(crate) fn answered(&self) {
        let mut state = self.state();
        state.backoff.worked();
        state.until = None;
    }

    /// Begins after a request in vain that was sent at `sent`. Of several that were under way at once the first alone
    /// counts: together they say no more than one.
    pub(crate) fn begin(&self, clock: &dyn Clock, sent: Duration, reason: String) {
        let mut state = self.state();
        if state.began.is_some_and(|began| sent <= began) {
            return;
        }
        let (wait, now) = (state.backoff.failed(), clock.monotonic());
        state.began = Some(now);
        state.until = Some((now.saturating_add(wait), reason));
    }
}
