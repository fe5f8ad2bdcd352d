//! The clockwork of the jobs: each ticks on its own, and a full tick is followed by another at once.

use std::{
    fmt,
    panic::AssertUnwindSafe,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use futures_util::FutureExt;
use tokio::{sync::watch, task::JoinSet};
use tracing::Instrument;
use trade_core::{
    job::{self, Report, Tick, Work},
    port::{EventSink, Shard},
    service::TradeService,
};

use crate::{causes::one_line, config::Jobs as Settings, metrics::Metrics};

/// What runs by the clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Job {
    /// Asks about pending tradings, and watches closed ones.
    SyncTrading,
    /// Closes what was not paid in time.
    CloseExpired,
    /// Sends refunds and asks about them.
    SyncRefund,
    /// Announces events.
    RelayEvents,
    /// Forgets what is older than it is kept.
    Prune,
}

impl Job {
    /// Every job.
    pub const ALL: [Self; 5] = [
        Self::SyncTrading,
        Self::CloseExpired,
        Self::SyncRefund,
        Self::RelayEvents,
        Self::Prune,
    ];

    /// Its name in routes, logs and metrics.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::SyncTrading => "sync_trading",
            Self::CloseExpired => "close_expired",
            Self::SyncRefund => "sync_refund",
            Self::RelayEvents => "relay_events",
            Self::Prune => "prune",
        }
    }

    /// The job of that name.
    #[must_use]
    pub fn by_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|job| job.name() == name)
    }

    /// How long it rests when nothing is left to do. What is kept for days is not looked for every second.
    fn interval(self, settings: &Settings) -> Duration {
        let seldom = settings.interval_ms.saturating_mul(60);
        let own = match self {
            Self::SyncTrading => settings.sync_trading_ms,
            Self::CloseExpired => settings.close_expired_ms,
            Self::SyncRefund => settings.sync_refund_ms,
            Self::RelayEvents => settings.relay_events_ms,
            Self::Prune => Some(settings.prune_ms.unwrap_or(seldom)),
        };
        Duration::from_millis(own.unwrap_or(settings.interval_ms))
    }
}

/// The jobs of a server. Cheap to clone.
#[derive(Clone)]
pub struct Jobs {
    service: TradeService,
    sink: Arc<dyn EventSink>,
    settings: Settings,
    stop: watch::Receiver<bool>,
    metrics: Metrics,
    /// How many ticks have begun, for the log.
    count: Arc<AtomicU64>,
}

impl Jobs {
    /// Jobs that end after the row in hand once `stop` turns true.
    #[must_use]
    pub fn new(
        service: TradeService,
        sink: Arc<dyn EventSink>,
        settings: Settings,
        stop: watch::Receiver<bool>,
        metrics: Metrics,
    ) -> Self {
        Self {
            service,
            sink,
            settings,
            stop,
            metrics,
            count: Arc::default(),
        }
    }

    /// The service that the jobs work with.
    #[must_use]
    pub fn service(&self) -> &TradeService {
        &self.service
    }

    /// The most rows of one tick, unless it is told otherwise.
    #[must_use]
    pub fn batch(&self) -> u32 {
        self.settings.batch
    }

    /// Starts the clockwork, unless this instance has none.
    #[must_use]
    pub fn start(&self) -> JoinSet<()> {
        let mut tasks = JoinSet::new();
        if self.settings.enabled {
            for job in Job::ALL {
                self.metrics.expect_job(job.name());
                tasks.spawn(self.clone().run(job));
            }
        }
        tasks
    }

    async fn run(self, job: Job) {
        let interval = job.interval(&self.settings);
        let mut stop = self.stop.clone();
        while !*stop.borrow() {
            let batch = self.settings.batch;
            // A panic is a fault of one tick: were it the end of its job, money would stand still unseen.
            let ticked = AssertUnwindSafe(self.tick(job, batch, Shard::ALL)).catch_unwind();
            let full = match ticked.await {
                Ok(Ok(report)) => report.is_full(batch) && report.changed > 0,
                // It is logged where it ticked, or where it panicked.
                Ok(Err(_)) | Err(_) => false,
            };
            if !full {
                let _ = tokio::time::timeout(interval, stop.changed()).await;
            }
        }
    }

    /// One tick over at most `count` rows of a part.
    ///
    /// # Errors
    /// The store failed.
    pub async fn tick(&self, job: Job, count: u32, shard: Shard) -> Tick {
        let tick = self.count.fetch_add(1, Ordering::Relaxed).saturating_add(1);
        // Of the highest level, so that a filter that keeps only errors keeps it, too.
        let span = tracing::error_span!("job", job = job.name(), tick);
        let ticked = async {
            let done = self.work(job, count, shard).await;
            if let Err(error) = &done {
                tracing::error!(error = one_line(error), "job tick failed");
            }
            done
        };
        let clock = Arc::clone(&self.service.ports().clock);
        self.metrics
            .tick(job.name(), &*clock, ticked.instrument(span))
            .await
    }

    async fn work(&self, job: Job, count: u32, shard: Shard) -> Tick {
        let is_over = || *self.stop.borrow();
        let work = Work::of(count).on(shard).until(&is_over);
        match job {
            Job::SyncTrading => job::sync_trading(&self.service, work).await,
            Job::CloseExpired => job::close_expired(&self.service, work).await,
            Job::SyncRefund => job::sync_refund(&self.service, work).await,
            Job::RelayEvents => job::relay_events(&self.service, &*self.sink, work).await,
            Job::Prune => self.prune(count).await,
        }
    }

    /// Forgets keys and calls that are older than they are kept.
    async fn prune(&self, count: u32) -> Tick {
        let ports = self.service.ports();
        let before = ports.clock.now().minus(self.settings.keep());
        let keys = ports.store.prune_keys(before, count).await?;
        let calls = ports.store.prune_calls(before, count).await?;
        let gone = u32::try_from(keys.max(calls)).unwrap_or(u32::MAX);
        Ok(Report {
            due: gone,
            changed: gone,
            ..Report::default()
        })
    }
}

impl fmt::Debug for Jobs {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jobs")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_job_rests_as_its_own_setting_says() {
        let plain = Settings {
            interval_ms: 200,
            ..Settings::default()
        };
        let rests = |settings: &Settings| {
            Job::ALL.map(|job| u64::try_from(job.interval(settings).as_millis()).unwrap_or(u64::MAX))
        };
        assert_eq!(rests(&plain), [200, 200, 200, 200, 12_000]);
        let own = Settings {
            sync_trading_ms: Some(11),
            close_expired_ms: Some(12),
            sync_refund_ms: Some(13),
            relay_events_ms: Some(14),
            prune_ms: Some(15),
            ..plain
        };
        assert_eq!(rests(&own), [11, 12, 13, 14, 15]);
    }
}
