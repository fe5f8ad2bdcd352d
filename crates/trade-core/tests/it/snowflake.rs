//! Numbers are never given out twice.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use futures_util::future::join_all;
use trade_core::{
    IdError, Snowflake, Timestamp,
    memory::{ManualClock, MemoryStore},
    port::{Clock, HighWater, IdSource, StoreError},
};

const START: Timestamp = Timestamp::from_ms(1_790_000_000_000);

async fn start(clock: &Arc<ManualClock>, store: &Arc<MemoryStore>, node: i64) -> Result<Snowflake, IdError> {
    let high_water: Arc<dyn HighWater> = store.clone();
    Snowflake::start(node, clock.clone(), high_water).await
}

#[tokio::test]
async fn unique_over_a_standing_and_a_backward_clock_and_restarts() {
    let (clock, store) = (
        Arc::new(ManualClock::new(START)),
        Arc::new(MemoryStore::default()),
    );
    let mut seen = BTreeSet::new();
    for round in 0..4_u64 {
        let ids = start(&clock, &store, 1).await.unwrap();
        for _ in 0..10_000 {
            assert!(seen.insert(ids.next().await.unwrap()), "round {round}");
        }
        // A restart a little before the numbers already given out.
        clock.set(START.minus(Duration::from_secs(round)));
    }
    assert_eq!(seen.len(), 40_000);
    let sorted: Vec<_> = seen.into_iter().collect();
    assert!(sorted[0] > 0 && sorted[0].to_string().len() >= 18);
}

#[tokio::test]
async fn a_clock_far_behind_is_refused_and_so_is_a_wrong_node() {
    let (clock, store) = (
        Arc::new(ManualClock::new(START)),
        Arc::new(MemoryStore::default()),
    );
    start(&clock, &store, 1).await.unwrap().next().await.unwrap();
    clock.set(START.minus(Duration::from_secs(600)));
    assert!(matches!(
        start(&clock, &store, 1).await,
        Err(IdError::ClockBehind { .. })
    ));
    assert!(matches!(
        start(&clock, &store, 1024).await,
        Err(IdError::Node(1024))
    ));
    assert!(matches!(start(&clock, &store, -1).await, Err(IdError::Node(-1))));
}

#[tokio::test]
async fn a_program_that_restarts_all_the_time_starts_every_time() {
    let (clock, store) = (
        Arc::new(ManualClock::new(START)),
        Arc::new(MemoryStore::default()),
    );
    let mut seen = BTreeSet::new();
    for restart in 0..100 {
        let ids = start(&clock, &store, 1).await.unwrap();
        assert!(seen.insert(ids.next().await.unwrap()), "restart {restart}");
    }
}

#[tokio::test]
async fn nodes_do_not_collide() {
    let (clock, store) = (
        Arc::new(ManualClock::new(START)),
        Arc::new(MemoryStore::default()),
    );
    let (one, two) = (
        start(&clock, &store, 1).await.unwrap(),
        start(&clock, &store, 2).await.unwrap(),
    );
    let mut seen = BTreeSet::new();
    for _ in 0..5_000 {
        assert!(seen.insert(one.next().await.unwrap()));
        assert!(seen.insert(two.next().await.unwrap()));
    }
}

/// Two instances that were given one node by mistake: the mark is moved by one of them at a time.
#[tokio::test]
async fn two_with_one_node_never_make_the_same_number() {
    let (clock, store) = (
        Arc::new(ManualClock::new(START)),
        Arc::new(MemoryStore::default()),
    );
    let (one, two) = (
        start(&clock, &store, 1).await.unwrap(),
        start(&clock, &store, 1).await.unwrap(),
    );
    let mut seen = BTreeSet::new();
    for _ in 0..2_000 {
        clock.advance(Duration::from_millis(100));
        for ids in [&one, &two] {
            assert!(seen.insert(ids.next().await.unwrap()));
        }
    }
    // At the same moment, too.
    for _ in 0..200 {
        clock.advance(Duration::from_secs(7));
        let numbers =
            join_all((0..8).map(|index| if index % 2 == 0 { one.next() } else { two.next() })).await;
        for number in numbers {
            assert!(seen.insert(number.unwrap()));
        }
    }
    let mark = store.load(1).await.unwrap().unwrap();
    let ahead = mark.since(clock.now());
    assert!(
        ahead < Duration::from_secs(30),
        "they drift away from the clock: {ahead:?}"
    );
    start(&clock, &store, 1).await.expect("a third starts, too");
}

/// A database that fell back to an older state, as after a failover, takes no numbers back with it.
#[tokio::test]
async fn a_mark_that_falls_back_makes_no_number_twice() {
    let clock = Arc::new(ManualClock::new(START));
    let marks = Arc::new(FallsBack::default());
    let ids = Snowflake::start(1, clock.clone(), marks.clone()).await.unwrap();
    let mut seen = BTreeSet::new();
    for round in 0..50 {
        for _ in 0..3_000 {
            assert!(seen.insert(ids.next().await.unwrap()), "round {round}");
        }
        *marks.0.lock().unwrap() = Some(START.minus(Duration::from_secs(60)));
        // The clock is behind the numbers for a while: they are ahead of it.
        clock.set(START.plus(Duration::from_secs(round % 3 * 20)));
    }
}

/// A mark that somebody sets.
#[derive(Debug, Default)]
struct FallsBack(Mutex<Option<Timestamp>>);

#[async_trait]
impl HighWater for FallsBack {
    async fn load(&self, _node: i64) -> Result<Option<Timestamp>, StoreError> {
        Ok(*self.0.lock().unwrap())
    }

    async fn advance(&self, _: i64, seen: Option<Timestamp>, mark: Timestamp) -> Result<bool, StoreError> {
        let mut stored = self.0.lock().unwrap();
        let moves = *stored == seen;
        if moves {
            *stored = Some(mark);
        }
        Ok(moves)
    }
}

/// A job that works on every n-th number gets about every n-th trading, also of a shop that sells one now and then.
#[tokio::test]
async fn numbers_spread_over_parts() {
    let (clock, store) = (
        Arc::new(ManualClock::new(START)),
        Arc::new(MemoryStore::default()),
    );
    let ids = start(&clock, &store, 1).await.unwrap();
    let mut numbers = Vec::new();
    for gap in 1..=4_000_u64 {
        clock.advance(Duration::from_millis(gap * 7 % 1_009));
        numbers.push(ids.next().await.unwrap());
    }
    for total in [2, 3, 4, 5, 8, 16] {
        let fair = 4_000 / total;
        for index in 0..total {
            let part = numbers.iter().filter(|number| **number % total == index).count();
            let part = i64::try_from(part).unwrap();
            assert!(part > fair / 2 && part < fair * 2, "{index} of {total}: {part}");
        }
    }
}
