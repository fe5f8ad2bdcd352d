//! A clock that moves only when told.

use std::{
    sync::{Mutex, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use async_trait::async_trait;

use crate::{Timestamp, port::Clock};

/// A clock for tests and simulations. Sleepers wake when [`ManualClock::advance`] passes their time.
#[derive(Debug)]
pub struct ManualClock(Mutex<State>);

#[derive(Debug)]
struct State {
    now: Timestamp,
    monotonic: Duration,
    sleepers: Vec<Waker>,
}

impl ManualClock {
    /// A clock that stands at `now`.
    #[must_use]
    pub fn new(now: Timestamp) -> Self {
        Self(Mutex::new(State {
            now,
            monotonic: Duration::ZERO,
            sleepers: Vec::new(),
        }))
    }

    /// Moves time on, for the wall clock and for sleepers.
    pub fn advance(&self, by: Duration) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.now = state.now.plus(by);
        state.monotonic = state.monotonic.saturating_add(by);
        let sleepers = std::mem::take(&mut state.sleepers);
        drop(state);
        sleepers.into_iter().for_each(Waker::wake);
    }

    /// Sets the wall clock, be it backwards; sleepers do not notice.
    pub fn set(&self, now: Timestamp) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now = now;
    }
}

#[async_trait]
impl Clock for ManualClock {
    fn now(&self) -> Timestamp {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).now
    }

    fn monotonic(&self) -> Duration {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).monotonic
    }

    async fn sleep(&self, duration: Duration) {
        let until = self.monotonic().saturating_add(duration);
        std::future::poll_fn(|context| {
            let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            if state.monotonic >= until {
                return Poll::Ready(());
            }
            state.sleepers.push(context.waker().clone());
            Poll::Pending
        })
        .await;
    }
}
