//! Keys nobody else uses, and lines to Redis that break.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use redis::FromRedisValue;
use trade_core::{
    SystemClock, SystemRandom,
    port::{Clock, Lock, Random},
};
use trade_redis::{Redis, RedisLock, RedisSettings};
use trade_testkit::proxy::Proxy;
pub(crate) use trade_testkit::{PATIENCE, until};

pub(crate) fn redis_url() -> String {
    std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379/0".into())
}

pub(crate) fn clock() -> Arc<dyn Clock> {
    Arc::new(SystemClock::new())
}

pub(crate) fn random() -> Arc<dyn Random> {
    Arc::new(SystemRandom)
}

/// Settings for a Redis with a prefix nobody else uses. Every key under it ends by itself, so nothing is left.
/// A machine that is busy with builds is slow to answer, and nothing here waits long for a Redis that is gone.
pub(crate) fn settings(url: impl Into<String>) -> RedisSettings {
    static NEXT: AtomicU32 = AtomicU32::new(0);
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    let now = SystemClock::new().now().ms();
    RedisSettings {
        prefix: format!("trade-redis-test:{}.{now}.{number}", std::process::id()),
        connect_timeout: Duration::from_secs(20),
        response_timeout: Duration::from_secs(10),
        backoff_first: Duration::from_millis(20),
        backoff_longest: Duration::from_millis(200),
        probe_every: Duration::from_millis(100),
        ..RedisSettings::new(url)
    }
}

/// The settings of an instance that shares everything but the line.
pub(crate) fn by_way_of(proxy: &Proxy, settings: &RedisSettings) -> RedisSettings {
    let mut url = url::Url::parse(settings.url.expose()).unwrap();
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address().port())).unwrap();
    RedisSettings {
        url: trade_core::Secret::new(url),
        ..settings.clone()
    }
}

pub(crate) async fn proxy() -> Proxy {
    let url = url::Url::parse(&redis_url()).unwrap();
    Proxy::start((url.host_str().unwrap(), url.port().unwrap_or(6379))).await
}

pub(crate) async fn connected(settings: &RedisSettings) -> Redis {
    let redis = Redis::start(settings.clone(), clock()).await.unwrap();
    assert_eq!(
        redis.away(),
        None,
        "these tests need a Redis: start one, or set REDIS_URL"
    );
    redis
}

pub(crate) fn lock(redis: &Redis, lease: Duration) -> RedisLock {
    RedisLock::new(redis.clone(), lease, clock(), random())
}

/// Asks Redis itself, beside what is tested.
pub(crate) async fn ask<T: FromRedisValue>(settings: &RedisSettings, words: &[&str]) -> T {
    let client = redis::Client::open(settings.url.expose()).unwrap();
    let mut connection = client.get_multiplexed_async_connection().await.unwrap();
    let mut command = redis::cmd(words[0]);
    command
        .arg(&words[1..])
        .query_async(&mut connection)
        .await
        .unwrap()
}

/// Waits for another connection than the first `before`.
pub(crate) async fn is_back(redis: &Redis, proxy: &Proxy, before: u64) {
    until("there is a new connection", || {
        proxy.passed().connections > before
    })
    .await;
    until("it works", || redis.away().is_none()).await;
}

/// Whether the lock is had and given back.
pub(crate) async fn works(lock: &RedisLock) -> bool {
    match lock.acquire("order:works", PATIENCE).await {
        Ok(token) => {
            lock.release(token).await;
            true
        }
        Err(_) => false,
    }
}
