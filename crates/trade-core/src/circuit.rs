//! A circuit breaker: a dependency that keeps failing is left alone for a while, then tried with one call.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use crate::port::Clock;

/// When to open and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Only calls within this time count.
    pub window: Duration,
    /// Fewer calls than this within the window never open it.
    pub min_calls: usize,
    /// Fewer failures than this within the window never open it. At least 1.
    pub min_failures: usize,
    /// It opens when at least this many percent of the calls failed.
    pub failure_percent: usize,
    /// How long it stays open before one call is let through.
    pub open_for: Duration,
}

impl Default for BreakerPolicy {
    fn default() -> Self {
        Self {
            window: Duration::from_secs(10),
            min_calls: 10,
            min_failures: 1,
            failure_percent: 50,
            open_for: Duration::from_secs(10),
        }
    }
}

/// How a breaker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum BreakerState {
    /// Calls go through.
    Closed,
    /// The next call goes through, or one is under way, to see whether the dependency is back.
    HalfOpen,
    /// Calls are refused.
    Open,
}

/// Counts the calls to one dependency, and says when it is left alone.
///
/// Ask with [`Circuit::admit`] before a call, and hand the [`Permit`] back with the outcome.
#[derive(Debug)]
pub struct Circuit {
    name: String,
    clock: Arc<dyn Clock>,
    policy: BreakerPolicy,
    state: Mutex<State>,
}

/// Leave to make one call. A permit that is dropped, because its call was cancelled, counts as no call;
/// a probe that is dropped makes room for another one after [`BreakerPolicy::open_for`].
#[derive(Debug)]
#[must_use = "the outcome of the call has to be recorded"]
pub struct Permit {
    probe: bool,
}

#[derive(Debug)]
enum State {
    /// The recent calls: when they ended and whether they failed.
    Closed(VecDeque<(Duration, bool)>),
    Open {
        until: Duration,
    },
    /// One call is under way to see whether the dependency is back; it is given up after a while.
    Probing {
        until: Duration,
    },
}

impl Circuit {
    /// A closed circuit. The name is for the log.
    #[must_use]
    pub fn new(name: impl Into<String>, clock: Arc<dyn Clock>, policy: BreakerPolicy) -> Self {
        Self {
            name: name.into(),
            clock,
            policy,
            state: Mutex::new(State::Closed(VecDeque::new())),
        }
    }

    /// How it stands now.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        let now = self.clock.monotonic();
        match &*self.state.lock().unwrap_or_else(PoisonError::into_inner) {
            State::Closed(_) => BreakerState::Closed,
            State::Open { until } if now < *until => BreakerState::Open,
            State::Open { .. } | State::Probing { .. } => BreakerState::HalfOpen,
        }
    }

    /// Lets a call through.
    ///
    /// # Errors
    /// It is open: for how long it will refuse calls.
    pub fn admit(&self) -> Result<Permit, Duration> {
        let now = self.clock.monotonic();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Closed(_) => Ok(Permit { probe: false }),
            State::Open { until } | State::Probing { until } if now < *until => {
                Err(until.saturating_sub(now))
            }
            State::Open { .. } | State::Probing { .. } => {
                *state = State::Probing {
                    until: now + self.policy.open_for,
                };
                Ok(Permit { probe: true })
            }
        }
    }

    /// Takes in how a call went.
    #[expect(
        clippy::needless_pass_by_value,
        reason = "a permit is for one call and is used up by it"
    )]
    pub fn record(&self, permit: Permit, failed: bool) {
        let now = self.clock.monotonic();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &mut *state {
            State::Closed(calls) => {
                calls.push_back((now, failed));
                while calls
                    .front()
                    .is_some_and(|(at, _)| now.saturating_sub(*at) > self.policy.window)
                {
                    calls.pop_front();
                }
                if self.policy.opens(calls) {
                    tracing::warn!(circuit = self.name, "circuit breaker opens");
                    *state = State::Open {
                        until: now + self.policy.open_for,
                    };
                }
            }
            State::Probing { .. } if permit.probe && failed => {
                *state = State::Open {
                    until: now + self.policy.open_for,
                }
            }
            State::Probing { .. } if permit.probe => {
                tracing::info!(circuit = self.name, "circuit breaker closes");
                *state = State::Closed(VecDeque::new());
            }
            // A call that began before it opened tells nothing about now.
            State::Open { .. } | State::Probing { .. } => {}
        }
    }
}

impl BreakerPolicy {
    fn opens(&self, calls: &VecDeque<(Duration, bool)>) -> bool {
        let failures = calls.iter().filter(|(_, failed)| *failed).count();
        calls.len() >= self.min_calls
            && failures >= self.min_failures.max(1)
            && failures * 100 >= calls.len() * self.failure_percent
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{Timestamp, memory::ManualClock};

    const OPEN_FOR: Duration = Duration::from_secs(30);

    /// As the order systems' rule says: two calls within five seconds, one of them failed.
    fn circuit() -> (Arc<ManualClock>, Circuit) {
        let clock = Arc::new(ManualClock::new(Timestamp::from_ms(0)));
        let policy = BreakerPolicy {
            window: Duration::from_secs(5),
            min_calls: 2,
            min_failures: 1,
            failure_percent: 0,
            open_for: OPEN_FOR,
        };
        (clock.clone(), Circuit::new("customer", clock, policy))
    }

    fn call(circuit: &Circuit, failed: bool) {
        let permit = circuit.admit().unwrap();
        circuit.record(permit, failed);
    }

    #[test]
    fn it_opens_on_two_calls_in_five_seconds_of_which_one_failed() {
        let (clock, circuit) = circuit();
        call(&circuit, true);
        assert_eq!(circuit.state(), BreakerState::Closed, "one call is too few");
        clock.advance(Duration::from_secs(6));
        call(&circuit, false);
        call(&circuit, false);
        assert_eq!(
            circuit.state(),
            BreakerState::Closed,
            "the failure is out of the window"
        );
        call(&circuit, true);
        assert_eq!(
            circuit.state(),
            BreakerState::Open,
            "one failure of three is enough"
        );
        assert_eq!(circuit.admit().unwrap_err(), OPEN_FOR);
    }

    #[test]
    fn one_probe_decides_and_what_began_before_does_not() {
        let (clock, circuit) = circuit();
        let early = circuit.admit().unwrap();
        call(&circuit, true);
        call(&circuit, true);
        clock.advance(OPEN_FOR);
        let probe = circuit.admit().unwrap();
        assert_eq!(circuit.state(), BreakerState::HalfOpen);
        assert!(circuit.admit().is_err(), "one probe at a time");
        circuit.record(early, false);
        assert_eq!(
            circuit.state(),
            BreakerState::HalfOpen,
            "an old success closes nothing"
        );
        circuit.record(probe, true);
        assert_eq!(circuit.state(), BreakerState::Open);
        clock.advance(OPEN_FOR);
        call(&circuit, false);
        assert_eq!(circuit.state(), BreakerState::Closed);
    }

    #[test]
    fn a_probe_that_was_dropped_makes_room_for_another() {
        let (clock, circuit) = circuit();
        call(&circuit, true);
        call(&circuit, true);
        clock.advance(OPEN_FOR);
        drop(circuit.admit().unwrap());
        assert!(circuit.admit().is_err());
        clock.advance(OPEN_FOR);
        call(&circuit, false);
        assert_eq!(circuit.state(), BreakerState::Closed);
    }
}
