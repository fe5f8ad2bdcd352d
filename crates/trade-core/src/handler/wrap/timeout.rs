//! Bounds every call in time, on the injected clock.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use futures_util::future::{Either, select};

use crate::{
    Capability, Certainty, Channel, ChannelError, EnterpriseId, ErrorKind, TradingOrderNo,
    handler::{
        Acknowledgement, Closed, NoticeError, Observed, PayHandler, PlaceRequest, Placed, RawNotice,
        RefundQuery, RefundReply, RefundRequest, RequestContent, Verdict, VerifiedNotice,
    },
    port::Clock,
};

/// Ends a call that takes longer than the limit. The outcome is then unknown.
#[derive(Debug)]
pub struct Timeout {
    inner: Arc<dyn PayHandler>,
    clock: Arc<dyn Clock>,
    limit: Duration,
}

impl Timeout {
    /// Wraps a handler; `limit` is for one call.
    #[must_use]
    pub fn new(inner: Arc<dyn PayHandler>, clock: Arc<dyn Clock>, limit: Duration) -> Self {
        Self { inner, clock, limit }
    }

    async fn within<T>(
        &self,
        operation: &'static str,
        call: impl Future<Output = Result<T, ChannelError>> + Send,
    ) -> Result<T, ChannelError> {
        let call = std::pin::pin!(call);
        match select(call, self.clock.sleep(self.limit)).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => Err(ChannelError::new(
                self.channel(),
                operation,
                Certainty::Unknown,
                ErrorKind::Timeout,
            )),
        }
    }
}

#[async_trait]
#[deny(clippy::missing_trait_methods)]
impl PayHandler for Timeout {
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
        self.within("place", self.inner.place(content)).await
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        self.within("query", self.inner.query(trading_order_no)).await
    }

    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError> {
        self.within("close", self.inner.close(trading_order_no)).await
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        self.inner.prepare_refund(request)
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        self.within("refund", self.inner.refund(content)).await
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        self.within("query_refund", self.inner.query_refund(query)).await
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        let call = self.inner.verify_notice(notice);
        match select(call, self.clock.sleep(self.limit)).await {
            Either::Left((result, _)) => result,
            Either::Right(((), _)) => {
                let timeout = ChannelError::new(
                    self.channel(),
                    "verify_notice",
                    Certainty::NotSent,
                    ErrorKind::Timeout,
                );
                Err(NoticeError::KeysUnavailable(Box::new(timeout)))
            }
        }
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        self.inner.acknowledge(verdict)
    }
}
