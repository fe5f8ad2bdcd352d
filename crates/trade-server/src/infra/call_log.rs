//! The record of channel calls: taken note of without waiting, written in the background in batches.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    sync::{mpsc, watch},
    task::JoinHandle,
    time::{Instant, MissedTickBehavior, interval},
};
use trade_core::port::{CallEntry, CallLog, CallStore};

use crate::causes::one_line;

/// So many calls may wait to be written; what comes beyond is dropped rather than slowing a payment.
const WAITING: usize = 4096;
/// So many are written at once.
const BATCH: usize = 100;
/// A call waits no longer than this for others to be written with.
const WRITE_EVERY: Duration = Duration::from_millis(200);
/// What was dropped is logged no more often than this.
const COMPLAIN_EVERY: Duration = Duration::from_secs(60);

/// Takes note of calls and hands them to its [`CallWriter`].
#[derive(Debug)]
pub struct CallRecorder {
    calls: mpsc::Sender<CallEntry>,
    dropped: Arc<AtomicU64>,
}

/// Writes what its [`CallRecorder`] took note of.
#[derive(Debug)]
pub struct CallWriter {
    task: JoinHandle<()>,
    stop: watch::Sender<bool>,
    dropped: Arc<AtomicU64>,
}

impl CallRecorder {
    /// A recorder, and the task that writes to `store`.
    #[must_use]
    pub fn start(store: Arc<dyn CallStore>) -> (Self, CallWriter) {
        let (calls, waiting) = mpsc::channel(WAITING);
        let (stop, stopped) = watch::channel(false);
        let dropped = Arc::new(AtomicU64::new(0));
        let keeper = Keeper {
            store,
            dropped: Arc::clone(&dropped),
        };
        let writer = CallWriter {
            task: tokio::spawn(keeper.run(waiting, stopped)),
            stop,
            dropped: Arc::clone(&dropped),
        };
        (Self { calls, dropped }, writer)
    }
}

impl CallLog for CallRecorder {
    fn note(&self, call: CallEntry) {
        if self.calls.try_send(call).is_err() {
            self.dropped.fetch_add(1, Ordering::Relaxed);
        }
    }
}

impl CallWriter {
    /// How many calls were lost since the start, as it counts on.
    #[must_use]
    pub fn dropped(&self) -> Arc<AtomicU64> {
        Arc::clone(&self.dropped)
    }

    /// Writes what still waits, and ends. Calls that are noted later are dropped.
    pub async fn finish(self) {
        self.stop.send_replace(true);
        if self.task.await.is_err() {
            tracing::error!("the record of calls ended early");
        }
    }
}

/// What the task needs.
struct Keeper {
    store: Arc<dyn CallStore>,
    dropped: Arc<AtomicU64>,
}

impl Keeper {
    async fn run(self, mut waiting: mpsc::Receiver<CallEntry>, mut stopped: watch::Receiver<bool>) {
        let mut complaint = interval(COMPLAIN_EVERY);
        complaint.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut told = 0;
        let mut batch = Vec::with_capacity(BATCH);
        loop {
            let open = tokio::select! {
                open = collect(&mut waiting, &mut batch) => open,
                _ = complaint.tick() => {
                    told = self.complain(told);
                    continue;
                }
                _ = stopped.wait_for(|stop| *stop) => false,
            };
            self.write(&mut batch).await;
            if !open {
                break;
            }
        }
        waiting.close();
        while let Ok(call) = waiting.try_recv() {
            batch.push(call);
            if batch.len() >= BATCH {
                self.write(&mut batch).await;
            }
        }
        self.write(&mut batch).await;
        self.complain(told);
    }

    async fn write(&self, batch: &mut Vec<CallEntry>) {
        if batch.is_empty() {
            return;
        }
        if let Err(error) = self.store.append_calls(batch).await {
            let lost = u64::try_from(batch.len()).unwrap_or(u64::MAX);
            self.dropped.fetch_add(lost, Ordering::Relaxed);
            tracing::debug!(error = one_line(&error), lost, "calls were not recorded");
        }
        batch.clear();
    }

    /// Logs what was dropped since `told`, if anything, and returns the count.
    fn complain(&self, told: u64) -> u64 {
        let dropped = self.dropped.load(Ordering::Relaxed);
        if dropped > told {
            let lost = dropped - told;
            tracing::warn!(
                lost,
                "channel calls are missing in the record: the store is too slow or failing; payments are not affected"
            );
        }
        dropped
    }
}

/// Fills the batch: the first call is waited for, the others only for a moment. What is in the batch
/// stays there when this is dropped. `false` when nobody can note a call any more.
async fn collect(waiting: &mut mpsc::Receiver<CallEntry>, batch: &mut Vec<CallEntry>) -> bool {
    if batch.is_empty() {
        match waiting.recv().await {
            Some(call) => batch.push(call),
            None => return false,
        }
    }
    let until = Instant::now() + WRITE_EVERY;
    while batch.len() < BATCH {
        match tokio::time::timeout_at(until, waiting.recv()).await {
            Ok(Some(call)) => batch.push(call),
            Ok(None) => return false,
            Err(_) => break,
        }
    }
    true
}
