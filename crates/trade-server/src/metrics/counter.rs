//! What is counted as it happens.

use prometheus_client::{
    metrics::{counter::Counter, family::Family, gauge::Gauge, histogram::Histogram},
    registry::Registry,
};
use trade_core::Channel;

use super::{
    code,
    label::{OfCall, OfChannel, OfError, OfJob, OfJobOutcome, OfOperation, OfRefusal, OfRequest, OfRoute},
};

pub(super) type Histograms<L> = Family<L, Histogram, fn() -> Histogram>;

/// What is counted as it happens.
#[derive(Debug, Clone)]
pub(super) struct Counters {
    pub(super) lag: Histograms<OfChannel>,
    pub(super) surplus: Family<OfChannel, Counter>,
    pub(super) taken: Family<OfChannel, Counter>,
    pub(super) refused: Family<OfRefusal, Counter>,
    pub(super) put_off: Family<OfRefusal, Counter>,
    pub(super) calls: Family<OfCall, Counter>,
    pub(super) call_seconds: Histograms<OfOperation>,
    pub(super) errors: Family<OfError, Counter>,
    pub(super) requests: Family<OfRequest, Counter>,
    pub(super) request_seconds: Histograms<OfRoute>,
    pub(super) ticks: Family<OfJobOutcome, Counter>,
    pub(super) tick_seconds: Histograms<OfJob>,
    pub(super) last_success: Family<OfJob, Gauge>,
    pub(super) rows: Family<OfJobOutcome, Counter>,
}

/// From a notice that came at once to a poll of the next day.
fn lags() -> Histogram {
    Histogram::new([
        0.5, 1.0, 2.0, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0, 900.0, 3600.0, 14400.0, 86400.0,
    ])
}

/// From an answer out of memory to the longest call there may be, retries included.
fn durations() -> Histogram {
    Histogram::new([
        0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0,
    ])
}

impl Default for Counters {
    fn default() -> Self {
        Self {
            lag: Family::new_with_constructor(lags),
            surplus: Family::default(),
            taken: Family::default(),
            refused: Family::default(),
            put_off: Family::default(),
            calls: Family::default(),
            call_seconds: Family::new_with_constructor(durations),
            errors: Family::default(),
            requests: Family::default(),
            request_seconds: Family::new_with_constructor(durations),
            ticks: Family::default(),
            tick_seconds: Family::new_with_constructor(durations),
            last_success: Family::default(),
            rows: Family::default(),
        }
    }
}

impl Counters {
    pub(super) fn register(&self, to: &mut Registry) {
        to.register(
            "trade_paid_to_settled_seconds",
            "From the channel's time of a payment to the commit of its settlement",
            self.lag.clone(),
        );
        to.register(
            "trade_surplus_payments",
            "Second payments of an order, which go back by themselves",
            self.surplus.clone(),
        );
        to.register(
            "trade_notices_taken",
            "Notices of the channels that were taken, repeats included",
            self.taken.clone(),
        );
        to.register(
            "trade_notices_refused",
            "Notices that were not believed, or are not ours",
            self.refused.clone(),
        );
        to.register(
            "trade_notices_put_off",
            "Notices that could not be taken just now: the channel sends them again",
            self.put_off.clone(),
        );
        to.register(
            "trade_channel_calls",
            "Calls to the channels, each attempt",
            self.calls.clone(),
        );
        to.register(
            "trade_channel_call_seconds",
            "How long calls to the channels took that were sent",
            self.call_seconds.clone(),
        );
        to.register(
            "trade_channel_errors",
            "Calls that failed, by the channel's code or our kind of failure",
            self.errors.clone(),
        );
        to.register(
            "trade_http_requests",
            "HTTP requests answered, by template of the route",
            self.requests.clone(),
        );
        to.register(
            "trade_http_request_seconds",
            "How long HTTP requests took to be answered",
            self.request_seconds.clone(),
        );
        to.register(
            "trade_job_ticks",
            "Ticks of the jobs of this instance",
            self.ticks.clone(),
        );
        to.register(
            "trade_job_tick_seconds",
            "How long a tick took",
            self.tick_seconds.clone(),
        );
        to.register(
            "trade_job_last_success_timestamp_seconds",
            "When the job last ended a tick well; 0 before the first",
            self.last_success.clone(),
        );
        to.register("trade_job_rows", "Rows the jobs worked on", self.rows.clone());
    }

    /// What is known to come is there from the start at zero, so that its first time is seen as a change.
    pub(super) fn prepare(&self) {
        for channel in Channel::ALL {
            let labels = OfChannel::from(channel);
            drop(self.lag.get_or_create(&labels));
            drop(self.surplus.get_or_create(&labels));
            drop(self.taken.get_or_create(&labels));
            let channel = channel.code();
            let bad_signature = OfRefusal {
                channel,
                reason: "bad_signature",
            };
            drop(self.refused.get_or_create(&bad_signature));
            let store_failed = OfRefusal {
                channel,
                reason: "store_failed",
            };
            drop(self.put_off.get_or_create(&store_failed));
            let code = code::OTHER.to_owned();
            drop(self.errors.get_or_create(&OfError { channel, code }));
            for operation in ["place", "query", "close", "refund", "query_refund"] {
                drop(
                    self.call_seconds
                        .get_or_create(&OfOperation { channel, operation }),
                );
                for outcome in ["ok", "rejected", "not_sent", "unknown"] {
                    drop(self.calls.get_or_create(&OfCall {
                        channel,
                        operation,
                        outcome,
                    }));
                }
            }
        }
    }
}
