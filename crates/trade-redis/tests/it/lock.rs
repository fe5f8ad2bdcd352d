//! The lock, between instances.

use std::{sync::Arc, time::Duration};

use trade_core::port::{Lock, LockError};
use trade_testkit::{
    contract::{self, lock},
    proxy::{Break, Fault, Way, points},
};

use crate::support::{
    self, PATIENCE, by_way_of, connected, is_back, proxy, redis_url, settings, until, works,
};

const LEASE: Duration = Duration::from_secs(2);

#[tokio::test(flavor = "multi_thread")]
async fn redis_lock_keeps_every_promise() {
    contract::check_all(lock::promises(), async || {
        let redis = connected(&settings(redis_url())).await;
        lock::Subject {
            lock: Arc::new(support::lock(&redis, LEASE)),
            lease: LEASE,
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_share_a_lock() {
    let settings = settings(redis_url());
    let one = support::lock(&connected(&settings).await, PATIENCE);
    let two = support::lock(&connected(&settings).await, PATIENCE);
    let token = one.acquire("order:1", PATIENCE).await.unwrap();
    let refused = two
        .acquire("order:1", Duration::from_millis(50))
        .await
        .unwrap_err();
    assert!(matches!(refused, LockError::Held(key) if key == "order:1"));
    let waiting = tokio::spawn(async move { two.acquire("order:1", PATIENCE).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!waiting.is_finished(), "it is held");
    one.release(token).await;
    waiting.await.unwrap().unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_late_release_does_not_free_the_lock_of_another_instance() {
    let settings = settings(redis_url());
    let one = support::lock(&connected(&settings).await, Duration::from_millis(50));
    let two = support::lock(&connected(&settings).await, PATIENCE);
    let late = one.acquire("order:1", PATIENCE).await.unwrap();
    let current = two.acquire("order:1", PATIENCE).await.unwrap();
    one.release(late).await;
    let refused = one.acquire("order:1", Duration::ZERO).await.unwrap_err();
    assert!(matches!(refused, LockError::Held(_)), "{refused}");
    two.release(current).await;
    one.acquire("order:1", Duration::ZERO).await.unwrap();
}

#[tokio::test]
async fn a_lock_ends_by_itself_and_is_gone_once_it_is_given_back() {
    let settings = settings(redis_url());
    let lock = support::lock(&connected(&settings).await, PATIENCE);
    let token = lock.acquire("order:1", PATIENCE).await.unwrap();
    let key = format!("{}:lock:order:1", settings.prefix);
    let left: i64 = support::ask(&settings, &["PTTL", &key]).await;
    assert!(left > 0 && left <= 60_000, "{left}");
    let owner: String = support::ask(&settings, &["GET", &key]).await;
    assert_eq!(owner, token.owner);
    lock.release(token).await;
    assert!(!support::ask::<bool>(&settings, &["EXISTS", &key]).await);
}

/// Wherever the line breaks, the worst is a lock that ends with its lease.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_breaks_at_any_byte_leaves_no_lock_behind() {
    let settings = settings(redis_url());
    let proxy = proxy().await;
    let redis = connected(&by_way_of(&proxy, &settings)).await;
    let lock = support::lock(&redis, Duration::from_millis(100));
    let whole = proxy.passed();
    assert!(works(&lock).await);
    let (there, back) = (
        proxy.passed().to_server - whole.to_server,
        proxy.passed().to_client - whole.to_client,
    );
    for (way, total) in [(Way::ToServer, there), (Way::ToClient, back)] {
        for after in points(total, 12) {
            let before = proxy.passed();
            proxy.now(Break {
                fault: Fault::Cut,
                way,
                after,
            });
            // Probes use the line, too, so the break may come before, between or after the two commands.
            let _either = works(&lock).await;
            until("the line broke", || proxy.passed().broken > before.broken).await;
            is_back(&redis, &proxy, before.connections).await;
            assert!(works(&lock).await, "after {after} bytes {way:?}");
        }
    }
}
