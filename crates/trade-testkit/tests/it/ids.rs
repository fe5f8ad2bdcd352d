//! The snowflake generator on the store in memory.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use trade_core::{
    IdError, Snowflake, Timestamp,
    memory::{ManualClock, MemoryStore},
    port::{Clock, HighWater, IdSource, StoreError},
};
use trade_testkit::{
    contract::{self, ids},
    fixture::START,
};

#[tokio::test(flavor = "multi_thread")]
async fn snowflake_keeps_every_promise() {
    contract::check_all(ids::promises(), async || {
        let clock = Arc::new(ManualClock::new(START));
        let store = Arc::new(MemoryStore::default());
        let back = Arc::clone(&clock);
        ids::Subject {
            start: Arc::new(move || {
                let (clock, store) = (Arc::clone(&clock), Arc::clone(&store));
                Box::pin(async move {
                    let ids: Arc<dyn IdSource> = Arc::new(Snowflake::start(1, clock, store).await.unwrap());
                    ids
                })
            }),
            set_back: Arc::new(move |by| back.set(back.now().minus(by))),
        }
    })
    .await;
}

#[tokio::test]
async fn nodes_at_the_same_moment_never_meet() {
    let clock = Arc::new(ManualClock::new(START));
    let store = Arc::new(MemoryStore::default());
    let mut numbers = Vec::new();
    for node in [0, 1, 1023] {
        let ids = Snowflake::start(node, clock.clone(), store.clone())
            .await
            .unwrap();
        for _ in 0..5000 {
            numbers.push(ids.next().await.unwrap());
        }
    }
    numbers.sort_unstable();
    assert!(numbers.windows(2).all(|pair| pair[0] != pair[1]));
}

#[tokio::test]
async fn a_node_out_of_range_and_a_wrong_clock_are_refused() {
    let clock = Arc::new(ManualClock::new(START));
    let store = Arc::new(MemoryStore::default());
    let start = async |node| Snowflake::start(node, clock.clone(), store.clone()).await;
    for node in [-1, 1024] {
        assert!(matches!(start(node).await.unwrap_err(), IdError::Node(wrong) if wrong == node));
    }
    start(1).await.unwrap().next().await.unwrap();
    clock.set(START.minus(Duration::from_secs(3600)));
    assert!(matches!(start(1).await.unwrap_err(), IdError::ClockBehind { .. }));
}

/// A store whose disk is full: it reads, and stores nothing.
#[derive(Debug)]
struct FullDisk;

#[async_trait]
impl HighWater for FullDisk {
    async fn load(&self, _node: i64) -> Result<Option<Timestamp>, StoreError> {
        Ok(None)
    }

    async fn advance(&self, _: i64, _: Option<Timestamp>, _: Timestamp) -> Result<bool, StoreError> {
        Err(StoreError {
            operation: "move a mark",
            source: "disk full".into(),
        })
    }
}

#[tokio::test]
async fn no_number_without_a_stored_mark() {
    let clock = Arc::new(ManualClock::new(START));
    let ids = Snowflake::start(1, clock, Arc::new(FullDisk)).await.unwrap();
    for _ in 0..2 {
        assert!(matches!(ids.next().await.unwrap_err(), IdError::Store(_)));
    }
}
