//! Many worlds, on every core.

use std::{
    ops::Range,
    sync::{
        Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    thread,
};

use super::{Happened, Report, Setup, run};

/// What became of many worlds.
#[derive(Debug, Clone, Default)]
pub struct Many {
    /// How many were run.
    pub worlds: u64,
    /// What happened in all of them.
    pub happened: Happened,
    /// The first one in which something was wrong.
    pub failed: Option<Report>,
}

/// Runs the worlds of these seeds, as `setup` says otherwise, until something is wrong in one.
///
/// # Panics
/// A world panicked; the panic names no seed, so run them singly to find it.
#[must_use]
pub fn run_many(seeds: Range<u64>, setup: &Setup) -> Many {
    let next = AtomicU64::new(seeds.start);
    let many = Mutex::new(Many::default());
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= seeds.end {
                        return;
                    }
                    let report = run(&Setup { seed, ..*setup });
                    let mut many = many.lock().unwrap_or_else(PoisonError::into_inner);
                    many.take(report);
                    if many.failed.is_some() {
                        next.store(seeds.end, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    many.into_inner().unwrap_or_else(PoisonError::into_inner)
}

impl Many {
    fn take(&mut self, report: Report) {
        self.worlds += 1;
        self.happened.add(&report.happened);
        let lowest = self
            .failed
            .as_ref()
            .is_none_or(|failed| report.seed < failed.seed);
        if !report.faults.is_empty() && lowest {
            self.failed = Some(report);
        }
    }
}
