//! What a world is made of: services that can fail, a clock that can be turned, settings of the trade server.

use std::{
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::{
    Router,
    extract::{Request, State},
    http::StatusCode,
    middleware::{self, Next},
    response::{IntoResponse, Response},
};
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};
use trade_core::{Timestamp, port::Clock};
use trade_sandbox::Sandbox;

use crate::clock::ToldClock;

/// How a service is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Health {
    Up,
    /// Answers that it failed.
    Failing,
    /// Answers nothing.
    Silent,
}

/// A service that can be made to fail, and counts who asks.
#[derive(Debug)]
pub(crate) struct Place {
    pub(crate) url: String,
    health: watch::Sender<Health>,
    asked: Arc<AtomicUsize>,
}

impl Place {
    pub(crate) async fn start(router: Router) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let (health, seen) = watch::channel(Health::Up);
        let asked = Arc::new(AtomicUsize::new(0));
        let state = (seen, Arc::clone(&asked));
        let router = router.layer(middleware::from_fn_with_state(state, pass));
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { url, health, asked }
    }

    pub(crate) fn set(&self, health: Health) {
        self.health.send_replace(health);
    }

    pub(crate) fn asked(&self) -> usize {
        self.asked.load(Ordering::SeqCst)
    }
}

async fn pass(
    State((health, asked)): State<(watch::Receiver<Health>, Arc<AtomicUsize>)>,
    request: Request,
    next: Next,
) -> Response {
    asked.fetch_add(1, Ordering::SeqCst);
    let health = *health.borrow();
    match health {
        Health::Up => next.run(request).await,
        Health::Failing => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Health::Silent => std::future::pending().await,
    }
}

/// The told clock, whose monotonic half can be moved on, too.
#[derive(Debug)]
pub(crate) struct OrderClock {
    told: Arc<ToldClock>,
    ahead_ms: AtomicU64,
}

impl OrderClock {
    pub(crate) fn new(told: Arc<ToldClock>) -> Self {
        Self {
            told,
            ahead_ms: AtomicU64::new(0),
        }
    }

    /// Moves on what breakers go by.
    pub(crate) fn advance(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap();
        self.ahead_ms.fetch_add(ms, Ordering::SeqCst);
    }
}

#[async_trait]
impl Clock for OrderClock {
    fn now(&self) -> Timestamp {
        self.told.now()
    }

    fn monotonic(&self) -> Duration {
        self.told.monotonic() + Duration::from_millis(self.ahead_ms.load(Ordering::SeqCst))
    }

    async fn sleep(&self, duration: Duration) {
        self.told.sleep(duration).await;
    }
}

/// The trade server beside a sandbox.
pub(crate) fn trade_settings(
    sandbox: &Sandbox,
    url: &str,
    folder: &Path,
    broker: Option<(&str, &str)>,
) -> trade_server::config::Settings {
    let mut root = json!({
        "store": {"path": folder.join("trade.db").display().to_string()},
        "jobs": {"interval_ms": 50},
        "merchant": [trade_server::cmd::sandbox_merchant(&sandbox.merchant(), url)],
    });
    if let Some((url, exchange)) = broker {
        root["rabbitmq"] = json!({"url": url, "exchange": exchange});
    }
    trade_server::config::Settings::from_toml(&toml::to_string(&root).unwrap()).unwrap()
}
