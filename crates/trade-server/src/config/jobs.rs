//! What runs by the clock, and how often.

use std::time::Duration;

use serde::Deserialize;

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
            batch: 100,
            keep_days: 30,
        }
    }
}

impl Jobs {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        let intervals = [
            ("interval_ms", Some(self.interval_ms)),
            ("sync_trading_ms", self.sync_trading_ms),
            ("close_expired_ms", self.close_expired_ms),
            ("sync_refund_ms", self.sync_refund_ms),
            ("relay_events_ms", self.relay_events_ms),
        ];
        for (name, value) in intervals {
            if let Some(value) = value.filter(|value| !(10..=60_000).contains(value)) {
                wrong.push(format!("jobs.{name}: {value} is out of range, 10 to 60000"));
            }
        }
        if !(1..=1000).contains(&self.batch) {
            wrong.push(format!("jobs.batch: {} is out of range, 1 to 1000", self.batch));
        }
        if !(1..=3650).contains(&self.keep_days) {
            wrong.push(format!(
                "jobs.keep_days: {} is out of range, 1 to 3650",
                self.keep_days
            ));
        }
    }

    /// How long idempotency keys and the record of channel calls are kept.
    #[must_use]
    pub fn keep(&self) -> Duration {
        Duration::from_secs(self.keep_days.saturating_mul(24 * 3600))
    }
}
