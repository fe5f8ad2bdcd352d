//! The ports of the server, with a fail point before each call and after each that changes something.

use std::{
    fs::OpenOptions,
    future::Future,
    io::Write,
    path::PathBuf,
    sync::{Arc, OnceLock},
    time::Duration,
};

use async_trait::async_trait;
use trade_core::{
    Capability, Channel, ChannelError, EnterpriseId, Event, IdError, TradingOrderNo,
    handler::{
        Acknowledgement, Closed, NoticeError, Observed, PayHandler, PlaceRequest, Placed, RawNotice,
        RefundQuery, RefundReply, RefundRequest, Registry, RequestContent, Verdict, VerifiedNotice,
    },
    port::{EventSink, IdSource, Lock, LockError, LockToken, SinkError, StoreError, TradeStore},
    service::{Policy, Ports},
};
use trade_server::wire::Decorate;
use trade_testkit::gated::{Gate, GatedStore, Operation};

use super::points::Points;

/// Where a process writes the events it has announced.
pub(crate) const ANNOUNCED: &str = "announced.log";

/// Puts fail points around the ports of a server.
#[derive(Debug)]
pub(crate) struct Around {
    pub(crate) points: Arc<Points>,
    pub(crate) folder: PathBuf,
    /// The sink the server announces to, for whoever ticks its jobs.
    pub(crate) sink: OnceLock<Arc<dyn EventSink>>,
}

impl Decorate for Around {
    fn store(&self, store: Arc<dyn TradeStore>) -> Arc<dyn TradeStore> {
        Arc::new(GatedStore::new(store, PointGate(Arc::clone(&self.points))))
    }

    fn service(&self, ports: Ports, policy: Policy) -> (Ports, Policy) {
        let around = |handler| -> Arc<dyn PayHandler> {
            Arc::new(PointedHandler {
                inner: handler,
                points: Arc::clone(&self.points),
            })
        };
        let entries = ports.registry.entries().into_iter();
        let handlers = entries.filter_map(|(merchant, channel)| ports.registry.get(merchant, channel));
        let ports = Ports {
            registry: Registry::new(handlers.map(around)),
            ids: Arc::new(PointedIds(Arc::clone(&ports.ids), Arc::clone(&self.points))),
            lock: Arc::new(PointedLock(Arc::clone(&ports.lock), Arc::clone(&self.points))),
            ..ports
        };
        (ports, policy)
    }

    fn sink(&self, sink: Arc<dyn EventSink>) -> Arc<dyn EventSink> {
        let sink: Arc<dyn EventSink> = Arc::new(PointedSink {
            inner: sink,
            points: Arc::clone(&self.points),
            announced: self.folder.join(ANNOUNCED),
        });
        self.sink.set(Arc::clone(&sink)).unwrap();
        sink
    }
}

#[derive(Debug)]
struct PointGate(Arc<Points>);

impl Gate for PointGate {
    async fn pass<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        self.0.reach(operation.name, "before");
        let answer = call.await;
        if operation.writes {
            self.0.reach(operation.name, "after");
        }
        answer
    }
}

#[derive(Debug)]
struct PointedHandler {
    inner: Arc<dyn PayHandler>,
    points: Arc<Points>,
}

#[async_trait]
impl PayHandler for PointedHandler {
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
        self.points.reach("PayHandler::place", "before");
        let placed = self.inner.place(content).await;
        self.points.reach("PayHandler::place", "after");
        placed
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        self.points.reach("PayHandler::query", "before");
        self.inner.query(trading_order_no).await
    }

    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError> {
        self.points.reach("PayHandler::close", "before");
        let closed = self.inner.close(trading_order_no).await;
        self.points.reach("PayHandler::close", "after");
        closed
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        self.inner.prepare_refund(request)
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        self.points.reach("PayHandler::refund", "before");
        let reply = self.inner.refund(content).await;
        self.points.reach("PayHandler::refund", "after");
        reply
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        self.points.reach("PayHandler::query_refund", "before");
        self.inner.query_refund(query).await
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        self.points.reach("PayHandler::verify_notice", "before");
        self.inner.verify_notice(notice).await
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        self.inner.acknowledge(verdict)
    }
}

#[derive(Debug)]
struct PointedIds(Arc<dyn IdSource>, Arc<Points>);

#[async_trait]
impl IdSource for PointedIds {
    async fn next(&self) -> Result<i64, IdError> {
        self.1.reach("IdSource::next", "before");
        self.0.next().await
    }
}

#[derive(Debug)]
struct PointedLock(Arc<dyn Lock>, Arc<Points>);

#[async_trait]
impl Lock for PointedLock {
    async fn acquire(&self, key: &str, wait: Duration) -> Result<LockToken, LockError> {
        self.1.reach("Lock::acquire", "before");
        self.0.acquire(key, wait).await
    }

    async fn release(&self, token: LockToken) {
        self.1.reach("Lock::release", "before");
        self.0.release(token).await;
    }
}

#[derive(Debug)]
struct PointedSink {
    inner: Arc<dyn EventSink>,
    points: Arc<Points>,
    announced: PathBuf,
}

#[async_trait]
impl EventSink for PointedSink {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        self.points.reach("EventSink::publish", "before");
        self.inner.publish(event).await?;
        let mut log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(&self.announced)
            .unwrap();
        writeln!(log, "{}", event.event_id).unwrap();
        self.points.reach("EventSink::publish", "after");
        Ok(())
    }
}
