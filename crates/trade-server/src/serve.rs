//! A running server: started on a listener, stopped when told, in order.

use std::{fmt, net::SocketAddr, sync::Arc, time::Duration};

use tokio::{
    net::TcpListener,
    sync::watch,
    task::{JoinHandle, JoinSet},
};
use tokio_util::task::TaskTracker;
use trade_core::service::TradeService;
use trade_redis::LeasedIds;

use crate::{
    config::Settings,
    http::{self, App},
    infra::CallWriter,
    jobs::Jobs,
    metrics::Metrics,
    wire::{self, Broker, Environment, WireError},
};

/// Why a server did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}: is another server running there?")]
    Listen {
        /// The address asked for.
        address: String,
        /// The cause.
        #[source]
        source: std::io::Error,
    },
    /// Something it is made of is wrong.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// A server that runs until [`Running::stop`].
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    service: TradeService,
    stop: watch::Sender<bool>,
    draining: watch::Sender<bool>,
    jobs: JoinSet<()>,
    http: JoinHandle<std::io::Result<()>>,
    works: TaskTracker,
    calls: CallWriter,
    shared: Shared,
    drain: Duration,
    patience: Duration,
}

/// What a server has of others, and leaves in order.
struct Shared {
    broker: Option<Broker>,
    leased: Option<Arc<LeasedIds>>,
}

impl Shared {
    /// Closes what is open. The node is given back only when nothing is at work any more that has numbers of it.
    async fn leave(self, is_all_stored: bool) {
        if let Some(broker) = self.broker {
            broker.close().await;
        }
        if let Some(leased) = self.leased.filter(|_| is_all_stored) {
            leased.give_back().await;
        }
    }
}

impl fmt::Debug for Shared {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Shared").finish_non_exhaustive()
    }
}

/// Listens where the settings say.
///
/// # Errors
/// The address is taken or not ours.
pub async fn listen(settings: &Settings) -> Result<TcpListener, ServeError> {
    let address = settings.server.listen.clone();
    TcpListener::bind(&address)
        .await
        .map_err(|source| ServeError::Listen { address, source })
}

/// Starts a server: store, channels, jobs, routes.
///
/// # Errors
/// The store or a merchant's configuration is wrong; every wrong key is named.
pub async fn start(
    settings: &Settings,
    listener: TcpListener,
    environment: Environment,
) -> Result<Running, ServeError> {
    let address = listener.local_addr().map_err(|source| ServeError::Listen {
        address: settings.server.listen.clone(),
        source,
    })?;
    let (metrics, random) = (Metrics::default(), Arc::clone(&environment.random));
    let wired = wire::build(settings, environment, &metrics).await?;
    let (stop, stopped) = watch::channel(false);
    let (draining, is_draining) = watch::channel(false);
    let works = TaskTracker::new();
    let service = wired.service.clone();
    let stopping = stopped.clone();
    let jobs = Jobs::new(
        wired.jobs,
        wired.sink,
        settings.jobs.clone(),
        stopping,
        metrics.clone(),
    );
    let app = App {
        service: service.clone(),
        notices: wired.notices,
        jobs: jobs.clone(),
        admin_token: settings.admin.token.clone(),
        qr: settings.qr.clone(),
        announced: wired.announced,
        probe: wired.probe,
        outside: wired.outside,
        metrics,
        random,
        works: works.clone(),
        draining: is_draining,
    };
    let http = tokio::spawn(serve(listener, app, stopped));
    tracing::info!(%address, "serving");
    Ok(Running {
        address,
        service,
        stop,
        draining,
        jobs: jobs.start(),
        http,
        works,
        calls: wired.calls,
        shared: Shared {
            broker: wired.broker,
            leased: wired.leased,
        },
        drain: Duration::from_secs(settings.server.drain_secs),
        patience: Duration::from_secs(settings.server.shutdown_secs),
    })
}

async fn serve(listener: TcpListener, app: App, mut stopped: watch::Receiver<bool>) -> std::io::Result<()> {
    let stop = async move {
        // An error means that the server handle is gone: then stop as well.
        let _ = stopped.wait_for(|stop| *stop).await;
    };
    axum::serve(listener, http::router(app))
        .with_graceful_shutdown(stop)
        .await
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Its service, for programs that run it inside themselves.
    #[must_use]
    pub fn service(&self) -> &TradeService {
        &self.service
    }

    /// Says that it is not ready while it goes on serving, for as long as the settings say: so that whoever
    /// sends it requests sends them elsewhere before it stops.
    pub async fn drain(&self) {
        self.draining.send_replace(true);
        tracing::info!(wait = ?self.drain, "going down: no longer ready");
        tokio::time::sleep(self.drain).await;
    }

    /// Stops: not ready first, then no new requests, then the running ones and ticks end, within the
    /// configured patience. What is cut off is finished after the next start.
    pub async fn stop(self) {
        self.draining.send_replace(true);
        let _ = self.stop.send(true);
        let Self {
            mut jobs,
            mut http,
            works,
            calls,
            shared,
            patience,
            ..
        } = self;
        let ended = async {
            while jobs.join_next().await.is_some() {}
            let _ = (&mut http).await;
            works.close();
            works.wait().await;
            // Last, so that it has the calls of all that ended before.
            calls.finish().await;
        };
        let in_time = tokio::time::timeout(patience, ended).await.is_ok();
        if !in_time {
            tracing::warn!("some requests did not end in time and were cut off");
            http.abort();
            jobs.shutdown().await;
        }
        shared.leave(in_time).await;
        tracing::info!("stopped");
    }
}
