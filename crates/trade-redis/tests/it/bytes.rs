//! Lines that break at a chosen byte, in every way: nobody waits longer than the limits, a lock has one owner, and
//! numbers never meet.

use std::{
    collections::HashSet,
    sync::Arc,
    time::{Duration, Instant},
};

use tokio::task::JoinSet;
use trade_core::{
    memory::MemoryStore,
    port::{IdSource, Lock, LockError},
};
use trade_redis::{LeaseSettings, LeasedIds, Redis, RedisSettings};
use trade_testkit::proxy::{Break, Fault, Proxy, Way, points};

use crate::support::{PATIENCE, by_way_of, clock, connected, lock, proxy, random, redis_url, settings};

const CONNECT: Duration = Duration::from_secs(2);
const RESPONSE: Duration = Duration::from_secs(1);
/// What a busy machine may add.
const SLACK: Duration = Duration::from_millis(1500);
/// How long a lock and a node are leased.
const LEASE: Duration = Duration::from_secs(3);

/// The limits of the settings, and nothing on the line but what is asked.
fn limited(settings: &RedisSettings) -> RedisSettings {
    RedisSettings {
        connect_timeout: CONNECT,
        response_timeout: RESPONSE,
        probe_every: PATIENCE,
        ..settings.clone()
    }
}

/// Runs `work` over lines of its own that break at some bytes of what it sends and gets, all side by side.
async fn at_breaks<W>(few: u64, work: impl Fn(Proxy, Option<Break>) -> W)
where
    W: Future<Output = Proxy> + Send + 'static,
{
    let passed = work(proxy().await, None).await.passed();
    let mut tries = JoinSet::new();
    for fault in [Fault::Cut, Fault::Stall, Fault::HalfClose] {
        for (way, total) in [
            (Way::ToServer, passed.to_server),
            (Way::ToClient, passed.to_client),
        ] {
            for after in points(total, few) {
                let proxy = proxy().await;
                let fault = Break { fault, way, after };
                proxy.next(fault);
                tries.spawn(work(proxy, Some(fault)));
            }
        }
    }
    let proxies = tries.join_all().await;
    let broken = proxies.iter().filter(|proxy| proxy.passed().broken > 0).count();
    assert!(
        broken * 2 > proxies.len(),
        "{broken} of {} lines broke",
        proxies.len()
    );
}

async fn within<T>(limit: Duration, fault: Option<Break>, what: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let done = what.await;
    let took = began.elapsed();
    assert!(took < limit + SLACK, "{fault:?}: it took {took:?}");
    done
}

async fn lock_and_release(proxy: Proxy, fault: Option<Break>) -> Proxy {
    let shared = settings(redis_url());
    let near = by_way_of(&proxy, &limited(&shared));
    let redis = within(CONNECT, fault, Redis::start(near, clock())).await.unwrap();
    let (ours, others) = (lock(&redis, LEASE), lock(&connected(&shared).await, LEASE));
    let asked = Instant::now();
    let had = within(RESPONSE, fault, ours.acquire("order:1", Duration::ZERO)).await;
    if let Ok(token) = had {
        let other = others.acquire("order:1", Duration::ZERO).await;
        if asked.elapsed() < LEASE {
            assert!(matches!(other, Err(LockError::Held(_))), "{fault:?}: two have it");
        }
        within(RESPONSE, fault, ours.release(token)).await;
    }
    let other = within(LEASE, fault, others.acquire("order:1", PATIENCE))
        .await
        .unwrap();
    let asked = Instant::now();
    let again = within(RESPONSE, fault, ours.acquire("order:1", Duration::ZERO)).await;
    if asked.elapsed() < LEASE {
        assert!(again.is_err(), "{fault:?}: two have it");
    }
    others.release(other).await;
    proxy
}

#[tokio::test(flavor = "multi_thread")]
async fn a_lock_is_its_owners_alone_wherever_the_line_breaks() {
    at_breaks(5, lock_and_release).await;
}

/// Two instances and one node, whose lease ends while the line of one is broken.
async fn make_numbers(proxy: Proxy, fault: Option<Break>) -> Proxy {
    let shared = settings(redis_url());
    let near = Redis::start(by_way_of(&proxy, &limited(&shared)), clock())
        .await
        .unwrap();
    let there = connected(&shared).await;
    let mut instances = Vec::new();
    for (redis, spare) in [(near, 1), (there, 2)] {
        let nodes = LeaseSettings {
            nodes: 600..=600,
            lease: LEASE,
        };
        // Marks of its own: what keeps its numbers from meeting others' is the lease alone.
        let marks = Arc::new(MemoryStore::default());
        let started = LeasedIds::start(redis, nodes, Some(spare), (clock(), random()), marks);
        instances.push(within(CONNECT + RESPONSE, fault, started).await.unwrap());
    }
    let mut seen = HashSet::new();
    let began = Instant::now();
    while began.elapsed() < LEASE * 2 {
        for ids in &instances {
            for _ in 0..20 {
                let number = ids.next().await.unwrap();
                assert!(seen.insert(number), "{fault:?}: {number} came twice");
            }
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    proxy
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_never_meet_wherever_the_line_breaks() {
    at_breaks(5, make_numbers).await;
}
