//! Wall-clock time that stands until a test moves it, together with the sandbox's.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use async_trait::async_trait;
use trade_core::{SystemClock, Timestamp, port::Clock};

#[derive(Debug)]
pub(crate) struct ToldClock {
    real: SystemClock,
    now_ms: AtomicI64,
}

impl ToldClock {
    pub(crate) fn new(now_ms: i64) -> Self {
        Self {
            real: SystemClock::new(),
            now_ms: AtomicI64::new(now_ms),
        }
    }

    pub(crate) fn set(&self, now_ms: i64) {
        self.now_ms.store(now_ms, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for ToldClock {
    fn now(&self) -> Timestamp {
        Timestamp::from_ms(self.now_ms.load(Ordering::SeqCst))
    }

    fn monotonic(&self) -> Duration {
        self.real.monotonic()
    }

    async fn sleep(&self, duration: Duration) {
        self.real.sleep(duration).await;
    }
}
