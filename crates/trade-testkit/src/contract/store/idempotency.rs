//! Idempotency keys: one owner at a time, and the same answer ever after.

use std::sync::Arc;

use trade_core::port::{Begun, IdempotencyKey};

use super::{
    Promise, Store,
    race::{TASKS, count, race},
};
use crate::fixture::{self, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(a_new_key_is_yours),
        Promise::new(a_claimed_key_is_in_flight_until_its_lease_ends),
        Promise::new(an_answered_key_gives_its_answer_for_ever),
        Promise::new(other_content_is_told),
        Promise::new(a_released_key_is_free_again),
        Promise::new(an_outlived_lease_releases_nothing),
        Promise::new(scope_and_key_both_count),
        Promise::new(an_unknown_key_has_no_answer),
        Promise::new(forgets_the_first_seen_up_to_the_limit),
        Promise::new(one_of_a_crowd_owns_a_new_key),
        Promise::new(one_of_a_crowd_takes_an_ended_lease_over),
    ]
}

/// What a request finds that comes at `now` and wants the key for ten seconds.
async fn begin(store: &Store, key: &IdempotencyKey, fingerprint: &str, now: i64) -> Begun {
    let begun = store.begin(key, fingerprint, at(now), at(now + 10));
    begun.await.unwrap()
}

/// A key that nobody used belongs to who asks first.
pub async fn a_new_key_is_yours(store: Store) {
    for name in ["a", "b", "键 'q' 🔑"] {
        let key = fixture::key(name);
        assert_eq!(begin(&store, &key, "f", 0).await, Begun::Yours, "{name}");
    }
}

/// Whoever comes while the owner works is told until when to wait; from then on one takes over, with a
/// lease of its own.
pub async fn a_claimed_key_is_in_flight_until_its_lease_ends(store: Store) {
    let key = fixture::key("a");
    assert_eq!(begin(&store, &key, "f", 0).await, Begun::Yours);
    for now in [0, 9] {
        assert_eq!(begin(&store, &key, "f", now).await, Begun::InFlight(at(10)));
    }
    assert_eq!(begin(&store, &key, "f", 10).await, Begun::Yours);
    assert_eq!(begin(&store, &key, "f", 19).await, Begun::InFlight(at(20)));
    assert_eq!(begin(&store, &key, "f", 1000).await, Begun::Yours);
}

/// The first answer is given again, byte for byte and however late, whoever tries to replace it or to
/// give the key back.
pub async fn an_answered_key_gives_its_answer_for_ever(store: Store) {
    let key = fixture::key("a");
    begin(&store, &key, "f", 0).await;
    let answer = fixture::answer(201, "{\"refund_no\":\"1\",\n \"memo\":\"取消 'q' \\\" 🧾\"}\r\n");
    store.finish(&key, &answer).await.unwrap();
    let again = || begin(&store, &key, "f", 5);
    assert_eq!(again().await, Begun::Done(answer.clone()));
    store.finish(&key, &fixture::answer(500, "later")).await.unwrap();
    assert_eq!(again().await, Begun::Done(answer.clone()));
    store.release(&key, at(10)).await.unwrap();
    assert_eq!(again().await, Begun::Done(answer.clone()));
    assert_eq!(begin(&store, &key, "f", 1_000_000).await, Begun::Done(answer));
    for (name, status) in [("low", 0), ("high", u16::MAX)] {
        let (key, answer) = (fixture::key(name), fixture::answer(status, ""));
        begin(&store, &key, "f", 0).await;
        store.finish(&key, &answer).await.unwrap();
        assert_eq!(begin(&store, &key, "f", 0).await, Begun::Done(answer));
    }
}

/// A request with other content is told so, be the first at work, dead, given up or answered; and the
/// first one's claim and answer are as they were.
pub async fn other_content_is_told(store: Store) {
    let key = fixture::key("a");
    begin(&store, &key, "f", 0).await;
    for (other, now) in [("g", 5), ("F", 5), ("", 5), ("g", 1000)] {
        assert_eq!(begin(&store, &key, other, now).await, Begun::Other, "{other}");
    }
    assert_eq!(begin(&store, &key, "f", 5).await, Begun::InFlight(at(10)));
    let answer = fixture::answer(201, "{}");
    store.finish(&key, &answer).await.unwrap();
    assert_eq!(begin(&store, &key, "g", 5).await, Begun::Other);
    assert_eq!(begin(&store, &key, "f", 5).await, Begun::Done(answer));

    let given_up = fixture::key("b");
    begin(&store, &given_up, "f", 0).await;
    store.release(&given_up, at(10)).await.unwrap();
    assert_eq!(begin(&store, &given_up, "g", 1).await, Begun::Other);
}

/// A key that was given back is the next one's at once.
pub async fn a_released_key_is_free_again(store: Store) {
    let key = fixture::key("a");
    begin(&store, &key, "f", 0).await;
    store.release(&key, at(10)).await.unwrap();
    assert_eq!(begin(&store, &key, "f", 1).await, Begun::Yours);
    assert_eq!(begin(&store, &key, "f", 2).await, Begun::InFlight(at(11)));
}

/// A request that outlived its lease gives nothing back: the key is of whoever took it over.
pub async fn an_outlived_lease_releases_nothing(store: Store) {
    let key = fixture::key("a");
    begin(&store, &key, "f", 0).await;
    assert_eq!(begin(&store, &key, "f", 10).await, Begun::Yours);
    store.release(&key, at(10)).await.unwrap();
    assert_eq!(begin(&store, &key, "f", 11).await, Begun::InFlight(at(20)));
    store.release(&key, at(20)).await.unwrap();
    assert_eq!(begin(&store, &key, "f", 11).await, Begun::Yours);
}

/// The same key in another scope, or spelled otherwise, is another key.
pub async fn scope_and_key_both_count(store: Store) {
    let scoped = |scope: &str, key: &str| IdempotencyKey {
        scope: scope.to_owned(),
        key: key.to_owned(),
    };
    let keys = [
        ("s", "k"),
        ("S", "k"),
        ("s", "K"),
        ("s ", "k"),
        ("s", "k "),
        ("k", "s"),
        ("sk", ""),
        ("", "sk"),
    ];
    for (scope, key) in keys {
        let begun = begin(&store, &scoped(scope, key), "f", 0).await;
        assert_eq!(begun, Begun::Yours, "{scope:?} {key:?}");
        let answer = fixture::answer(200, &format!("{scope}/{key}"));
        store.finish(&scoped(scope, key), &answer).await.unwrap();
    }
    for (scope, key) in keys {
        let answer = fixture::answer(200, &format!("{scope}/{key}"));
        let begun = begin(&store, &scoped(scope, key), "f", 0).await;
        assert_eq!(begun, Begun::Done(answer), "{scope:?} {key:?}");
    }
}

/// To answer or to give back what nobody claimed is no error, and claims nothing.
pub async fn an_unknown_key_has_no_answer(store: Store) {
    let key = fixture::key("a");
    store.finish(&key, &fixture::answer(200, "{}")).await.unwrap();
    store.release(&key, at(10)).await.unwrap();
    assert_eq!(begin(&store, &key, "f", 0).await, Begun::Yours);
}

/// Keys first seen before the time are forgotten, answered or not, the first seen first and never more
/// than the limit; a claim that was taken over is as old as its key.
pub async fn forgets_the_first_seen_up_to_the_limit(store: Store) {
    for (name, now) in [("c", 30), ("a", 40), ("e", 10), ("d", 20), ("b", 50)] {
        begin(&store, &fixture::key(name), "f", now).await;
        store
            .finish(&fixture::key(name), &fixture::answer(200, name))
            .await
            .unwrap();
    }
    let left = fixture::key("left");
    begin(&store, &left, "f", 25).await;
    assert_eq!(begin(&store, &left, "f", 45).await, Begun::Yours);
    assert_eq!(store.prune_keys(at(10), 9).await.unwrap(), 0);
    assert_eq!(store.prune_keys(at(50), 0).await.unwrap(), 0);
    assert_eq!(store.prune_keys(at(50), 2).await.unwrap(), 2);
    assert_eq!(store.prune_keys(at(30), 9).await.unwrap(), 1);
    for name in ["e", "d", "left"] {
        let key = fixture::key(name);
        assert_eq!(begin(&store, &key, "f", 60).await, Begun::Yours, "{name}");
    }
    for name in ["c", "a", "b"] {
        let begun = begin(&store, &fixture::key(name), "f", 60).await;
        assert_eq!(begun, Begun::Done(fixture::answer(200, name)));
    }
    assert_eq!(store.prune_keys(at(50), 9).await.unwrap(), 2);
}

/// How many of 64 requests at once own the key; the others are told to wait.
async fn owners(store: &Store, now: i64) -> usize {
    let begun = race(|_| {
        let (store, key) = (Arc::clone(store), fixture::key("a"));
        async move { begin(&store, &key, "f", now).await }
    })
    .await;
    let owners = count(&begun, &Begun::Yours);
    let told = count(&begun, &Begun::InFlight(at(now + 10)));
    assert_eq!(owners + told, usize::try_from(TASKS).unwrap(), "{begun:?}");
    owners
}

/// Of 64 requests with one new key, one owns it.
pub async fn one_of_a_crowd_owns_a_new_key(store: Store) {
    assert_eq!(owners(&store, 0).await, 1);
}

/// Of 64 requests that find a lease ended, one takes over.
pub async fn one_of_a_crowd_takes_an_ended_lease_over(store: Store) {
    begin(&store, &fixture::key("a"), "f", 0).await;
    assert_eq!(owners(&store, 10).await, 1);
}
