//! What every [`Lock`] promises.

use std::{
    sync::{
        Arc,
        atomic::{AtomicI64, Ordering},
    },
    time::Duration,
};

use trade_core::port::{Lock, LockError, LockToken};

use super::Promise;

/// A lock under test. Its lease must be long enough for a busy machine to do a few steps (half a
/// second), and short enough to wait for.
#[derive(Debug, Clone)]
pub struct Subject {
    /// The lock; nobody else uses it.
    pub lock: Arc<dyn Lock>,
    /// Its lease.
    pub lease: Duration,
}

/// Every promise of a lock.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    vec![
        Promise::new(one_holder_at_a_time),
        Promise::new(held_by_another_is_an_error),
        Promise::new(keys_do_not_meet),
        Promise::new(release_hands_over),
        Promise::new(foreign_token_releases_nothing),
        Promise::new(lease_ends),
        Promise::new(outlived_token_releases_nothing),
        Promise::new(dropped_wait_holds_nothing),
    ]
}

const LONG: Duration = Duration::from_secs(60);

async fn take(subject: &Subject, key: &str) -> LockToken {
    subject
        .lock
        .acquire(key, LONG)
        .await
        .expect("the key becomes free")
}

async fn is_held(subject: &Subject, key: &str) -> bool {
    match subject.lock.acquire(key, Duration::ZERO).await {
        Ok(token) => {
            subject.lock.release(token).await;
            false
        }
        Err(LockError::Held(held)) => {
            assert_eq!(held, key);
            true
        }
        Err(error) => panic!("{error}"),
    }
}

/// Of many that want the key, one has it at a time, and all get it in the end.
pub async fn one_holder_at_a_time(subject: Subject) {
    let inside = Arc::new(AtomicI64::new(0));
    let tasks: Vec<_> = (0..16)
        .map(|_| {
            let (subject, inside) = (subject.clone(), Arc::clone(&inside));
            tokio::spawn(async move {
                let token = take(&subject, "order:1").await;
                assert_eq!(inside.fetch_add(1, Ordering::SeqCst), 0, "two hold the lock");
                tokio::task::yield_now().await;
                assert_eq!(inside.fetch_sub(1, Ordering::SeqCst), 1, "two hold the lock");
                subject.lock.release(token).await;
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("each gets the lock alone");
    }
}

/// Who may not wait is told that the key is held, and by which name.
pub async fn held_by_another_is_an_error(subject: Subject) {
    let token = take(&subject, "order:1").await;
    assert_eq!(token.key, "order:1");
    assert!(is_held(&subject, "order:1").await);
    subject.lock.release(token).await;
    assert!(!is_held(&subject, "order:1").await);
}

/// One key does not lock another.
pub async fn keys_do_not_meet(subject: Subject) {
    let first = take(&subject, "order:1").await;
    let second = take(&subject, "order:2").await;
    assert_ne!(first.owner, second.owner);
    subject.lock.release(first).await;
    assert!(is_held(&subject, "order:2").await);
}

/// Who waits gets the key when it is released.
pub async fn release_hands_over(subject: Subject) {
    let first = take(&subject, "order:1").await;
    let waiter = {
        let subject = subject.clone();
        tokio::spawn(async move { take(&subject, "order:1").await })
    };
    tokio::task::yield_now().await;
    let first_owner = first.owner.clone();
    subject.lock.release(first).await;
    let second = waiter.await.expect("the waiter gets the lock");
    assert_ne!(second.owner, first_owner);
    assert!(is_held(&subject, "order:1").await);
}

/// A token of somebody else releases nothing.
pub async fn foreign_token_releases_nothing(subject: Subject) {
    let token = take(&subject, "order:1").await;
    for owner in [String::new(), "0".into(), format!("{}x", token.owner)] {
        let forged = LockToken {
            key: token.key.clone(),
            owner,
        };
        subject.lock.release(forged).await;
        assert!(is_held(&subject, "order:1").await);
    }
}

/// A token that is never released ends with its lease.
pub async fn lease_ends(subject: Subject) {
    let lost = take(&subject, "order:1").await;
    drop(lost);
    let wait = subject.lease.saturating_mul(20);
    subject
        .lock
        .acquire("order:1", wait)
        .await
        .expect("the lease ends");
}

/// A token that outlived its lease does not release the lock of the next owner.
pub async fn outlived_token_releases_nothing(subject: Subject) {
    let old = take(&subject, "order:1").await;
    let current = take(&subject, "order:1").await;
    subject.lock.release(old).await;
    assert!(is_held(&subject, "order:1").await);
    subject.lock.release(current).await;
    assert!(!is_held(&subject, "order:1").await);
}

/// A wait that was dropped holds nothing, or at most until the lease ends.
pub async fn dropped_wait_holds_nothing(subject: Subject) {
    let token = take(&subject, "order:1").await;
    let waiter = {
        let subject = subject.clone();
        tokio::spawn(async move { take(&subject, "order:1").await })
    };
    tokio::task::yield_now().await;
    waiter.abort();
    assert!(waiter.await.is_err_and(|error| error.is_cancelled()));
    subject.lock.release(token).await;
    let wait = subject.lease.saturating_mul(20);
    subject
        .lock
        .acquire("order:1", wait)
        .await
        .expect("nobody holds it");
}
