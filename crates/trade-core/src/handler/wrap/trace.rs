//! Logs every call to a channel once, with its outcome.

use std::sync::Arc;

use async_trait::async_trait;

use crate::{
    Capability, Channel, ChannelError, EnterpriseId, TradingOrderNo,
    handler::{
        Acknowledgement, Closed, NoticeError, Observed, PayHandler, PlaceRequest, Placed, RawNotice,
        RefundQuery, RefundReply, RefundRequest, RequestContent, Verdict, VerifiedNotice,
    },
    port::Clock,
};

/// Logs each call with merchant, channel, duration and outcome. Never the content: it may hold personal data.
#[derive(Debug)]
pub struct Trace {
    inner: Arc<dyn PayHandler>,
    clock: Arc<dyn Clock>,
}

impl Trace {
    /// Wraps a handler.
    #[must_use]
    pub fn new(inner: Arc<dyn PayHandler>, clock: Arc<dyn Clock>) -> Self {
        Self { inner, clock }
    }

    async fn traced<T>(
        &self,
        operation: &'static str,
        request_id: impl Fn(&T) -> Option<String> + Send,
        call: impl Future<Output = Result<T, ChannelError>> + Send,
    ) -> Result<T, ChannelError> {
        let started = self.clock.monotonic();
        let result = call.await;
        let took = self.clock.monotonic().saturating_sub(started).as_millis();
        let duration_ms = u64::try_from(took).unwrap_or(u64::MAX);
        let (channel, enterprise_id) = (self.channel().code(), self.enterprise().get());
        match &result {
            Ok(reply) => {
                let request_id = request_id(reply).unwrap_or_default();
                tracing::info!(
                    channel,
                    enterprise_id,
                    operation,
                    duration_ms,
                    request_id,
                    "channel answered"
                );
            }
            Err(error) => {
                let certainty = format!("{:?}", error.certainty());
                tracing::warn!(channel, enterprise_id, operation, duration_ms, certainty, %error, "channel call failed");
            }
        }
        result
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl PayHandler for Trace {
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
        self.traced(
            "place",
            |reply: &Placed| reply.answer.request_id.clone(),
            self.inner.place(content),
        )
        .await
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        let call = self.inner.query(trading_order_no);
        self.traced("query", |reply: &Observed| reply.answer.request_id.clone(), call)
            .await
    }

    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError> {
        let call = self.inner.close(trading_order_no);
        self.traced("close", |reply: &Closed| reply.answer.request_id.clone(), call)
            .await
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        self.inner.prepare_refund(request)
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        let call = self.inner.refund(content);
        self.traced(
            "refund",
            |reply: &RefundReply| reply.answer.request_id.clone(),
            call,
        )
        .await
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        let call = self.inner.query_refund(query);
        self.traced(
            "query_refund",
            |reply: &RefundReply| reply.answer.request_id.clone(),
            call,
        )
        .await
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        let verified = self.inner.verify_notice(notice).await;
        let (channel, enterprise_id) = (self.channel().code(), self.enterprise().get());
        match &verified {
            Ok(notice) => {
                tracing::info!(
                    channel,
                    enterprise_id,
                    notice_id = notice.notice_id,
                    "notice verified"
                );
            }
            Err(error) => {
                let verdict = error.label();
                tracing::warn!(channel, enterprise_id, verdict, %error, "notice refused");
            }
        }
        verified
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        self.inner.acknowledge(verdict)
    }
}
