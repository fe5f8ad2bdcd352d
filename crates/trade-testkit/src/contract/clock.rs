//! What every [`Clock`] promises.

use std::{fmt, future::Future, sync::Arc, time::Duration};

use futures_util::future::join_all;
use trade_core::port::Clock;

use super::Promise;

/// A clock under test and what makes its time pass.
#[derive(Clone)]
pub struct Subject {
    /// The clock.
    pub clock: Arc<dyn Clock>,
    /// Moves the time of a simulated clock on; does nothing for a real one, whose time passes by itself.
    pub pass: Arc<dyn Fn(Duration) + Send + Sync>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("clock", &self.clock)
            .finish_non_exhaustive()
    }
}

/// Every promise of a clock.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    vec![
        Promise::new(monotonic_never_goes_back),
        Promise::new(sleep_ends_not_early),
        Promise::new(sleep_of_nothing_ends_at_once),
        Promise::new(every_sleeper_wakes),
        Promise::new(dropped_sleep_disturbs_nobody),
    ]
}

const NAP: Duration = Duration::from_millis(50);

/// Lets time pass in small steps until `work` is done.
async fn pass_until<T>(subject: &Subject, work: impl Future<Output = T>) -> T {
    let ticking = async {
        loop {
            tokio::time::sleep(Duration::from_millis(1)).await;
            (subject.pass)(Duration::from_millis(10));
        }
    };
    tokio::select! {
        done = work => done,
        () = ticking => unreachable!("time passes for ever"),
    }
}

/// Monotonic time stands or goes on.
pub async fn monotonic_never_goes_back(subject: Subject) {
    let mut last = subject.clock.monotonic();
    for _ in 0..1000 {
        let now = subject.clock.monotonic();
        assert!(now >= last, "{now:?} after {last:?}");
        last = now;
        (subject.pass)(Duration::from_millis(1));
    }
}

/// A sleep ends, and not before its time.
pub async fn sleep_ends_not_early(subject: Subject) {
    let before = subject.clock.monotonic();
    pass_until(&subject, subject.clock.sleep(NAP)).await;
    let slept = subject.clock.monotonic().saturating_sub(before);
    assert!(slept >= NAP, "slept only {slept:?}");
}

/// A sleep of no length does not wait for time to pass.
pub async fn sleep_of_nothing_ends_at_once(subject: Subject) {
    subject.clock.sleep(Duration::ZERO).await;
}

/// Many sleepers of different lengths all wake, each not before its time.
pub async fn every_sleeper_wakes(subject: Subject) {
    let start = subject.clock.monotonic();
    let sleepers = (1..=20_u32).map(|number| {
        let clock = Arc::clone(&subject.clock);
        async move {
            let length = NAP.saturating_mul(number) / 10;
            clock.sleep(length).await;
            clock.monotonic() >= start.saturating_add(length)
        }
    });
    let woken = pass_until(&subject, join_all(sleepers)).await;
    assert!(woken.into_iter().all(|in_time| in_time));
}

/// A sleep that is dropped ends the wait and leaves the other sleepers alone.
pub async fn dropped_sleep_disturbs_nobody(subject: Subject) {
    let sleeper = {
        let clock = Arc::clone(&subject.clock);
        tokio::spawn(async move { clock.sleep(NAP).await })
    };
    for _ in 0..10 {
        let dropped = tokio::time::timeout(Duration::ZERO, subject.clock.sleep(NAP));
        let _ = dropped.await;
    }
    pass_until(&subject, sleeper).await.expect("the sleeper wakes");
}
