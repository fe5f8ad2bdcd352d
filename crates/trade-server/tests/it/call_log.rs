//! The record of calls: written in the background, nothing lost in order, and never in the way.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::sync::Semaphore;
use trade_core::{
    Timestamp, TradingOrderNo,
    memory::MemoryStore,
    port::{CallEntry, CallLog, CallStore, StoreError},
};
use trade_server::infra::CallRecorder;

fn number() -> TradingOrderNo {
    TradingOrderNo::new(1).unwrap()
}

fn call(code: usize) -> CallEntry {
    CallEntry {
        trading_order_no: number(),
        refund_no: None,
        operation: "query".into(),
        at: Timestamp::from_ms(i64::try_from(code).unwrap()),
        took: Duration::from_millis(7),
        outcome: "ok".into(),
        code: code.to_string(),
        request_id: None,
    }
}

/// A store that works only as long as it is let, and fails when told.
#[derive(Debug)]
struct Gated {
    kept: MemoryStore,
    open: Semaphore,
    failing: AtomicBool,
}

impl Gated {
    fn new(writes: usize) -> Arc<Self> {
        Arc::new(Self {
            kept: MemoryStore::default(),
            open: Semaphore::new(writes),
            failing: AtomicBool::new(false),
        })
    }

    async fn codes(&self) -> Vec<usize> {
        let calls = self.kept.calls_of(number()).await.unwrap();
        calls.iter().map(|call| call.code.parse().unwrap()).collect()
    }
}

#[async_trait]
impl CallStore for Gated {
    async fn append_calls(&self, calls: &[CallEntry]) -> Result<(), StoreError> {
        assert!(calls.len() <= 100, "{} at once", calls.len());
        self.open.acquire().await.unwrap().forget();
        if self.failing.load(Ordering::SeqCst) {
            return Err(StoreError {
                operation: "append calls",
                source: "no".into(),
            });
        }
        self.kept.append_calls(calls).await
    }

    async fn calls_of(&self, trading_order_no: TradingOrderNo) -> Result<Vec<CallEntry>, StoreError> {
        self.kept.calls_of(trading_order_no).await
    }

    async fn prune_calls(&self, before: Timestamp, limit: u32) -> Result<u64, StoreError> {
        self.kept.prune_calls(before, limit).await
    }
}

#[tokio::test]
async fn what_is_noted_is_written_when_it_ends() {
    let store = Gated::new(1000);
    let (recorder, writer) = CallRecorder::start(store.clone());
    for code in 0..250 {
        recorder.note(call(code));
    }
    let dropped = writer.dropped();
    writer.finish().await;
    assert!(store.codes().await.into_iter().eq(0..250));
    assert_eq!(dropped.load(Ordering::SeqCst), 0);
    recorder.note(call(251));
    assert_eq!(dropped.load(Ordering::SeqCst), 1, "nobody writes it any more");
}

#[tokio::test(start_paused = true)]
async fn one_call_is_written_soon() {
    let store = Gated::new(1000);
    let (recorder, _writer) = CallRecorder::start(store.clone());
    recorder.note(call(0));
    tokio::time::sleep(Duration::from_millis(250)).await;
    assert_eq!(store.codes().await, [0]);
}

#[tokio::test(start_paused = true)]
async fn a_store_that_hangs_or_fails_holds_nobody_up() {
    let store = Gated::new(0);
    let (recorder, writer) = CallRecorder::start(store.clone());
    for code in 0..10_000 {
        recorder.note(call(code));
    }
    let dropped = writer.dropped();
    let lost = dropped.load(Ordering::SeqCst);
    assert!(
        (1..10_000).contains(&lost),
        "what does not fit is dropped: {lost}"
    );
    store.open.add_permits(1_000_000);
    store.failing.store(true, Ordering::SeqCst);
    tokio::time::sleep(Duration::from_secs(60)).await;
    assert_eq!(
        dropped.load(Ordering::SeqCst),
        10_000,
        "all that failed is counted"
    );
    store.failing.store(false, Ordering::SeqCst);
    recorder.note(call(10_000));
    writer.finish().await;
    assert_eq!(store.codes().await, [10_000], "it goes on when the store does");
}
