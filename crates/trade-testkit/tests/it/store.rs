//! The store in memory.

use std::sync::Arc;

use trade_core::memory::MemoryStore;
use trade_testkit::contract::{Promise, store};

async fn holds(promises: Vec<Promise<store::Store>>) {
    store::holds(promises, async || Arc::new(MemoryStore::default())).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_store_keeps_every_promise() {
    holds(store::promises()).await;
}

#[test]
fn every_promise_is_listed_once_under_its_own_name() {
    let promises = store::promises();
    let mut names: Vec<_> = promises.iter().map(Promise::name).collect();
    names.sort_unstable();
    names.dedup();
    assert_eq!(names.len(), promises.len());
    assert!(
        names
            .iter()
            .all(|name| name.starts_with("trade_testkit::contract::store::"))
    );
}
