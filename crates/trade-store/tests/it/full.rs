//! A full disk: an error that says so, nothing half written, and everything well once there is room.

use tempfile::TempDir;
use trade_core::{
    Role, Trading, TradingChange,
    port::{Commit, HighWater, Outbox, TradingStore},
};
use trade_store::{Settings, SqlStore};
use trade_testkit::fixture::{self, START};

use super::{chain, opened};

/// What a store holds of a trading: version, length of the journal, events in all.
async fn shape(store: &SqlStore, trading: &Trading) -> (Option<i64>, usize, i64) {
    let row = store.trading(trading.trading_order_no).await.unwrap();
    let journal = store.journal(trading.trading_order_no).await.unwrap();
    let position = store.last_position().await.unwrap();
    (row.map(|row| row.version), journal.len(), position)
}

/// A settling of 160,000 bytes, of which the row has `row`, the journal `journal` and the event the rest.
fn bulky(before: &Trading, row: usize, journal: usize) -> TradingChange {
    let mut change = fixture::paid(before, Role::Winner, &format!("42{}", before.trading_order_no));
    change.after.result_answer.body = "x".repeat(row);
    change.journal.detail = "y".repeat(journal);
    if let Some(event) = &mut change.event {
        event.message.info = "z".repeat(BULK - row - journal);
    }
    change
}

const BULK: usize = 160_000;

#[tokio::test]
async fn a_full_disk_writes_nothing_by_halves() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    opened(&path).await.close().await.unwrap();
    let tight = Settings {
        max_pages: Some(60),
        ..Settings::default()
    };
    let store = SqlStore::open_with(&path, &tight).await.unwrap();
    let first = fixture::trading(1);
    let entry = fixture::first_entry(&first);
    store.insert_trading(&first, &entry).await.unwrap();

    // The disk becomes full at the row, at its journal, or at its event.
    for row in (0..=BULK).step_by(BULK / 8) {
        for journal in (0..=BULK - row).step_by(BULK / 8) {
            let change = bulky(&first, row, journal);
            let error = store.commit_trading(&change).await.expect_err("no room");
            assert!(chain(&error).contains("disk is full"), "{}", chain(&error));
            assert_eq!(shape(&store, &first).await, (Some(1), 1, 0));
        }
        let second = bulky(&fixture::trading(2), row, BULK - row);
        let error = store.insert_trading(&second.after, &second.journal).await;
        let error = error.expect_err("no room");
        assert!(chain(&error).contains("disk is full"), "{}", chain(&error));
        assert_eq!(shape(&store, &second.after).await, (None, 0, 0));
        // What needs no room goes on, in transactions of its own.
        let mark = fixture::at(i64::try_from(row).unwrap());
        let seen = store.load(1).await.unwrap();
        assert!(store.advance(1, seen, mark).await.unwrap());
        assert_eq!(store.load(1).await.unwrap(), Some(mark));
    }
    let small = fixture::paid(&first, Role::Winner, "4200");
    assert_eq!(store.commit_trading(&small).await.unwrap(), Commit::Done);
    assert_eq!(shape(&store, &first).await, (Some(2), 2, 1));
    store.close().await.unwrap();

    let roomy = opened(&path).await;
    assert_eq!(shape(&roomy, &first).await, (Some(2), 2, 1));
    assert!(roomy.load(1).await.unwrap() > Some(START));
    let second = fixture::trading(2);
    let entry = fixture::first_entry(&second);
    roomy.insert_trading(&second, &entry).await.unwrap();
    let done = roomy.commit_trading(&bulky(&second, 0, BULK)).await;
    assert_eq!(done.unwrap(), Commit::Done);
}
