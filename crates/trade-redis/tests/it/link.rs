//! A Redis that is away, says nothing, refuses, and comes back.

use std::{
    sync::atomic::Ordering,
    time::{Duration, Instant},
};

use trade_core::port::{Lock, LockError};
use trade_redis::{Redis, RedisSettings};
use trade_testkit::proxy::Line;

use crate::{
    private::PrivateRedis,
    support::{
        PATIENCE, ask, by_way_of, clock, connected, is_back, lock, proxy, redis_url, settings, until, works,
    },
};

async fn refusal(lock: &trade_redis::RedisLock) -> String {
    match lock.acquire("order:1", PATIENCE).await {
        Err(LockError::Unavailable(cause)) => cause.to_string(),
        other => panic!("{other:?}"),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn away_from_the_start_dying_and_coming_back() {
    let mut server = PrivateRedis::stopped(&[]);
    let redis = Redis::start(settings(server.url()), clock()).await.unwrap();
    let lock = lock(&redis, PATIENCE);
    let why = refusal(&lock).await;
    assert!(why.contains("is away") && why.contains(&server.url()), "{why}");
    assert!(why.contains("check that it runs"), "{why}");
    for _ in 0..2 {
        server.start();
        until("it is there", || redis.away().is_none()).await;
        assert!(works(&lock).await);
        let failures = lock.failures().load(Ordering::Relaxed);
        server.stop();
        // Nobody asked: the probe sees it.
        until("it is away", || redis.away().is_some()).await;
        refusal(&lock).await;
        assert_eq!(lock.failures().load(Ordering::Relaxed), failures + 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_is_cut_comes_back() {
    let proxy = proxy().await;
    let redis = connected(&by_way_of(&proxy, &settings(redis_url()))).await;
    let lock = lock(&redis, PATIENCE);
    for _ in 0..5 {
        let before = proxy.passed().connections;
        proxy.cut_once().await;
        // The first to notice may be a request.
        let _first = works(&lock).await;
        is_back(&redis, &proxy, before).await;
        assert!(works(&lock).await);
    }
}

/// A Redis that takes connections and says nothing costs those who are at it one time-out, and later ones nothing.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_waits_for_a_redis_that_says_nothing() {
    let proxy = proxy().await;
    let patient = RedisSettings {
        response_timeout: Duration::from_secs(1),
        connect_timeout: PATIENCE * 10,
        // Only requests find out.
        probe_every: PATIENCE * 10,
        ..settings(redis_url())
    };
    let redis = connected(&by_way_of(&proxy, &patient)).await;
    let lock = lock(&redis, PATIENCE);
    proxy.set(Line::Silent).await;
    let why = refusal(&lock).await;
    assert!(why.contains("did not answer within 1000 ms"), "{why}");
    let before = Instant::now();
    for _ in 0..200 {
        let why = refusal(&lock).await;
        assert!(why.contains("is away") && why.contains("did not answer"), "{why}");
    }
    assert!(
        before.elapsed() < PATIENCE,
        "200 requests waited for {:?}",
        before.elapsed()
    );
}

#[tokio::test(flavor = "multi_thread")]
async fn a_wrong_password_is_said_and_never_shown() {
    let server = PrivateRedis::running(&["--requirepass", "r1ght"]);
    let with = |password: &str| server.url().replace("redis://", &format!("redis://:{password}@"));
    for url in [server.url(), with("wr0ng")] {
        let redis = Redis::start(settings(url), clock()).await.unwrap();
        let why = redis.away().unwrap();
        assert!(why.contains("check user and password"), "{why}");
        assert!(!format!("{why} {redis:?}").contains("wr0ng"), "{why} {redis:?}");
    }
    let redis = connected(&settings(with("r1ght"))).await;
    assert!(works(&lock(&redis, PATIENCE)).await);
    assert!(!format!("{redis:?}").contains("r1ght"), "{redis:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_takes_no_writes_is_away_until_it_does() {
    let server = PrivateRedis::running(&[]);
    let settings = settings(server.url());
    let redis = connected(&settings).await;
    let full = async |limit: &str| ask::<()>(&settings, &["CONFIG", "SET", "maxmemory", limit]).await;
    full("1").await;
    until("it is away", || redis.away().is_some()).await;
    let why = redis.away().unwrap();
    assert!(why.contains("takes no writes"), "{why}");
    full("0").await;
    until("it is back", || redis.away().is_none()).await;
    assert!(works(&lock(&redis, PATIENCE)).await);
}
