//! The clockwork of the jobs: each ticks on its own, and a full tick is followed by another at once.

use std::{sync::Arc, time::Duration};

use tokio::{sync::watch, task::JoinSet};
use trade_core::{
    job::{self, Tick},
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
}

impl Job {
    const ALL: [Self; 4] = [
        Self::SyncTrading,
        Self::CloseExpired,
        Self::SyncRefund,
        Self::RelayEvents,
    ];

    async fn tick(self, service: &TradeService, sink: &dyn EventSink, batch: u32) -> Tick {
        match self {
            Self::SyncTrading => job::sync_trading(service, batch).await,
            Self::CloseExpired => job::close_expired(service, batch).await,
            Self::SyncRefund => job::sync_refund(service, batch).await,
            Self::RelayEvents => job::relay_events(service, sink, batch).await,
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
    let interval = Duration::from_millis(settings.interval_ms);
    while !*stop.borrow() {
        let full = match job.tick(&service, &*sink, settings.batch).await {
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
