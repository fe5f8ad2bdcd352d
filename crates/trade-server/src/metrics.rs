//! What Prometheus reads: counted as it happens, or looked up when it asks. Every server has its own
//! [`Metrics`]; nothing is global.
//!
//! The table of all of them, with what to alarm on, is in `docs/operations.md`.

mod code;
mod counter;
mod gauge;
mod label;

use std::{
    fmt,
    sync::{Arc, atomic::AtomicU64},
    time::Duration,
};

use prometheus_client::{
    encoding::text::{encode_eof, encode_registry},
    metrics::info::Info,
    registry::Registry,
};
use trade_core::{
    Certainty, Channel, ChannelError, EnterpriseId, ErrorKind, Role, Trading,
    handler::Breaker,
    job::Tick,
    port::{Clock, Observer},
    service::{NoticeOutcome, TradeService},
};
use trade_store::SqlStore;

use self::{
    code::Codes,
    counter::Counters,
    gauge::{Counted, Watch},
    label::{
        OfBuild, OfCall, OfChannel, OfError, OfJob, OfJobOutcome, OfOperation, OfRefusal, OfRequest, OfRoute,
    },
};
use crate::{causes::one_line, http::Outside};

/// The content type of [`Metrics::text`].
pub const CONTENT_TYPE: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// A store that needs longer to count its rows is as good as down for whoever asks; Prometheus itself waits
/// ten seconds.
const COUNT_WITHIN: Duration = Duration::from_secs(5);

/// The metrics of one server. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Metrics(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    registry: Registry,
    counters: Counters,
    codes: Codes,
    watch: Arc<Watch>,
}

impl Default for Metrics {
    fn default() -> Self {
        let (mut registry, counters, watch) = (Registry::default(), Counters::default(), Arc::default());
        let build = Info::new(OfBuild {
            version: env!("CARGO_PKG_VERSION"),
        });
        registry.register("trade_build", "What is running", build);
        counters.prepare();
        counters.register(&mut registry);
        registry.register_collector(Box::new(Arc::clone(&watch)));
        Self(Arc::new(Inner {
            registry,
            counters,
            codes: Codes::default(),
            watch,
        }))
    }
}

impl Metrics {
    /// Shows how the breaker of a merchant at a channel stands.
    pub fn watch_breaker(&self, enterprise: EnterpriseId, channel: Channel, breaker: Arc<Breaker>) {
        self.0
            .watch
            .change(|watched| watched.breakers.push((enterprise, channel, breaker)));
    }

    /// Shows how the connections of a store are used, by what it is used for.
    pub fn watch_store(&self, work: &'static str, store: SqlStore) {
        self.0.watch.change(|watched| watched.stores.push((work, store)));
    }

    /// Shows how many channel calls are missing in the record.
    pub fn watch_dropped_calls(&self, dropped: Arc<AtomicU64>) {
        self.0.watch.change(|watched| watched.calls_dropped = dropped);
    }

    /// Shows whether Redis and the broker are there, and how often the lock failed.
    pub fn watch_outside(&self, outside: Outside) {
        self.0.watch.change(|watched| watched.outside = outside);
    }

    /// Counts one attempt of a call to a channel, and how long it took when it was sent.
    pub fn call<T>(
        &self,
        channel: Channel,
        operation: &'static str,
        took: Duration,
        result: &Result<T, ChannelError>,
    ) {
        let Counters {
            calls,
            call_seconds,
            errors,
            ..
        } = &self.0.counters;
        let code_of = channel;
        let channel = channel.code();
        let outcome = result
            .as_ref()
            .map_or_else(|error| outcome_of(error.certainty()), |_| "ok");
        calls
            .get_or_create(&OfCall {
                channel,
                operation,
                outcome,
            })
            .inc();
        let sent = !result
            .as_ref()
            .is_err_and(|error| error.kind() == ErrorKind::BreakerOpen);
        if sent {
            let of = OfOperation { channel, operation };
            call_seconds.get_or_create(&of).observe(took.as_secs_f64());
        }
        if let Err(error) = result {
            let kind = format!("{:?}", error.kind());
            let code = self.0.codes.label(code_of, error.code().unwrap_or(&kind));
            errors.get_or_create(&OfError { channel, code }).inc();
        }
    }

    /// Counts a notice by what became of it.
    pub fn notice(&self, channel: Channel, outcome: &NoticeOutcome) {
        match outcome {
            NoticeOutcome::Taken => {
                self.0
                    .counters
                    .taken
                    .get_or_create(&OfChannel::from(channel))
                    .inc();
            }
            NoticeOutcome::Refused(not) => self.notice_refused(channel, not.reason),
            NoticeOutcome::Later(not) => {
                let (channel, reason) = (channel.code(), not.reason);
                self.0
                    .counters
                    .put_off
                    .get_or_create(&OfRefusal { channel, reason })
                    .inc();
            }
        }
    }

    /// Counts a notice that did not even come to be verified. The reason is one of a few words.
    pub fn notice_refused(&self, channel: Channel, reason: &'static str) {
        let channel = channel.code();
        self.0
            .counters
            .refused
            .get_or_create(&OfRefusal { channel, reason })
            .inc();
    }

    /// Counts an answered request. The route is a template, the method one of a few.
    pub fn request(&self, method: &'static str, route: &str, status: u16, took: Duration) {
        let Counters {
            requests,
            request_seconds,
            ..
        } = &self.0.counters;
        let route = route.to_owned();
        let seconds = took.as_secs_f64();
        let of = OfRoute {
            method,
            route: route.clone(),
        };
        request_seconds.get_or_create(&of).observe(seconds);
        requests
            .get_or_create(&OfRequest {
                method,
                route,
                status,
            })
            .inc();
    }

    /// Says that a job runs here, so that one that never ends a tick well is seen.
    pub fn expect_job(&self, job: &'static str) {
        let Counters {
            ticks, last_success, ..
        } = &self.0.counters;
        last_success.get_or_create(&OfJob { job }).set(0);
        for outcome in ["ok", "failed"] {
            drop(ticks.get_or_create(&OfJobOutcome { job, outcome }));
        }
    }

    /// Runs a tick of a job and counts what it did.
    ///
    /// # Errors
    /// The tick's own.
    pub async fn tick(&self, job: &'static str, clock: &dyn Clock, tick: impl Future<Output = Tick>) -> Tick {
        let started = clock.monotonic();
        let done = tick.await;
        let took = clock.monotonic().saturating_sub(started);
        let Counters {
            ticks,
            tick_seconds,
            last_success,
            rows,
            ..
        } = &self.0.counters;
        tick_seconds
            .get_or_create(&OfJob { job })
            .observe(took.as_secs_f64());
        let outcome = if done.is_ok() { "ok" } else { "failed" };
        ticks.get_or_create(&OfJobOutcome { job, outcome }).inc();
        let report = match &done {
            Ok(report) => {
                last_success.get_or_create(&OfJob { job }).set(clock.now().secs());
                *report
            }
            Err(_) => trade_core::job::Report::default(),
        };
        for (outcome, count) in [
            ("due", report.due),
            ("changed", report.changed),
            ("taken", report.taken),
            ("failed", report.failed),
        ] {
            rows.get_or_create(&OfJobOutcome { job, outcome })
                .inc_by(count.into());
        }
        done
    }

    /// All of them as text, the counts of the store among them. A store that does not answer is told as
    /// such, and takes nothing from the rest.
    pub async fn text(&self, service: &TradeService) -> String {
        let counts = match tokio::time::timeout(COUNT_WITHIN, service.counts()).await {
            Ok(Ok(counts)) => Some(counts),
            Ok(Err(error)) => {
                tracing::warn!(error = one_line(&error), "the store's rows were not counted");
                None
            }
            Err(_) => {
                tracing::warn!("the store's rows were not counted in time");
                None
            }
        };
        let mut store = Registry::default();
        let now = service.ports().clock.now();
        store.register_collector(Box::new(Counted { counts, now }));
        let mut text = String::new();
        let written: fmt::Result = [&self.0.registry, &store]
            .into_iter()
            .try_for_each(|registry| encode_registry(&mut text, registry))
            .and_then(|()| encode_eof(&mut text));
        if let Err(error) = written {
            tracing::error!(%error, "the metrics were not written");
        }
        text
    }
}

impl Observer for Metrics {
    fn settled(&self, trading: &Trading, lag: Option<Duration>) {
        let of = OfChannel::from(trading.channel);
        if let Some(lag) = lag {
            self.0.counters.lag.get_or_create(&of).observe(lag.as_secs_f64());
        }
        if trading.role == Some(Role::Surplus) {
            self.0.counters.surplus.get_or_create(&of).inc();
        }
    }
}

const fn outcome_of(certainty: Certainty) -> &'static str {
    match certainty {
        Certainty::Rejected => "rejected",
        Certainty::NotSent => "not_sent",
        Certainty::Unknown => "unknown",
    }
}
