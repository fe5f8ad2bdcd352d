//! A circuit breaker around a channel.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    BreakerPolicy, BreakerState, Capability, Certainty, Channel, ChannelError, Circuit, EnterpriseId,
    ErrorKind, TradingOrderNo,
    handler::{
        Acknowledgement, Closed, NoticeError, Observed, PayHandler, PlaceRequest, Placed, RawNotice,
        RefundQuery, RefundReply, RefundRequest, RequestContent, Verdict, VerifiedNotice,
    },
    port::Clock,
};

/// Refuses calls to a failing channel as `NotSent`, so that callers fail fast and the channel recovers.
///
/// Only faults count: a refusal by the channel is an answer.
#[derive(Debug)]
pub struct Breaker {
    inner: Arc<dyn PayHandler>,
    circuit: Circuit,
}

impl Breaker {
    /// Wraps a handler.
    #[must_use]
    pub fn new(inner: Arc<dyn PayHandler>, clock: Arc<dyn Clock>, policy: BreakerPolicy) -> Self {
        let circuit = Circuit::new(inner.channel().code(), clock, policy);
        Self { inner, circuit }
    }

    /// How it stands now.
    #[must_use]
    pub fn state(&self) -> BreakerState {
        self.circuit.state()
    }

    async fn guarded<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, ChannelError>> + Send,
    ) -> Result<T, ChannelError> {
        let permit = self.circuit.admit().map_err(|wait| {
            let kind = ErrorKind::BreakerOpen;
            ChannelError::new(self.channel(), operation, Certainty::NotSent, kind).with_retry_after(wait)
        })?;
        let result = call.await;
        self.circuit
            .record(permit, result.as_ref().is_err_and(counts_as_failure));
        result
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
