//! What every [`IdSource`] promises: no number twice, whatever happens to the process or the clock.

use std::{collections::HashSet, fmt, future::Future, pin::Pin, sync::Arc, time::Duration};

use trade_core::port::IdSource;

use super::Promise;

/// Starts the source as a new process would, on the same stored state.
pub type Start = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Arc<dyn IdSource>> + Send>> + Send + Sync>;

/// A source under test and what can happen to it.
#[derive(Clone)]
pub struct Subject {
    /// Starts the source.
    pub start: Start,
    /// Sets the wall clock back by that much.
    pub set_back: Arc<dyn Fn(Duration) + Send + Sync>,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject").finish_non_exhaustive()
    }
}

/// Every promise of a source of numbers.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    vec![
        Promise::new(positive_and_growing),
        Promise::new(unique_under_32_tasks),
        Promise::new(restart_goes_on_above),
        Promise::new(clock_set_back_makes_none_twice),
        Promise::new(clock_set_back_before_a_restart_makes_none_twice),
    ]
}

async fn take(ids: &Arc<dyn IdSource>, count: usize) -> Vec<i64> {
    let mut numbers = Vec::with_capacity(count);
    for _ in 0..count {
        numbers.push(ids.next().await.expect("a number"));
    }
    numbers
}

fn assert_above(later: &[i64], earlier: &[i64]) {
    let (last, next) = (earlier.iter().max(), later.iter().min());
    assert!(next > last, "{next:?} after {last:?}");
}

/// Numbers are positive, and one caller's numbers grow.
pub async fn positive_and_growing(subject: Subject) {
    let ids = (subject.start)().await;
    let numbers = take(&ids, 10_000).await;
    assert!(numbers[0] > 0);
    assert!(numbers.windows(2).all(|pair| pair[0] < pair[1]));
}

/// 32 tasks at once never get the same number.
pub async fn unique_under_32_tasks(subject: Subject) {
    let ids = (subject.start)().await;
    let tasks: Vec<_> = (0..32)
        .map(|_| {
            let ids = Arc::clone(&ids);
            tokio::spawn(async move { take(&ids, 500).await })
        })
        .collect();
    let mut seen = HashSet::new();
    for task in tasks {
        for number in task.await.expect("no task panics") {
            assert!(seen.insert(number), "{number} was given out twice");
        }
    }
}

/// A restarted source goes on above every number of the one before, be it stopped at any point.
pub async fn restart_goes_on_above(subject: Subject) {
    let mut earlier = vec![0];
    for count in [1, 4096, 10_000, 1, 3] {
        let ids = (subject.start)().await;
        let numbers = take(&ids, count).await;
        assert_above(&numbers, &earlier);
        earlier = numbers;
    }
}

/// A clock that is set back while the source runs, by whatever, makes no number twice.
pub async fn clock_set_back_makes_none_twice(subject: Subject) {
    let ids = (subject.start)().await;
    let mut earlier = take(&ids, 100).await;
    for back in [1, 1000, 86_400_000] {
        (subject.set_back)(Duration::from_millis(back));
        let numbers = take(&ids, 100).await;
        assert_above(&numbers, &earlier);
        earlier = numbers;
    }
}

/// A clock that is set back a little before a restart makes no number twice.
pub async fn clock_set_back_before_a_restart_makes_none_twice(subject: Subject) {
    let earlier = take(&(subject.start)().await, 100).await;
    (subject.set_back)(Duration::from_secs(30));
    let numbers = take(&(subject.start)().await, 100).await;
    assert_above(&numbers, &earlier);
}
