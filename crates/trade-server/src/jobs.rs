//! The clockwork of the jobs: each ticks on its own, and a full tick is followed by another at once.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};
use trade_core::{
    job::{self, Report, Tick},
    port::EventSink,
    service::TradeService,
};

use crate::config::Jobs;

/// Which job a loop runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Job {
    SyncTrading,
    CloseExpired,
    SyncRefund,
    RelayEvents,
    Prune,
}

impl Job {
    const ALL: [Self; 5] = [
        Self::SyncTrading,
        Self::CloseExpired,
        Self::SyncRefund,
        Self::RelayEvents,
        Self::Prune,
    ];

    async fn tick(self, service: &TradeService, sink: &dyn EventSink, settings: &Jobs) -> Tick {
        let batch = settings.batch;
        match self {
            Self::SyncTrading => job::sync_trading(service, batch).await,
            Self::CloseExpired => job::close_expired(service, batch).await,
            Self::SyncRefund => job::sync_refund(service, batch).await,
            Self::RelayEvents => job::relay_events(service, sink, batch).await,
            Self::Prune => prune(service, settings).await,
        }
    }

    /// How long it rests when nothing is left to do. What is kept for days is not looked for every second.
    fn interval(self, settings: &Jobs) -> Duration {
        let interval = Duration::from_millis(settings.interval_ms);
        match self {
            Self::SyncTrading | Self::CloseExpired | Self::SyncRefund | Self::RelayEvents => interval,
            Self::Prune => interval.saturating_mul(60),
        }
    }
}

/// Starts every job; they end after their running tick once `stop` turns true.
pub fn start(
    service: &TradeService,
    sink: &Arc<dyn EventSink>,
    settings: &Jobs,
    stop: &watch::Receiver<bool>,
) -> JoinSet<()> {
    let mut tasks = JoinSet::new();
    if settings.enabled {
        for job in Job::ALL {
            let (service, sink) = (service.clone(), Arc::clone(sink));
            tasks.spawn(run(job, service, sink, settings.clone(), stop.clone()));
        }
    }
    tasks
}

async fn run(
    job: Job,
    service: TradeService,
    sink: Arc<dyn EventSink>,
    settings: Jobs,
    mut stop: watch::Receiver<bool>,
) {
    let interval = job.interval(&settings);
    while !*stop.borrow() {
        let full = match job.tick(&service, &*sink, &settings).await {
            Ok(report) => report.is_full(settings.batch) && report.changed > 0,
            Err(error) => {
                tracing::error!(?job, error = %error, "job tick failed");
                false
            }
        };
        if !full {
            let _ = tokio::time::timeout(interval, stop.changed()).await;
        }
    }
}

/// Forgets keys and calls that are older than they are kept.
async fn prune(service: &TradeService, settings: &Jobs) -> Tick {
    let ports = service.ports();
    let before = ports.clock.now().minus(settings.keep());
    let keys = ports.store.prune_keys(before, settings.batch).await?;
    let calls = ports.store.prune_calls(before, settings.batch).await?;
    let gone = u32::try_from(keys.max(calls)).unwrap_or(u32::MAX);
    Ok(Report {
        due: gone,
        changed: gone,
        ..Report::default()
    })
}
