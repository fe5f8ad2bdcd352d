//! Numbers are never given out twice.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use trade_core::{
    IdError, Snowflake, Timestamp,
    memory::{ManualClock, MemoryStore},
    port::{HighWater, IdSource},
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
