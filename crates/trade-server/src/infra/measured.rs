//! Counts every attempt of a call to a channel.

use std::sync::Arc;

use async_trait::async_trait;
use trade_core::{
    Capability, Channel, ChannelError, EnterpriseId, TradingOrderNo,
    handler::{
        Acknowledgement, Closed, NoticeError, Observed, PayHandler, PlaceRequest, Placed, RawNotice,
        RefundQuery, RefundReply, RefundRequest, RequestContent, Verdict, VerifiedNotice,
    },
    port::Clock,
};

use crate::metrics::Metrics;

/// Wraps a handler; stands within the retries and around the breaker, so that each attempt counts, and what
/// the breaker refused counts as such.
#[derive(Debug)]
pub struct Measured {
    inner: Arc<dyn PayHandler>,
    clock: Arc<dyn Clock>,
    metrics: Metrics,
}

impl Measured {
    /// Wraps a handler.
    #[must_use]
    pub fn new(inner: Arc<dyn PayHandler>, clock: Arc<dyn Clock>, metrics: Metrics) -> Self {
        Self {
            inner,
            clock,
            metrics,
        }
    }

    async fn measured<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, ChannelError>> + Send,
    ) -> Result<T, ChannelError> {
        let started = self.clock.monotonic();
        let result = call.await;
        let took = self.clock.monotonic().saturating_sub(started);
        self.metrics.call(self.channel(), operation, took, &result);
        result
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl PayHandler for Measured {
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
        self.measured("place", self.inner.place(content)).await
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        self.measured("query", self.inner.query(trading_order_no)).await
    }

    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError> {
        self.measured("close", self.inner.close(trading_order_no)).await
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        self.inner.prepare_refund(request)
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        self.measured("refund", self.inner.refund(content)).await
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        self.measured("query_refund", self.inner.query_refund(query))
            .await
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        // What becomes of a notice is counted where it is answered.
        self.inner.verify_notice(notice).await
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        self.inner.acknowledge(verdict)
    }
}
