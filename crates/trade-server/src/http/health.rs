//! Whether the process lives, and whether it can serve.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{extract::State, http::StatusCode};

use super::{App, Problem};

/// How Redis is, which the server can do without.
#[derive(Debug, Clone)]
pub struct RedisHealth {
    /// The connection.
    pub redis: trade_redis::Redis,
    /// How often the lock failed since the start.
    pub lock_failures: Arc<AtomicU64>,
}

impl RedisHealth {
    /// Whether it is there, and how often the lock failed.
    pub(crate) fn counts(&self) -> (bool, u64) {
        let failures = self.lock_failures.load(Ordering::Relaxed);
        (self.redis.away().is_none(), failures)
    }
}

/// `GET /livez`
pub(super) async fn livez() -> &'static str {
    "ok"
}

/// `GET /readyz`: the store takes a write, there are numbers, and the server is not going down. What is away that
/// the server can do without is told in the second line.
pub(super) async fn readyz(State(app): State<App>) -> Result<String, Problem> {
    if app.is_draining() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is going down",
        ));
    }
    if let Err(missing) = app.probe.ready().await {
        return Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, missing));
    }
    let away = app.redis.and_then(|health| health.redis.away());
    Ok(away.map_or_else(
        || "ready".into(),
        |why| format!("ready\nwithout redis, so without the shared lock: {why}"),
    ))
}
