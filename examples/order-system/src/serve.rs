//! A running order system: started on a listener, stopped when told.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use tokio::{net::TcpListener, sync::watch, task::JoinSet};
use trade_core::port::Clock;

use crate::{
    http, jobs, listen,
    service::{Orders, StartError},
    settings::Settings,
};

/// How long running requests may take to finish.
const PATIENCE: Duration = Duration::from_secs(10);

/// An order system that runs until [`Running::stop`].
#[derive(Debug)]
pub struct Running {
    address: SocketAddr,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

/// Starts an order system: database, jobs, listener, routes.
///
/// # Errors
/// Something it needs at once is missing or wrong. The services it depends on may be away.
pub async fn serve(
    settings: Settings,
    listener: TcpListener,
    clock: Arc<dyn Clock>,
) -> Result<Running, StartError> {
    let address = listener.local_addr().map_err(StartError::Listen)?;
    let orders = Orders::start(settings, clock).await?;
    let (stop, stopped) = watch::channel(false);
    let mut tasks = JoinSet::new();
    listen::start(&orders, &stopped, &mut tasks)?;
    jobs::start(&orders, &stopped, &mut tasks);
    let router = http::router(orders);
    tasks.spawn(async move {
        let mut stopped = stopped;
        let told = async move {
            let _gone = stopped.wait_for(|stop| *stop).await.is_err();
        };
        if let Err(error) = axum::serve(listener, router).with_graceful_shutdown(told).await {
            tracing::error!(%error, "the routes are not served any more");
        }
    });
    tracing::info!(%address, "the order system serves");
    Ok(Running { address, stop, tasks })
}

impl Running {
    /// Where it listens.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Stops: no new requests, and what runs may end within ten seconds. What is cut off is taken up after
    /// the next start.
    pub async fn stop(mut self) {
        self.stop.send_replace(true);
        let ended = async { while self.tasks.join_next().await.is_some() {} };
        if tokio::time::timeout(PATIENCE, ended).await.is_err() {
            // Pages that are told of changes stay open for as long as somebody looks at them.
            tracing::info!("open streams were cut off");
        }
    }
}
