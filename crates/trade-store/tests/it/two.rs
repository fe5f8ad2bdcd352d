//! Two stores on one file, as two processes: the tables decide, and a locked file is waited for.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::Duration,
};

use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use tokio::sync::Barrier;
use trade_core::{
    Role, TradingState,
    port::{Commit, HighWater, Inserted, Outbox, RefundInserted, RefundStore, TradingStore},
};
use trade_store::{Settings, SqlStore};
use trade_testkit::fixture::{self, START};

use super::{chain, opened, outsider};

const TASKS: usize = 32;

/// Runs `work` in 32 tasks that start at once, half of them on each of two stores; how often it says yes.
async fn race<F>(stores: [&SqlStore; 2], work: impl Fn(SqlStore, i64) -> F) -> usize
where
    F: Future<Output = bool> + Send + 'static,
{
    let barrier = Arc::new(Barrier::new(TASKS));
    let won = Arc::new(AtomicUsize::new(0));
    let tasks: Vec<_> = (1..)
        .zip(stores.into_iter().cycle())
        .take(TASKS)
        .map(|(number, store)| {
            let (barrier, won) = (Arc::clone(&barrier), Arc::clone(&won));
            let work = work(store.clone(), number);
            tokio::spawn(async move {
                barrier.wait().await;
                if work.await {
                    won.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for task in tasks {
        task.await.expect("no write fails for being contended");
    }
    won.load(Ordering::SeqCst)
}

#[tokio::test(flavor = "multi_thread")]
async fn two_instances_on_one_file_agree() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let (one, two) = (opened(&path).await, opened(&path).await);
    let stores = [&one, &two];

    let order = fixture::trading(1000);
    let inserted = race(stores, |store, number| {
        let trading = fixture::like(&order, number);
        async move {
            let entry = fixture::first_entry(&trading);
            store.insert_trading(&trading, &entry).await.unwrap() == Inserted::Done
        }
    });
    assert_eq!(inserted.await, 1);
    let live = one.tradings_of(&order.order()).await.unwrap();
    assert_eq!(two.tradings_of(&order.order()).await.unwrap(), live);

    let settled = race(stores, |store, number| {
        let mut change = fixture::paid(&live[0], Role::Winner, "4200");
        change.event = Some(fixture::event(&change.after, number));
        async move { store.commit_trading(&change).await.unwrap() == Commit::Done }
    });
    assert_eq!(settled.await, 1);
    assert_eq!(one.last_position().await.unwrap(), 1);
    assert_eq!(two.journal(live[0].trading_order_no).await.unwrap().len(), 2);

    let paid = two.trading(live[0].trading_order_no).await.unwrap().unwrap();
    let covered = race(stores, |store, number| {
        let refund = fixture::new_refund(&fixture::refund(&paid, number, 100));
        async move {
            let answer = store.insert_refund(&refund).await.unwrap();
            matches!(answer, RefundInserted::Done(_))
        }
    });
    assert_eq!(covered.await, 10);
    let row = one.trading(paid.trading_order_no).await.unwrap().unwrap();
    assert_eq!(row.refund_reserved.get(), 1000);
}

#[tokio::test(flavor = "multi_thread")]
async fn events_of_two_instances_are_one_sequence() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let (one, two) = (opened(&path).await, opened(&path).await);
    let order = fixture::trading(1000);
    let done = race([&one, &two], |store, number| {
        let row = trade_core::Trading {
            state: TradingState::Failed,
            ..fixture::like(&order, number)
        };
        let mut change = fixture::change(&row, TradingState::Cancelled);
        change.event = Some(fixture::event(&change.after, number));
        async move {
            let entry = fixture::first_entry(&row);
            store.insert_trading(&row, &entry).await.unwrap();
            store.commit_trading(&change).await.unwrap() == Commit::Done
        }
    });
    assert_eq!(done.await, TASKS);
    let events = two.events_after(0, 100).await.unwrap();
    let numbered: Vec<_> = events
        .iter()
        .map(|event| (event.message.seq, event.position))
        .collect();
    assert_eq!(numbered, (1..=32).map(|n| (Some(n), n)).collect::<Vec<_>>());
}

/// A transaction asks for the right to write when it begins, and waits for it: were it to ask at its
/// first write only, it would fail at once because somebody wrote after it had read.
#[tokio::test(flavor = "multi_thread")]
async fn a_write_waits_while_another_process_writes() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let store = opened(&path).await;
    assert!(store.advance(1, None, START).await.unwrap());
    let raw = outsider(&path).await;
    raw.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    raw.execute_unprepared("UPDATE id_mark SET mark_ms = mark_ms + 5")
        .await
        .unwrap();
    let waiting = {
        let store = store.clone();
        let moved = START.plus(Duration::from_millis(5));
        tokio::spawn(async move { store.advance(1, Some(moved), fixture::at(1)).await })
    };
    // Readers are not held up by either, and see what is committed.
    assert_eq!(store.load(1).await.unwrap(), Some(START));
    assert!(!waiting.is_finished());
    raw.execute_unprepared("COMMIT").await.unwrap();
    assert!(waiting.await.unwrap().unwrap());
    assert_eq!(store.load(1).await.unwrap(), Some(fixture::at(1)));
}

#[tokio::test]
async fn a_file_that_stays_locked_is_an_error_that_says_so() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    opened(&path).await;
    let settings = Settings {
        busy_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    let store = SqlStore::open_with(&path, &settings).await.unwrap();
    let raw = outsider(&path).await;
    raw.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    let advanced = store.advance(1, None, START).await.map(drop);
    for error in [store.ping().await, advanced] {
        let error = error.expect_err("locked");
        assert!(chain(&error).contains("locked"), "{}", chain(&error));
    }
    raw.execute_unprepared("ROLLBACK").await.unwrap();
    store.ping().await.unwrap();
    assert!(store.advance(1, None, START).await.unwrap());
}

/// After some errors SQLite rolls back by itself; the driver does not notice, and would go on inside a
/// transaction that never ends and keeps everybody else from writing.
#[tokio::test]
async fn an_engine_that_rolled_back_by_itself_leaves_no_lock() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let store = opened(&path).await;
    let raw = outsider(&path).await;
    let trigger = "CREATE TRIGGER rolls_back BEFORE INSERT ON trade_journal WHEN NEW.detail = 'fire' \
                   BEGIN SELECT RAISE(ROLLBACK, 'rolled back by itself'); END";
    raw.execute_unprepared(trigger).await.unwrap();
    let trading = fixture::trading(1);
    let mut entry = fixture::first_entry(&trading);
    entry.detail = "fire".into();
    for _ in 0..3 {
        let error = store
            .insert_trading(&trading, &entry)
            .await
            .expect_err("rolled back");
        assert!(
            chain(&error).contains("rolled back by itself"),
            "{}",
            chain(&error)
        );
        store.ping().await.unwrap();
    }
    let impatient = Settings {
        busy_timeout: Duration::from_millis(50),
        ..Settings::default()
    };
    let other = SqlStore::open_with(&path, &impatient).await.unwrap();
    other.ping().await.expect("nobody holds the lock");
    let entry = fixture::first_entry(&trading);
    store.insert_trading(&trading, &entry).await.unwrap();
    assert_eq!(
        other.trading(trading.trading_order_no).await.unwrap(),
        Some(trading)
    );
}

/// A file that is not yet in write-ahead mode can be switched only while nobody uses it, and the engine
/// does not wait for that by itself.
#[tokio::test(flavor = "multi_thread")]
async fn opening_waits_for_a_file_that_is_in_use() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    std::fs::File::create(&path).unwrap();
    let raw = outsider(&path).await;
    raw.execute_unprepared("CREATE TABLE theirs (id integer)")
        .await
        .unwrap();
    raw.execute_unprepared("BEGIN IMMEDIATE").await.unwrap();
    raw.execute_unprepared("INSERT INTO theirs VALUES (1)")
        .await
        .unwrap();
    let opening = tokio::spawn(async move { SqlStore::open(path).await });
    tokio::time::sleep(Duration::from_millis(50)).await;
    assert!(!opening.is_finished());
    raw.execute_unprepared("COMMIT").await.unwrap();
    let store = opening.await.unwrap().unwrap();
    store.migrate().await.unwrap();
}
