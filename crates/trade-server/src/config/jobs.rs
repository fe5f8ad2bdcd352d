//! What runs by the clock, and how often.

use std::time::Duration;

use serde::Deserialize;
use trade_core::service::Policy;

/// `[jobs]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// Whether this instance runs jobs.
    pub enabled: bool,
    /// Milliseconds between two ticks of a job, 10 to 60000, unless it has its own interval.
    pub interval_ms: u64,
    /// The interval of asking about pending tradings.
    pub sync_trading_ms: Option<u64>,
    /// The interval of closing what was not paid in time.
    pub close_expired_ms: Option<u64>,
    /// The interval of asking about refunds.
    pub sync_refund_ms: Option<u64>,
    /// The interval of announcing events.
    pub relay_events_ms: Option<u64>,
    /// The interval of forgetting what is kept for days, 10 to 3600000; sixty times `interval_ms` unless given.
    pub prune_ms: Option<u64>,
    /// How long after it was placed a trading is asked about first, in seconds, 1 to 3600; the waits after that
    /// grow.
    pub ask_first_secs: u64,
    /// What these waits grow to, in seconds, 1 to 3600.
    pub ask_at_least_every_secs: u64,
    /// How long the channel is asked about what it does not finish before a person must look, in hours, 1 to 720.
    pub give_up_hours: u64,
    /// The most rows of one tick.
    pub batch: u32,
    /// How long idempotency keys and the record of channel calls are kept, in days.
    pub keep_days: u64,
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_ms: 1000,
            sync_trading_ms: None,
            close_expired_ms: None,
            sync_refund_ms: None,
            relay_events_ms: None,
            prune_ms: None,
            ask_first_secs: 5,
            ask_at_least_every_secs: 60,
            give_up_hours: 72,
            batch: 100,
            keep_days: 30,
        }
    }
}

impl Jobs {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        let intervals = [
            ("interval_ms", Some(self.interval_ms), 60_000),
            ("sync_trading_ms", self.sync_trading_ms, 60_000),
            ("close_expired_ms", self.close_expired_ms, 60_000),
            ("sync_refund_ms", self.sync_refund_ms, 60_000),
            ("relay_events_ms", self.relay_events_ms, 60_000),
            ("prune_ms", self.prune_ms, 3_600_000),
        ];
        for (name, value, most) in intervals {
            if let Some(value) = value.filter(|value| !(10..=most).contains(value)) {
                wrong.push(format!("jobs.{name}: {value} is out of range, 10 to {most}"));
            }
        }
        let rules = [
            ("ask_first_secs", self.ask_first_secs, 3600),
            ("ask_at_least_every_secs", self.ask_at_least_every_secs, 3600),
            ("give_up_hours", self.give_up_hours, 720),
            ("batch", u64::from(self.batch), 1000),
            ("keep_days", self.keep_days, 3650),
        ];
        for (name, value, most) in rules {
            if !(1..=most).contains(&value) {
                wrong.push(format!("jobs.{name}: {value} is out of range, 1 to {most}"));
            }
        }
    }

    /// The rules of time that these settings change.
    #[must_use]
    pub fn policy(&self) -> Policy {
        Policy {
            ask_first: Duration::from_secs(self.ask_first_secs),
            ask_at_least_every: Duration::from_secs(self.ask_at_least_every_secs),
            give_up_after: Duration::from_secs(self.give_up_hours.saturating_mul(3600)),
            ..Policy::default()
        }
    }

    /// How long idempotency keys and the record of channel calls are kept.
    #[must_use]
    pub fn keep(&self) -> Duration {
        Duration::from_secs(self.keep_days.saturating_mul(24 * 3600))
    }
}
