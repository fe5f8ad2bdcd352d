//! The wrappers, around a channel that fails as told.

use std::{sync::Arc, time::Duration};

use trade_core::{
    Certainty, Channel, ChannelError, ErrorKind, Timestamp, TradingOrderNo,
    handler::{Breaker, BreakerPolicy, BreakerState, PayHandler, Retry, RetryPolicy, Timeout, Trace},
    memory::ManualClock,
    port::Clock,
};

use crate::support::{FakeChannel, Fault};

fn number() -> TradingOrderNo {
    TradingOrderNo::new(7).unwrap()
}

fn base() -> (Arc<ManualClock>, Arc<FakeChannel>) {
    let clock = Arc::new(ManualClock::new(Timestamp::from_ms(1_790_000_000_000)));
    (
        clock.clone(),
        Arc::new(FakeChannel::new(Channel::WechatPay, clock)),
    )
}

/// Runs a call while time passes.
async fn while_time_passes<T>(clock: &ManualClock, call: impl Future<Output = T>) -> T {
    let ticking = async {
        loop {
            tokio::task::yield_now().await;
            clock.advance(Duration::from_millis(50));
        }
    };
    tokio::select! {
        result = call => result,
        () = ticking => unreachable!("time never ends"),
    }
}

#[tokio::test]
async fn retry_repeats_what_was_not_sent_and_what_only_asks() {
    let (clock, channel) = base();
    let retry = Retry::new(channel.clone(), clock.clone(), RetryPolicy::default());
    channel.fail([Fault::NotSent, Fault::NotSent]);
    while_time_passes(&clock, retry.close(number())).await.unwrap();
    assert_eq!(channel.calls("close"), 3);

    channel.fail([Fault::LostBefore]);
    let error = while_time_passes(&clock, retry.close(number()))
        .await
        .unwrap_err();
    assert_eq!(error.certainty(), Certainty::Unknown);
    assert_eq!(
        channel.calls("close"),
        4,
        "an unknown outcome is not repeated blindly"
    );

    channel.fail([Fault::LostBefore, Fault::NotSent]);
    while_time_passes(&clock, retry.query(number())).await.unwrap();
    assert_eq!(channel.calls("query"), 3);

    channel.fail([Fault::NotSent; 3]);
    while_time_passes(&clock, retry.query(number()))
        .await
        .unwrap_err();
    assert_eq!(channel.calls("query"), 6, "attempts are bounded");
}

#[tokio::test]
async fn a_timeout_leaves_the_outcome_unknown() {
    let (clock, channel) = base();
    let slow = Arc::new(Slow(channel, clock.clone()));
    let timed = Timeout::new(slow, clock.clone(), Duration::from_secs(8));
    let started = clock.monotonic();
    let error = while_time_passes(&clock, timed.query(number()))
        .await
        .unwrap_err();
    assert_eq!(
        (error.certainty(), error.kind()),
        (Certainty::Unknown, ErrorKind::Timeout)
    );
    let took = clock.monotonic() - started;
    assert!(
        took >= Duration::from_secs(8) && took < Duration::from_secs(9),
        "{took:?}"
    );
}

#[tokio::test]
async fn the_breaker_opens_fails_fast_probes_once_and_closes() {
    let (clock, channel) = base();
    let policy = BreakerPolicy {
        min_calls: 4,
        ..BreakerPolicy::default()
    };
    let breaker = Breaker::new(channel.clone(), clock.clone(), policy);
    assert_eq!(breaker.state(), BreakerState::Closed);
    channel.fail([Fault::LostBefore; 4]);
    for _ in 0..4 {
        breaker.query(number()).await.unwrap_err();
    }
    assert_eq!(breaker.state(), BreakerState::Open);
    let error = breaker.query(number()).await.unwrap_err();
    assert_eq!(
        (error.kind(), error.certainty()),
        (ErrorKind::BreakerOpen, Certainty::NotSent)
    );
    assert!(error.retry_after().is_some());
    assert_eq!(channel.calls("query"), 4, "nothing was sent");

    clock.advance(Duration::from_secs(10));
    assert_eq!(
        breaker.state(),
        BreakerState::HalfOpen,
        "the next call is let through"
    );
    channel.fail([Fault::LostBefore]);
    breaker.query(number()).await.unwrap_err();
    assert_eq!(breaker.state(), BreakerState::Open);
    assert_eq!(
        breaker.query(number()).await.unwrap_err().kind(),
        ErrorKind::BreakerOpen
    );
    assert_eq!(channel.calls("query"), 5, "one probe, and it failed");

    clock.advance(Duration::from_secs(10));
    breaker.query(number()).await.unwrap();
    assert_eq!(breaker.state(), BreakerState::Closed);
    breaker.query(number()).await.unwrap();
}

#[tokio::test]
async fn refusals_do_not_open_the_breaker() {
    let (clock, channel) = base();
    let breaker = Breaker::new(
        channel.clone(),
        clock,
        BreakerPolicy {
            min_calls: 2,
            ..BreakerPolicy::default()
        },
    );
    channel.fail([Fault::Reject(ErrorKind::NotFound); 10]);
    for _ in 0..10 {
        assert_eq!(
            breaker.query(number()).await.unwrap_err().kind(),
            ErrorKind::NotFound
        );
    }
}

#[tokio::test]
async fn a_full_stack_still_tells_who_it_is() {
    let (clock, channel) = base();
    let timed: Arc<dyn PayHandler> = Arc::new(Timeout::new(
        channel.clone(),
        clock.clone(),
        Duration::from_secs(8),
    ));
    let guarded = Arc::new(Breaker::new(timed, clock.clone(), BreakerPolicy::default()));
    let retried = Arc::new(Retry::new(guarded, clock.clone(), RetryPolicy::default()));
    let traced = Trace::new(retried, clock);
    assert_eq!(
        (traced.channel(), traced.enterprise()),
        (channel.channel(), channel.enterprise())
    );
    assert_eq!(traced.capability(), channel.capability());
    traced.query(number()).await.unwrap();
}

/// A channel that never answers a query.
#[derive(Debug)]
struct Slow(Arc<FakeChannel>, Arc<ManualClock>);

#[async_trait::async_trait]
impl PayHandler for Slow {
    fn channel(&self) -> Channel {
        self.0.channel()
    }
    fn enterprise(&self) -> trade_core::EnterpriseId {
        self.0.enterprise()
    }
    fn capability(&self) -> trade_core::Capability {
        self.0.capability()
    }
    fn prepare_place(
        &self,
        request: &trade_core::handler::PlaceRequest,
    ) -> Result<trade_core::handler::RequestContent, ChannelError> {
        self.0.prepare_place(request)
    }
    async fn place(
        &self,
        content: &trade_core::handler::RequestContent,
    ) -> Result<trade_core::handler::Placed, ChannelError> {
        self.0.place(content).await
    }
    async fn query(&self, number: TradingOrderNo) -> Result<trade_core::handler::Observed, ChannelError> {
        self.1.sleep(Duration::from_secs(3600)).await;
        self.0.query(number).await
    }
    async fn close(&self, number: TradingOrderNo) -> Result<trade_core::handler::Closed, ChannelError> {
        self.0.close(number).await
    }
    fn prepare_refund(
        &self,
        request: &trade_core::handler::RefundRequest,
    ) -> Result<trade_core::handler::RequestContent, ChannelError> {
        self.0.prepare_refund(request)
    }
    async fn refund(
        &self,
        content: &trade_core::handler::RequestContent,
    ) -> Result<trade_core::handler::RefundReply, ChannelError> {
        self.0.refund(content).await
    }
    async fn query_refund(
        &self,
        query: &trade_core::handler::RefundQuery,
    ) -> Result<trade_core::handler::RefundReply, ChannelError> {
        self.0.query_refund(query).await
    }
    async fn verify_notice(
        &self,
        notice: &trade_core::handler::RawNotice,
    ) -> Result<trade_core::handler::VerifiedNotice, trade_core::handler::NoticeError> {
        self.0.verify_notice(notice).await
    }
    fn acknowledge(&self, verdict: trade_core::handler::Verdict<'_>) -> trade_core::handler::Acknowledgement {
        self.0.acknowledge(verdict)
    }
}
