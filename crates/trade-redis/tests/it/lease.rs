//! Leased nodes: never two instances with one, whatever happens to Redis, lines and clocks.

use std::{
    collections::HashSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use trade_core::{
    IdError, Timestamp,
    memory::{ManualClock, MemoryStore},
    port::{Clock, HighWater, IdSource, StoreError},
};
use trade_redis::{LeaseSettings, LeasedIds, Redis, RedisSettings};
use trade_testkit::{fixture::START, proxy::Line};

use crate::{
    private::PrivateRedis,
    support::{PATIENCE, ask, by_way_of, clock, connected, proxy, random, redis_url, settings, until},
};

const SHORT: Duration = Duration::from_millis(1800);

fn nodes(count: i64, lease: Duration) -> LeaseSettings {
    LeaseSettings {
        nodes: 600..=600 + count - 1,
        lease,
    }
}

/// An instance with marks of its own: what keeps its numbers from meeting others' is the lease alone.
async fn instance(redis: Redis, nodes: LeaseSettings, spare: Option<i64>) -> Result<LeasedIds, IdError> {
    let marks = Arc::new(MemoryStore::default());
    LeasedIds::start(redis, nodes, spare, (clock(), random()), marks).await
}

fn node_of(number: i64) -> i64 {
    (number >> 12) & 1023
}

fn key(settings: &RedisSettings, node: i64) -> String {
    format!("{}:node:{node}", settings.prefix)
}

#[tokio::test(flavor = "multi_thread")]
async fn as_many_instances_as_nodes_and_the_next_takes_its_spare() {
    let settings = settings(redis_url());
    let starts: Vec<_> = (0..8)
        .map(|_| {
            let settings = settings.clone();
            tokio::spawn(async move { instance(connected(&settings).await, nodes(8, PATIENCE), None).await })
        })
        .collect();
    let mut instances = Vec::new();
    for start in starts {
        instances.push(start.await.unwrap().unwrap());
    }
    let mut leased: Vec<_> = instances.iter().map(|ids| ids.node().unwrap()).collect();
    leased.sort_unstable();
    assert_eq!(leased, (600..608).collect::<Vec<_>>());
    for ids in &instances {
        assert_eq!(node_of(ids.next().await.unwrap()), ids.node().unwrap());
    }
    let redis = connected(&settings).await;
    let why = instance(redis.clone(), nodes(8, PATIENCE), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(
        why.contains("all 8 nodes are leased") && why.contains("server.node"),
        "{why}"
    );
    let spare = instance(redis.clone(), nodes(8, PATIENCE), Some(7))
        .await
        .unwrap();
    assert_eq!(node_of(spare.next().await.unwrap()), 7);
    let why = instance(redis, nodes(8, PATIENCE), Some(603))
        .await
        .unwrap_err()
        .to_string();
    assert!(why.contains("node 603 is one of those that are leased"), "{why}");
}

/// Four instances on three nodes, over lines that are cut and fall silent for longer than a lease.
#[tokio::test(flavor = "multi_thread")]
async fn numbers_never_meet_while_lines_break_and_leases_end() {
    let settings = settings(redis_url());
    let stop = Arc::new(AtomicBool::new(false));
    let leased = Arc::new(Mutex::new(HashSet::new()));
    let mut makers = Vec::new();
    for turn in 0..4_u32 {
        let proxy = proxy().await;
        let hasty = RedisSettings {
            response_timeout: Duration::from_millis(200),
            connect_timeout: Duration::from_millis(200),
            ..by_way_of(&proxy, &settings)
        };
        let redis = Redis::start(hasty, clock()).await.unwrap();
        // Under its spare node when the three are taken; that one is its own.
        let ids = instance(redis, nodes(3, SHORT), Some(i64::from(turn)))
            .await
            .unwrap();
        let (stop, leased) = (Arc::clone(&stop), Arc::clone(&leased));
        makers.push(tokio::spawn(async move {
            let (mut numbers, mut round) = (Vec::new(), turn);
            while !stop.load(Ordering::SeqCst) {
                match round % 40 {
                    5 => proxy.cut_once().await,
                    20 => proxy.set(Line::Silent).await,
                    34 => proxy.cut_once().await,
                    _ => {}
                }
                round += 1;
                for _ in 0..50 {
                    let number = ids.next().await.unwrap();
                    if node_of(number) >= 600 {
                        leased.lock().unwrap().insert((turn, node_of(number)));
                    }
                    numbers.push(number);
                }
                tokio::time::sleep(Duration::from_millis(150)).await;
            }
            numbers
        }));
    }
    tokio::time::sleep(Duration::from_secs(8)).await;
    until("nodes have changed hands", || leased.lock().unwrap().len() > 4).await;
    stop.store(true, Ordering::SeqCst);
    let mut seen = HashSet::new();
    for maker in makers {
        for number in maker.await.unwrap() {
            assert!(
                seen.insert(number),
                "{number} of node {} came twice",
                node_of(number)
            );
        }
    }
}

/// A pause in the middle of a number: the time of the lease goes by while the first mark is stored.
#[derive(Debug)]
struct Paused {
    clock: Arc<ManualClock>,
    pause: Duration,
    was: AtomicBool,
}

#[async_trait]
impl HighWater for Paused {
    async fn load(&self, _node: i64) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn advance(&self, _: i64, _: Option<Timestamp>, _: Timestamp) -> Result<bool, StoreError> {
        if !self.was.swap(true, Ordering::SeqCst) {
            self.clock.advance(self.pause);
        }
        Ok(true)
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_number_whose_making_outlasted_the_lease_is_not_given_out() {
    let settings = settings(redis_url());
    let lease = Duration::from_secs(60);
    for (pause, is_given) in [(lease / 2, true), (lease * 5 / 6, false), (lease * 2, false)] {
        let clock = Arc::new(ManualClock::new(START));
        let marks = Arc::new(Paused {
            clock: Arc::clone(&clock),
            pause,
            was: AtomicBool::new(false),
        });
        let ids = LeasedIds::start(
            connected(&settings).await,
            nodes(8, lease),
            None,
            (clock, random()),
            marks,
        )
        .await
        .unwrap();
        let made = ids.next().await;
        assert_eq!(made.is_ok(), is_given, "{pause:?}: {made:?}");
        if !is_given {
            assert!(matches!(made, Err(IdError::NoNode(_))), "{made:?}");
        }
    }
}

/// A machine that was suspended: its monotonic clock stood still, the other did not.
#[tokio::test(flavor = "multi_thread")]
async fn a_suspended_machine_does_not_go_on_under_its_node() {
    let settings = settings(redis_url());
    let clock = Arc::new(ManualClock::new(START));
    let marks = Arc::new(MemoryStore::default());
    let ids = LeasedIds::start(
        connected(&settings).await,
        nodes(1, Duration::from_secs(60)),
        None,
        (clock.clone(), random()),
        marks,
    )
    .await
    .unwrap();
    ids.next().await.unwrap();
    clock.set(clock.now().plus(Duration::from_secs(55)));
    assert!(matches!(ids.next().await, Err(IdError::NoNode(_))));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_key_that_vanished_is_written_again_and_one_of_another_is_left() {
    let settings = settings(redis_url());
    let ids = instance(connected(&settings).await, nodes(2, SHORT * 2), None)
        .await
        .unwrap();
    let first = ids.node().unwrap();
    let owner: String = ask(&settings, &["GET", &key(&settings, first)]).await;
    ask::<()>(&settings, &["DEL", &key(&settings, first)]).await;
    let mut is_again = false;
    for _ in 0..3000 {
        is_again =
            ask::<Option<String>>(&settings, &["GET", &key(&settings, first)]).await == Some(owner.clone());
        if is_again {
            break;
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    assert!(is_again, "the owner renewed its lease");
    assert_eq!(ids.node().unwrap(), first);

    ask::<()>(
        &settings,
        &["SET", &key(&settings, first), "another", "PX", "60000"],
    )
    .await;
    until("it left the node", || ids.node().is_ok_and(|node| node != first)).await;
    let other: String = ask(&settings, &["GET", &key(&settings, first)]).await;
    assert_eq!(other, "another");
    ids.next().await.unwrap();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_node_that_is_given_back_is_the_next_ones_at_once() {
    let settings = settings(redis_url());
    let only = || nodes(1, PATIENCE);
    let redis = connected(&settings).await;
    let ids = instance(redis.clone(), only(), None).await.unwrap();
    ids.next().await.unwrap();
    instance(redis.clone(), only(), None).await.unwrap_err();
    ids.give_back().await;
    assert!(matches!(ids.next().await, Err(IdError::NoNode(_))));
    let next = instance(redis.clone(), only(), None).await.unwrap();
    // By now it is another's.
    ids.give_back().await;
    assert!(next.node().is_ok() && instance(redis.clone(), only(), None).await.is_err());

    ask::<()>(
        &settings,
        &["SET", &key(&settings, 600), "another", "PX", "60000"],
    )
    .await;
    next.give_back().await;
    let owner: String = ask(&settings, &["GET", &key(&settings, 600)]).await;
    assert_eq!(owner, "another");
}

/// A Redis that was started anew has forgotten who has which node: it leases none until all leases of before ended.
#[tokio::test(flavor = "multi_thread")]
async fn a_redis_that_forgot_its_leases_gives_no_node_away_that_is_in_use() {
    let mut server = PrivateRedis::running(&[]);
    let settings = settings(server.url());
    let (redis, lease) = (connected(&settings).await, Duration::from_secs(10));
    let ids = instance(redis.clone(), nodes(1, lease), None).await.unwrap();
    let before = ids.next().await.unwrap();
    server.stop();
    until("it is away", || redis.away().is_some()).await;
    let during = ids.next().await.unwrap();
    server.start();
    let other = connected(&settings).await;
    // With a spare it starts at once, and leaves the leased one alone.
    let spare = instance(other.clone(), nodes(1, lease), Some(1)).await.unwrap();
    assert_eq!(spare.node().unwrap(), 1);
    // Without one it waits, and then finds the node renewed by its owner.
    let why = instance(other, nodes(1, lease), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(why.contains("all 1 nodes are leased"), "{why}");
    let after = ids.next().await.unwrap();
    assert_eq!([before, during, after].map(node_of), [600, 600, 600]);
    assert!(before < during && during < after);
}

#[tokio::test(flavor = "multi_thread")]
async fn without_redis_numbers_come_from_the_spare_node_or_not_at_all() {
    let mut server = PrivateRedis::stopped(&[]);
    let settings = settings(server.url());
    let redis = Redis::start(settings.clone(), clock()).await.unwrap();
    let why = instance(redis.clone(), nodes(1, SHORT), None)
        .await
        .unwrap_err()
        .to_string();
    assert!(why.contains("is away") && why.contains("server.node"), "{why}");

    let ids = instance(redis.clone(), nodes(1, SHORT), Some(5)).await.unwrap();
    assert_eq!(node_of(ids.next().await.unwrap()), 5);
    for _ in 0..2 {
        server.start();
        until("a node is leased", || ids.node().is_ok_and(|node| node == 600)).await;
        assert_eq!(node_of(ids.next().await.unwrap()), 600);
        server.stop();
        until("the lease ended", || ids.node().is_ok_and(|node| node == 5)).await;
        assert_eq!(node_of(ids.next().await.unwrap()), 5);
    }

    server.start();
    until("it is there", || redis.away().is_none()).await;
    drop(ids);
    let ids = instance(redis, nodes(1, SHORT), None).await.unwrap();
    ids.next().await.unwrap();
    server.stop();
    until("the lease ended", || ids.node().is_err()).await;
    let why = ids.next().await.unwrap_err().to_string();
    assert!(why.contains("is away"), "{why}");
}
