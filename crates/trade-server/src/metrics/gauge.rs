//! What is read when somebody asks: counts of the store, breakers, pools.

use std::{
    fmt,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
};

use prometheus_client::{
    collector::Collector,
    encoding::{DescriptorEncoder, EncodeGaugeValue, EncodeLabelSet, EncodeMetric},
    metrics::{MetricType, counter::ConstCounter, gauge::ConstGauge},
};
use trade_core::{
    Channel, EnterpriseId, Timestamp,
    handler::{Breaker, BreakerState},
    port::Counts,
};
use trade_store::SqlStore;

use crate::http::{Outside, RedisHealth};

use super::label::{OfKind, OfMerchant, OfPool};

/// What a server has that is looked at when somebody asks.
#[derive(Debug, Default)]
pub(super) struct Watched {
    pub(super) breakers: Vec<(EnterpriseId, Channel, Arc<Breaker>)>,
    pub(super) stores: Vec<(&'static str, SqlStore)>,
    pub(super) calls_dropped: Arc<AtomicU64>,
    pub(super) outside: Outside,
}

/// The same, as it becomes known while the server is put together.
#[derive(Debug, Default)]
pub(super) struct Watch(Mutex<Watched>);

impl Watch {
    pub(super) fn change(&self, change: impl FnOnce(&mut Watched)) {
        change(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner));
    }
}

impl Collector for Watch {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let watched = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let dropped = ConstCounter::new(watched.calls_dropped.load(Ordering::Relaxed));
        let help = "Channel calls that are missing in the record since the start";
        dropped.encode(out.encode_descriptor("trade_calls_dropped", help, None, MetricType::Counter)?)?;
        if let Some((is_up, failures)) = watched.outside.redis.as_ref().map(RedisHealth::counts) {
            let help = "1 when Redis is there, 0 when work goes on without it";
            one(&mut out, "trade_redis_up", help, u64::from(is_up))?;
            let help = "Locks that could not be asked for or given back, as Redis was away";
            ConstCounter::new(failures).encode(out.encode_descriptor(
                "trade_lock_failures",
                help,
                None,
                MetricType::Counter,
            )?)?;
        }
        if let Some(broker) = &watched.outside.broker {
            let help = "1 when the broker takes events, 0 when they wait for it";
            one(
                &mut out,
                "trade_broker_up",
                help,
                u64::from(broker.away().is_none()),
            )?;
        }
        let breakers = watched.breakers.iter().map(|(enterprise_id, channel, breaker)| {
            let labels = OfMerchant {
                enterprise_id: enterprise_id.get(),
                channel: channel.code(),
            };
            (labels, state(breaker.state()))
        });
        let help = "Circuit breaker of a merchant at a channel: 0 closed, 1 half-open, 2 open";
        family(&mut out, "trade_breaker_state", help, breakers)?;
        let pools = connections(&watched.stores);
        let help = "Connections to the database that are open, by pool, at work or idle";
        family(&mut out, "trade_database_connections", help, pools)
    }
}

/// The connections by pool and state. One store alone needs no name for its pools of different kinds.
fn connections(stores: &[(&'static str, SqlStore)]) -> Vec<(OfPool, u64)> {
    let alone = stores.len() == 1;
    let mut samples = Vec::new();
    for (work, store) in stores {
        for (pool, used) in store.pools() {
            let pool = match pool {
                "all" => (*work).to_owned(),
                _ if alone => pool.to_owned(),
                _ => format!("{work}_{pool}"),
            };
            let busy = used.open.saturating_sub(used.idle);
            for (state, count) in [("busy", busy), ("idle", used.idle)] {
                let pool = pool.clone();
                samples.push((OfPool { pool, state }, u64::from(count)));
            }
        }
    }
    samples
}

const fn state(state: BreakerState) -> u64 {
    match state {
        BreakerState::Closed => 0,
        BreakerState::HalfOpen => 1,
        BreakerState::Open => 2,
    }
}

/// The counts of the store at a moment; none when it did not answer.
#[derive(Debug)]
pub(super) struct Counted {
    pub(super) counts: Option<Counts>,
    pub(super) now: Timestamp,
}

impl Collector for Counted {
    fn encode(&self, mut out: DescriptorEncoder<'_>) -> fmt::Result {
        let (name, help) = ("trade_store_up", "Whether the store answered just now");
        one(&mut out, name, help, u64::from(self.counts.is_some()))?;
        let Some(counts) = &self.counts else {
            return Ok(());
        };
        for (name, help, count) in numbers(counts) {
            one(&mut out, name, help, count)?;
        }
        for (name, help, since) in oldest(counts) {
            let age = since.map_or(0, |since| self.now.since(since).as_secs());
            one(&mut out, name, help, age)?;
        }
        let stuck = [
            ("trading", counts.stuck_tradings),
            ("refund", counts.stuck_refunds),
            ("event", counts.stuck_events),
        ];
        let stuck = stuck.map(|(kind, count)| (OfKind { kind }, count));
        family(&mut out, "trade_stuck", "What needs a person", stuck)
    }
}

/// How many there are of what.
fn numbers(counts: &Counts) -> [(&'static str, &'static str, u64); 6] {
    [
        (
            "trade_waiting_tradings",
            "Live tradings that wait for their payer",
            counts.waiting_tradings,
        ),
        (
            "trade_open_tradings",
            "Live tradings whose outcome at the channel is open",
            counts.open_tradings,
        ),
        (
            "trade_unknown_tradings",
            "Open tradings whose outcome is unknown",
            counts.unknown_tradings,
        ),
        (
            "trade_running_refunds",
            "Refunds that are neither done nor failed",
            counts.running_refunds,
        ),
        (
            "trade_unknown_refunds",
            "Running refunds whose outcome is unknown",
            counts.unknown_refunds,
        ),
        (
            "trade_unsent_events",
            "Events that are not announced yet",
            counts.unsent_events,
        ),
    ]
}

/// Since when the oldest of them is so.
fn oldest(counts: &Counts) -> [(&'static str, &'static str, Option<Timestamp>); 5] {
    [
        (
            "trade_open_oldest_seconds",
            "How long the oldest open trading has been so",
            counts.oldest_open_at,
        ),
        (
            "trade_unknown_oldest_seconds",
            "How long the oldest unknown trading has been so",
            counts.oldest_unknown_at,
        ),
        (
            "trade_refund_oldest_seconds",
            "How long ago the oldest running refund was asked for",
            counts.oldest_refund_at,
        ),
        (
            "trade_unknown_refund_oldest_seconds",
            "How long the oldest unknown refund has been so",
            counts.oldest_unknown_refund_at,
        ),
        (
            "trade_unsent_oldest_seconds",
            "How long ago the oldest event happened that is not announced",
            counts.oldest_event_at,
        ),
    ]
}

fn one(out: &mut DescriptorEncoder<'_>, name: &str, help: &str, value: impl EncodeGaugeValue) -> fmt::Result {
    ConstGauge::new(value).encode(out.encode_descriptor(name, help, None, MetricType::Gauge)?)
}

fn family<L: EncodeLabelSet, V: EncodeGaugeValue>(
    out: &mut DescriptorEncoder<'_>,
    name: &str,
    help: &str,
    samples: impl IntoIterator<Item = (L, V)>,
) -> fmt::Result {
    let mut encoder = out.encode_descriptor(name, help, None, MetricType::Gauge)?;
    for (labels, value) in samples {
        ConstGauge::new(value).encode(encoder.encode_family(&labels)?)?;
    }
    Ok(())
}
