//! The counts as Prometheus reads them (text format 0.0.4).

use std::fmt::Write;

use trade_core::{Timestamp, port::Counts};

/// The content type of [`text`].
pub const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// The counts at `now` as text. Of Redis, when there is one: whether it is up, and how often its lock failed.
#[must_use]
pub fn text(counts: &Counts, calls_dropped: u64, redis: Option<(bool, u64)>, now: Timestamp) -> String {
    let age = |since: Option<Timestamp>| since.map_or(0, |since| now.since(since).as_secs());
    let mut out = String::new();
    let mut gauge = |name, help, value| family(&mut out, name, "gauge", help, &[("", value)]);
    gauge(
        "trade_waiting_tradings",
        "Live tradings that wait for their payer.",
        counts.waiting_tradings,
    );
    gauge(
        "trade_open_tradings",
        "Live tradings whose outcome at the channel is open.",
        counts.open_tradings,
    );
    gauge(
        "trade_open_oldest_seconds",
        "How long the oldest open trading has been so.",
        age(counts.oldest_open_at),
    );
    gauge(
        "trade_running_refunds",
        "Refunds that are neither done nor failed.",
        counts.running_refunds,
    );
    gauge(
        "trade_refund_oldest_seconds",
        "How long ago the oldest running refund was asked for.",
        age(counts.oldest_refund_at),
    );
    gauge(
        "trade_unsent_events",
        "Events that are not announced yet.",
        counts.unsent_events,
    );
    gauge(
        "trade_unsent_oldest_seconds",
        "How long ago the oldest event happened that is not announced.",
        age(counts.oldest_event_at),
    );
    let stuck = [
        ("{kind=\"trading\"}", counts.stuck_tradings),
        ("{kind=\"refund\"}", counts.stuck_refunds),
    ];
    family(&mut out, "trade_stuck", "gauge", "What needs a person.", &stuck);
    family(
        &mut out,
        "trade_calls_dropped_total",
        "counter",
        "Channel calls that are missing in the record since the start.",
        &[("", calls_dropped)],
    );
    if let Some((is_up, failures)) = redis {
        family(
            &mut out,
            "trade_redis_up",
            "gauge",
            "1 when Redis is there, 0 when work goes on without it.",
            &[("", u64::from(is_up))],
        );
        family(
            &mut out,
            "trade_lock_failures_total",
            "counter",
            "Locks that could not be asked for or given back since the start, as Redis was away.",
            &[("", failures)],
        );
    }
    out
}

fn family(out: &mut String, name: &str, kind: &str, help: &str, samples: &[(&str, u64)]) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} {kind}");
    for (labels, value) in samples {
        let _ = writeln!(out, "{name}{labels} {value}");
    }
}
