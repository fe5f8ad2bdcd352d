//! A circuit breaker: a channel that keeps failing is left alone for a while, then tried with one call.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use async_trait::async_trait;

use crate::{
    Capability, Certainty, Channel, ChannelError, EnterpriseId, ErrorKind, TradingOrderNo,
    handler::{
        Acknowledgement, Closed, NoticeError, Observed, PayHandler, PlaceRequest, Placed, RawNotice,
        RefundQuery, RefundReply, RefundRequest, RequestContent, Verdict, VerifiedNotice,
    },
    port::Clock,
};

/// When to open and for how long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct BreakerPolicy {
    /// Only calls within this time count.
    pub window: Duration,
    /// Fewer calls than this within the window never open it.
    pub min_calls: usize,
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
    /// The next call goes through, or one is under way, to see whether the channel is back.
    HalfOpen,
    /// Calls are refused.
    Open,
}

/// Refuses calls to a failing channel as `NotSent`, so that callers fail fast and the channel recovers.
///
/// Only faults count: a refusal by the channel is an answer.
#[derive(Debug)]
pub struct Breaker {
    inner: Arc<dyn PayHandler>,
    clock: Arc<dyn Clock>,
    policy: BreakerPolicy,
    state: Mutex<State>,
}

#[derive(Debug)]
enum State {
    /// The recent calls: when they ended and whether they failed.
    Closed(VecDeque<(Duration, bool)>),
    Open {
        until: Duration,
    },
    /// One call is under way to see whether the channel is back; it is given up after a while.
    Probing {
        until: Duration,
    },
}

impl Breaker {
    /// Wraps a handler.
    #[must_use]
    pub fn new(inner: Arc<dyn PayHandler>, clock: Arc<dyn Clock>, policy: BreakerPolicy) -> Self {
        Self {
            inner,
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

    async fn guarded<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, ChannelError>> + Send,
    ) -> Result<T, ChannelError> {
        if let Err(wait) = self.admit() {
            let open = ChannelError::new(
                self.channel(),
                operation,
                Certainty::NotSent,
                ErrorKind::BreakerOpen,
            );
            return Err(open.with_retry_after(wait));
        }
        let result = call.await;
        self.record(result.as_ref().is_err_and(counts_as_failure));
        result
    }

    /// Lets a call through, or says how long the breaker stays open.
    fn admit(&self) -> Result<(), Duration> {
        let now = self.clock.monotonic();
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        match &*state {
            State::Closed(_) => Ok(()),
            State::Open { until } | State::Probing { until } if now < *until => {
                Err(until.saturating_sub(now))
            }
            State::Open { .. } | State::Probing { .. } => {
                *state = State::Probing {
                    until: now + self.policy.open_for,
                };
                Ok(())
            }
        }
    }

    fn record(&self, failed: bool) {
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
                let failures = calls.iter().filter(|(_, failed)| *failed).count();
                let enough = calls.len() >= self.policy.min_calls;
                if enough && failures * 100 >= calls.len() * self.policy.failure_percent {
                    tracing::warn!(channel = self.channel().code(), "circuit breaker opens");
                    *state = State::Open {
                        until: now + self.policy.open_for,
                    };
                }
            }
            State::Probing { .. } if failed => {
                *state = State::Open {
                    until: now + self.policy.open_for,
                }
            }
            State::Probing { .. } => *state = State::Closed(VecDeque::new()),
            // A call that began before it opened tells nothing about now.
            State::Open { .. } => {}
        }
    }
}

fn counts_as_failure(error: &ChannelError) -> bool {
    match error.certainty() {
        Certainty::Rejected => false,
        Certainty::NotSent | Certainty::Unknown => true,
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl PayHandler for Breaker {
    fn channel(&self) -> Channel {
        self.inner.channel()
    }

    fn enterprise(&self) -> EnterpriseId {
        self.inner.enterprise()
    }

    fn capability(&self) -> Capability {
        self.inner.capability()
    }

    fn prepare_place(&self, request: &PlaceRequest) -> Result<RequestContent, ChannelError> {
        self.inner.prepare_place(request)
    }

    async fn place(&self, content: &RequestContent) -> Result<Placed, ChannelError> {
        self.guarded("place", self.inner.place(content)).await
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        self.guarded("query", self.inner.query(trading_order_no)).await
    }

    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError> {
        self.guarded("close", self.inner.close(trading_order_no)).await
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        self.inner.prepare_refund(request)
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        self.guarded("refund", self.inner.refund(content)).await
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        self.guarded("query_refund", self.inner.query_refund(query)).await
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        // Verifying needs the channel only to fetch keys, which has limits of its own.
        self.inner.verify_notice(notice).await
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        self.inner.acknowledge(verdict)
    }
}
