//! The suites of `trade-testkit`, on files and in memory.

use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering},
};

use super::server;
use tempfile::TempDir;
use trade_core::{
    Snowflake,
    memory::ManualClock,
    port::{Clock, IdSource},
};
use trade_store::SqlStore;
use trade_testkit::{
    contract::{self, Promise, ids, store},
    fixture::START,
};

async fn holds_on_files(promises: Vec<Promise<store::Store>>) {
    let folder = TempDir::new().unwrap();
    let count = AtomicU64::new(0);
    store::holds(promises, async || {
        let number = count.fetch_add(1, Ordering::SeqCst);
        let path = folder.path().join(format!("{number}.db"));
        let store = SqlStore::open(path).await.unwrap();
        store.migrate().await.unwrap();
        Arc::new(store)
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn file_keeps_every_promise() {
    holds_on_files(store::promises()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn memory_keeps_every_promise() {
    store::holds(store::promises(), async || {
        Arc::new(SqlStore::in_memory().await.unwrap())
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn servers_keep_every_promise() {
    for server in server::all() {
        let fresh = server.fresh().await;
        let raw = fresh.outsider().await;
        store::holds(store::promises(), async || {
            server::wipe(&raw).await;
            Arc::clone(&fresh.store)
        })
        .await;
        raw.close().await.unwrap();
        fresh.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_on_a_file_are_never_given_out_twice() {
    contract::check_all(ids::promises(), async || {
        let folder = Arc::new(TempDir::new().unwrap());
        let clock = Arc::new(ManualClock::new(START));
        let back = Arc::clone(&clock);
        ids::Subject {
            // Each start opens the file anew, as a new process would.
            start: Arc::new(move || {
                let (clock, folder) = (Arc::clone(&clock), Arc::clone(&folder));
                Box::pin(async move {
                    let store = SqlStore::open(folder.path().join("trade.db")).await.unwrap();
                    store.migrate().await.unwrap();
                    let ids = Snowflake::start(1, clock, Arc::new(store)).await.unwrap();
                    let ids: Arc<dyn IdSource> = Arc::new(ids);
                    ids
                })
            }),
            set_back: Arc::new(move |by| back.set(back.now().minus(by))),
        }
    })
    .await;
}
