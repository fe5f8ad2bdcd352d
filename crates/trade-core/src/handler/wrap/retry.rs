//! Sends again what is certain not to have happened, and asks again what only asks.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;

use crate::{
    Capability, Certainty, Channel, ChannelError, EnterpriseId, ErrorKind, TradingOrderNo,
    handler::{
        Acknowledgement, Closed, NoticeError, Observed, PayHandler, PlaceRequest, Placed, RawNotice,
        RefundQuery, RefundReply, RefundRequest, RequestContent, Verdict, VerifiedNotice,
    },
    port::Clock,
};

/// How often and how fast to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RetryPolicy {
    /// Attempts in all, the first included.
    pub attempts: u32,
    /// The wait before the second attempt; it doubles with each further one.
    pub first_wait: Duration,
    /// No wait is longer. A channel that wants to be left alone for longer is not retried at all.
    pub longest_wait: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 3,
            first_wait: Duration::from_millis(200),
            longest_wait: Duration::from_secs(2),
        }
    }
}

/// What kind of call it is, for the decision to try again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Call {
    /// Moves money or makes it movable: only what was certainly not sent is sent again.
    Acts,
    /// Only asks: asking again can do no harm.
    Asks,
}

/// Retries within [`RetryPolicy`], by certainty.
#[derive(Debug)]
pub struct Retry {
    inner: Arc<dyn PayHandler>,
    clock: Arc<dyn Clock>,
    policy: RetryPolicy,
}

impl RetryPolicy {
    /// The wait before another attempt, or `None` when this was the last.
    fn next_wait(&self, call: Call, error: &ChannelError, attempt: u32) -> Option<Duration> {
        let again = match (error.certainty(), call) {
            (Certainty::NotSent, _) => error.kind() != ErrorKind::BreakerOpen,
            (Certainty::Unknown, Call::Asks) => true,
            (Certainty::Unknown, Call::Acts) | (Certainty::Rejected, _) => false,
        };
        if !again || attempt >= self.attempts {
            return None;
        }
        let doubled = self
            .first_wait
            .saturating_mul(1_u32 << attempt.saturating_sub(1).min(16));
        match error.retry_after() {
            Some(wanted) if wanted > self.longest_wait => None,
            Some(wanted) => Some(wanted.max(doubled.min(self.longest_wait))),
            None => Some(doubled.min(self.longest_wait)),
        }
    }
}

impl Retry {
    /// Wraps a handler.
    #[must_use]
    pub fn new(inner: Arc<dyn PayHandler>, clock: Arc<dyn Clock>, policy: RetryPolicy) -> Self {
        Self { inner, clock, policy }
    }

    async fn retried<T, F>(
        &self,
        call: Call,
        mut attempt_once: impl FnMut() -> F + Send,
    ) -> Result<T, ChannelError>
    where
        F: Future<Output = Result<T, ChannelError>> + Send,
        T: Send,
    {
        let mut attempt = 1;
        loop {
            let error = match attempt_once().await {
                Ok(reply) => return Ok(reply),
                Err(error) => error,
            };
            let Some(wait) = self.policy.next_wait(call, &error, attempt) else {
                return Err(error);
            };
            self.clock.sleep(wait).await;
            attempt += 1;
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl PayHandler for Retry {
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
        self.retried(Call::Acts, || self.inner.place(content)).await
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        self.retried(Call::Asks, || self.inner.query(trading_order_no))
            .await
    }

    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError> {
        self.retried(Call::Acts, || self.inner.close(trading_order_no))
            .await
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        self.inner.prepare_refund(request)
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        self.retried(Call::Acts, || self.inner.refund(content)).await
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        self.retried(Call::Asks, || self.inner.query_refund(query)).await
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        // The channel itself delivers again; a second look here would only delay the answer.
        self.inner.verify_notice(notice).await
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        self.inner.acknowledge(verdict)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_harmless_repeats_happen() {
        let policy = RetryPolicy::default();
        let error = |certainty, kind| ChannelError::new(Channel::AliPay, "x", certainty, kind);
        let wait = |call, certainty, kind, attempt| policy.next_wait(call, &error(certainty, kind), attempt);
        let ms = |n| Some(Duration::from_millis(n));
        assert_eq!(
            wait(Call::Acts, Certainty::NotSent, ErrorKind::Network, 1),
            ms(200)
        );
        assert_eq!(
            wait(Call::Acts, Certainty::NotSent, ErrorKind::Network, 2),
            ms(400)
        );
        assert_eq!(wait(Call::Acts, Certainty::NotSent, ErrorKind::Network, 3), None);
        assert_eq!(wait(Call::Acts, Certainty::Unknown, ErrorKind::Timeout, 1), None);
        assert_eq!(
            wait(Call::Asks, Certainty::Unknown, ErrorKind::Timeout, 1),
            ms(200)
        );
        assert_eq!(
            wait(Call::Asks, Certainty::Rejected, ErrorKind::NotFound, 1),
            None
        );
        assert_eq!(
            wait(Call::Acts, Certainty::NotSent, ErrorKind::BreakerOpen, 1),
            None
        );
        let limited = |secs| {
            error(Certainty::NotSent, ErrorKind::RateLimited).with_retry_after(Duration::from_secs(secs))
        };
        assert_eq!(policy.next_wait(Call::Acts, &limited(1), 1), ms(1000));
        assert_eq!(policy.next_wait(Call::Acts, &limited(60), 1), None);
    }
}
