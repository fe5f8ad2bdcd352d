//! Work done by many at once, and how long each had to wait.

use std::{future::Future, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::time::Instant;

/// How long each piece of work took, the shortest first, and all of them together.
pub(crate) struct Load {
    took: Vec<Duration>,
    elapsed: Duration,
}

impl Load {
    /// Does it all, so many pieces at once.
    pub(crate) async fn run<T, W, F>(items: Vec<T>, at_once: usize, work: W) -> (Self, Vec<F::Output>)
    where
        W: Fn(T) -> F,
        F: Future,
    {
        let begun = Instant::now();
        let done: Vec<_> = stream::iter(items)
            .map(|item| {
                let piece = work(item);
                async move {
                    let begun = Instant::now();
                    let output = piece.await;
                    (begun.elapsed(), output)
                }
            })
            .buffer_unordered(at_once)
            .collect()
            .await;
        let elapsed = begun.elapsed();
        let (mut took, outputs): (Vec<_>, Vec<_>) = done.into_iter().unzip();
        took.sort();
        (Self { took, elapsed }, outputs)
    }

    /// What so many of a hundred do not exceed.
    fn percentile(&self, percent: usize) -> Duration {
        let last = self.took.len() - 1;
        self.took[last * percent / 100]
    }

    /// How many in a second, and how long they took.
    pub(crate) fn rate_and_latency(&self) -> String {
        let rate = rate(self.took.len().try_into().unwrap(), self.elapsed);
        let (p50, p99) = (ms(self.percentile(50)), ms(self.percentile(99)));
        format!("{rate}/s, p50 {p50} ms, p99 {p99} ms")
    }

    /// The median and the longest.
    pub(crate) fn typical_and_worst(&self) -> String {
        let (typical, worst) = (self.percentile(50), self.percentile(100));
        format!("{} ms (worst {})", ms(typical), ms(worst))
    }
}

/// So many in a second.
pub(crate) fn rate(count: u64, elapsed: Duration) -> u128 {
    u128::from(count) * 1_000_000 / elapsed.as_micros().max(1)
}

/// Milliseconds with one decimal.
fn ms(duration: Duration) -> String {
    let tenths = (duration.as_micros() + 50) / 100;
    format!("{}.{}", tenths / 10, tenths % 10)
}
