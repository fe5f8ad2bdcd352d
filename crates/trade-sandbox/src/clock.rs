//! The sandbox's clock: it runs with the machine's, or stands still, and can be advanced.
//!
//! The only file of this crate that may ask the machine for the time.

use std::{
    sync::atomic::{AtomicI64, Ordering},
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// The time everything in the sandbox goes by, in Unix milliseconds.
#[derive(Debug)]
pub(crate) struct SandboxClock {
    /// Frozen: the time itself. Running: what is added to the machine's time.
    base_ms: AtomicI64,
    /// The same without what the clock was advanced by.
    start_ms: i64,
    frozen: bool,
}

impl SandboxClock {
    /// A clock that shows `start_ms` now (`None`: the machine's time) and runs unless `frozen`.
    pub(crate) fn new(start_ms: Option<i64>, frozen: bool) -> Self {
        let machine = machine_ms();
        let start = start_ms.unwrap_or(machine);
        let base = if frozen {
            start
        } else {
            start.saturating_sub(machine)
        };
        Self {
            base_ms: AtomicI64::new(base),
            start_ms: base,
            frozen,
        }
    }

    /// The time, in Unix milliseconds.
    pub(crate) fn now_ms(&self) -> i64 {
        let base = self.base_ms.load(Ordering::SeqCst);
        if self.frozen {
            base
        } else {
            machine_ms().saturating_add(base)
        }
    }

    /// The time that signatures are made and judged by, in Unix milliseconds.
    ///
    /// A running clock that is advanced leaves it alone: clients keep the machine's time and would take every
    /// signature for stale. A frozen clock's world moves as a whole.
    pub(crate) fn wire_ms(&self) -> i64 {
        if self.frozen {
            self.now_ms()
        } else {
            machine_ms().saturating_add(self.start_ms)
        }
    }

    /// [`Self::wire_ms`] in Unix seconds.
    pub(crate) fn wire_s(&self) -> i64 {
        self.wire_ms().div_euclid(1_000)
    }

    /// Moves the clock forward.
    pub(crate) fn advance(&self, by: Duration) {
        let by_ms = i64::try_from(by.as_millis()).unwrap_or(i64::MAX);
        self.base_ms.fetch_add(by_ms, Ordering::SeqCst);
    }

    /// Whether the clock only moves when it is advanced.
    pub(crate) fn is_frozen(&self) -> bool {
        self.frozen
    }
}

#[expect(clippy::disallowed_methods, reason = "the one place where real time enters")]
fn machine_ms() -> i64 {
    let since_epoch = SystemTime::now()
        .duration_since(UNIX_EPOCH)
        .unwrap_or(Duration::ZERO);
    i64::try_from(since_epoch.as_millis()).unwrap_or(i64::MAX)
}
