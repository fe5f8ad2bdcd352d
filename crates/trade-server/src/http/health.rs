//! Whether the process lives, and whether it can serve.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use axum::{extract::State, http::StatusCode};
use trade_mq::RabbitSink;

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

/// What the server can do without, and shows when it has to.
#[derive(Debug, Clone, Default)]
pub struct Outside {
    /// Redis, when one is configured.
    pub redis: Option<RedisHealth>,
    /// The broker, when one is configured.
    pub broker: Option<Arc<RabbitSink>>,
}

impl Outside {
    /// What is away, a line each.
    fn away(&self) -> Vec<String> {
        let redis = self.redis.as_ref().and_then(|health| health.redis.away());
        let broker = self.broker.as_ref().and_then(|broker| broker.away());
        let redis = redis.map(|why| format!("without redis, so without the shared lock: {why}"));
        let broker = broker.map(|why| format!("without the broker, so events wait: {why}"));
        redis.into_iter().chain(broker).collect()
    }
}

/// `GET /livez`
pub(super) async fn livez() -> &'static str {
    "ok"
}

/// `GET /readyz`: the store takes a write, there are numbers, and the server is not going down. What is away that
/// the server can do without is told in the lines after the first.
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
    let mut lines = vec!["ready".to_owned()];
    lines.extend(app.outside.away());
    Ok(lines.join("\n"))
}
