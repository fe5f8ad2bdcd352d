//! The lock in memory, on the real clock.

use std::{sync::Arc, time::Duration};

use trade_core::{SystemClock, memory::MemoryLock};
use trade_testkit::contract::{self, lock};

const LEASE: Duration = Duration::from_millis(500);

#[tokio::test(flavor = "multi_thread")]
async fn memory_lock_keeps_every_promise() {
    contract::check_all(lock::promises(), async || lock::Subject {
        lock: Arc::new(MemoryLock::new(Arc::new(SystemClock::new()), LEASE)),
        lease: LEASE,
    })
    .await;
}
