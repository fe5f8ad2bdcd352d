//! The rules of time: how long, how often, and when to give up.

use std::time::Duration;

use crate::{
    Step, Timestamp, Trading, TradingState,
    guard::{self, Guard},
};

/// The service's rules of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Policy {
    /// How long a payer has to pay.
    pub pay_within: Duration,
    /// How long a request may work on a row before somebody else may.
    pub claim: Duration,
    /// How long after it was placed a trading is asked about first; the waits after that grow.
    pub ask_first: Duration,
    /// What these waits grow to.
    pub ask_at_least_every: Duration,
    /// How long to wait for another request on the same order.
    pub wait_for_other: Duration,
    /// How long a closed trading is watched after its code should be dead.
    pub watch_grace: Duration,
    /// How long a code lives at any channel. A trading may be placed until it expires, so it is looked
    /// at for the last time so long after its expiry.
    pub code_life: Duration,
    /// How long after its expiry a trading that cannot be closed is looked at before it is stuck;
    /// for a refund, how long after it was asked for.
    pub give_up_after: Duration,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            pay_within: Duration::from_secs(20 * 60),
            claim: Duration::from_secs(30),
            ask_first: Duration::from_secs(5),
            ask_at_least_every: MINUTE,
            wait_for_other: Duration::from_secs(5),
            watch_grace: Duration::from_secs(2 * 60),
            code_life: Duration::from_secs(2 * 3600),
            give_up_after: Duration::from_secs(3 * 24 * 3600),
        }
    }
}

/// After so many growths a wait of a millisecond has become days.
const MOST_GROWTHS: u32 = 64;
const MINUTE: Duration = Duration::from_secs(60);
const HOUR: Duration = Duration::from_secs(3600);

/// What to do about a row after a look that changed nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    /// Look again then.
    At(Timestamp),
    /// Nothing is left to look at.
    Never,
    /// Too long without a result: a person must look.
    GiveUp,
}

impl Policy {
    /// When to look next at `trading`, which was looked at `checks` times since it changed, the last time
    /// in vain when that `failed`.
    pub(crate) fn next_look(&self, trading: &Trading, checks: u32, failed: bool, now: Timestamp) -> Next {
        match trading.state {
            TradingState::Paying(Step::Intended | Step::Unknown | Step::Placed | Step::Closing) => {
                self.next_pending(trading.expires_at, checks, now)
            }
            TradingState::Cancelled => {
                if !guard::on(Guard::TombstoneWatch) {
                    return Next::Never;
                }
                let dead_at = trading.expires_at.plus(self.watch_grace);
                // A placing is sent as long as the trading has not expired, and its code lives from then.
                let last_at = dead_at.plus(self.code_life);
                if now < dead_at {
                    Next::At(now.plus(self.wait(checks)).min(dead_at))
                } else if failed {
                    self.next_overdue(dead_at, now)
                } else if now < last_at {
                    Next::At(last_at)
                } else {
                    Next::Never
                }
            }
            TradingState::Failed | TradingState::Settled | TradingState::Free | TradingState::OnAccount => {
                Next::Never
            }
        }
    }

    fn next_pending(&self, expires_at: Timestamp, checks: u32, now: Timestamp) -> Next {
        if now < expires_at {
            return Next::At(now.plus(self.wait(checks)).min(expires_at));
        }
        self.next_overdue(expires_at, now)
    }

    /// Past a deadline the waits grow with the time since it, so that an outage of the channel costs
    /// few calls and a short one is noticed soon.
    fn next_overdue(&self, deadline: Timestamp, now: Timestamp) -> Next {
        let late = now.since(deadline);
        if late > self.give_up_after {
            Next::GiveUp
        } else {
            Next::At(now.plus(late.clamp(MINUTE, HOUR)))
        }
    }

    /// When to look next at a refund that was asked for at `created_at`.
    pub(crate) fn next_refund_look(&self, created_at: Timestamp, checks: u32, now: Timestamp) -> Next {
        if checks < 3 {
            Next::At(now.plus(self.wait(checks)))
        } else {
            self.next_overdue(created_at, now)
        }
    }

    /// The wait after so many looks that changed nothing: each is eight fifths of the one before.
    fn wait(&self, checks: u32) -> Duration {
        let (mut wait, longest) = (self.ask_first, self.ask_at_least_every);
        for _ in 0..checks.min(MOST_GROWTHS) {
            wait = (wait.saturating_mul(8) / 5).min(longest);
        }
        wait.min(longest)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_are_as_the_program_wants_them() {
        let policy = Policy {
            ask_first: Duration::from_secs(30),
            ask_at_least_every: Duration::from_secs(40),
            ..Policy::default()
        };
        assert_eq!(
            [0, 1, 2].map(|checks| policy.wait(checks).as_secs()),
            [30, 40, 40]
        );
    }

    #[test]
    fn waits_grow_and_never_pass_the_expiry() {
        let policy = Policy::default();
        let at = |secs: i64| Timestamp::from_ms(secs * 1000);
        let pending = |checks, now| policy.next_pending(at(1200), checks, at(now));
        assert_eq!(pending(0, 0), Next::At(at(5)));
        assert_eq!(pending(1, 0), Next::At(at(8)));
        assert_eq!(pending(2, 0), Next::At(Timestamp::from_ms(12_800)));
        for many in [6, 900, u32::MAX] {
            assert_eq!(pending(many, 0), Next::At(at(60)));
        }
        assert_eq!(pending(6, 1190), Next::At(at(1200)));
        // Overdue: after a minute, then as long again as it is late, then hourly, then never.
        assert_eq!(pending(0, 1200), Next::At(at(1260)));
        assert_eq!(pending(0, 1200 + 600), Next::At(at(1800 + 600)));
        assert_eq!(pending(0, 1200 + 86_400), Next::At(at(1200 + 86_400 + 3600)));
        assert_eq!(pending(0, 1200 + 4 * 86_400), Next::GiveUp);
    }
}
