//! A full disk: an error that says so, nothing half written, and everything well once there is room.

use std::{
    fs,
    io::{self, Write as _},
    path::Path,
    process::Command,
};

use tempfile::TempDir;
use trade_core::{
    Role, Trading, TradingChange,
    port::{Commit, HighWater, Outbox, TradingStore},
};
use trade_store::{Settings, SqlStore};
use trade_testkit::fixture::{self, START};

use super::{chain, column, opened, outsider};

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

/// Where the disk is that holds next to nothing.
const TINY: &str = "TRADE_TEST_TINY_DISK";

/// Mounts a disk of 3 MiB that nobody else sees, and has the test run once more, on it; why not, where that is not permitted.
fn refused_a_disk_of_its_own(unshare: &str) -> Option<String> {
    let folder = TempDir::new().unwrap();
    let script = "mount -t tmpfs -o size=3m none \"$1\" || exit 97; exec \"$2\" --exact --nocapture \"$3\"";
    let ran = Command::new("unshare")
        .args([unshare, "--", "sh", "-c", script, "sh"])
        .arg(folder.path())
        .arg(std::env::current_exe().unwrap())
        .arg("full::a_disk_that_is_really_full_loses_nothing")
        .env(TINY, folder.path())
        .output();
    let ran = match ran {
        Ok(ran) => ran,
        Err(error) => return Some(error.to_string()),
    };
    let said = format!(
        "{}{}",
        String::from_utf8_lossy(&ran.stdout),
        String::from_utf8_lossy(&ran.stderr)
    );
    match ran.status.code() {
        Some(0) if said.contains("1 passed") => None,
        Some(97 | 1) => Some(said),
        _ => panic!("{:?}: {said}", ran.status),
    }
}

/// A disk that is really full, which no limit of the engine's own foresees.
#[tokio::test(flavor = "multi_thread")]
async fn a_disk_that_is_really_full_loses_nothing() {
    if let Some(folder) = std::env::var_os(TINY) {
        return on_a_tiny_disk(Path::new(&folder)).await;
    }
    let mut refused = String::new();
    // As root, or as somebody who may be root among their own.
    for unshare in ["-m", "-Urm"] {
        match refused_a_disk_of_its_own(unshare) {
            None => return,
            Some(why) => refused.push_str(&why),
        }
    }
    // Past what the test runner keeps to itself.
    let note =
        format!("\nNOT TESTED: a full disk of SQLite, since no file system may be mounted here: {refused}\n");
    io::stderr().write_all(note.as_bytes()).unwrap();
}

/// Uses up every byte of the disk.
fn fill_up(path: &Path) {
    let mut file = fs::File::options().create(true).append(true).open(path).unwrap();
    while file.write_all(&[0; 512]).is_ok() {}
}

/// Writes until there is no room; the rows that were said to be written, with the bytes of their answers.
async fn written_until_full(store: &SqlStore, first: i64) -> Vec<(Trading, usize)> {
    let mut written = Vec::new();
    for number in first..first + 500 {
        let trading = fixture::trading(number);
        let entry = fixture::first_entry(&trading);
        let mut paid = fixture::paid(&trading, Role::Winner, &format!("42{number}"));
        let bytes = usize::try_from(number % 7).unwrap() * 5000;
        paid.after.result_answer.body = "x".repeat(bytes);
        if let Some(event) = &mut paid.event {
            event.event_key = format!("trading:{number}:YJS");
        }
        let done = async {
            store.insert_trading(&trading, &entry).await?;
            store.commit_trading(&paid).await
        };
        match done.await {
            Ok(done) => {
                assert_eq!(done, Commit::Done);
                written.push((paid.after, bytes));
            }
            Err(error) => {
                assert!(chain(&error).contains("the disk is full"), "{}", chain(&error));
                let shape = shape_of(store, &trading).await;
                assert!(shape == (None, 0, 0) || shape == (Some(1), 1, 0), "{shape:?}");
                return written;
            }
        }
    }
    panic!("the disk takes more than it holds");
}

async fn shape_of(store: &SqlStore, trading: &Trading) -> (Option<i64>, usize, usize) {
    let row = store.trading(trading.trading_order_no).await.unwrap();
    let journal = store.journal(trading.trading_order_no).await.unwrap();
    let events = store.events_of(&trading.order()).await.unwrap();
    (row.map(|row| row.version), journal.len(), events.len())
}

async fn assert_there(store: &SqlStore, written: &[(Trading, usize)]) {
    for (trading, bytes) in written {
        assert_eq!(shape_of(store, trading).await, (Some(2), 2, 1));
        let row = store.trading(trading.trading_order_no).await.unwrap().unwrap();
        assert_eq!(row.result_answer.body.len(), *bytes);
    }
    assert_eq!(store.audit().await.unwrap().violations, []);
}

async fn on_a_tiny_disk(folder: &Path) {
    let (path, ballast, rest) = (folder.join("t.db"), folder.join("ballast"), folder.join("rest"));
    fs::write(&ballast, vec![0; 1 << 20]).unwrap();
    opened(folder.join("closed.db")).await.close().await.unwrap();
    let store = opened(&path).await;
    let mut written = written_until_full(&store, 1).await;
    fill_up(&rest);
    // What was refused has left a little room in the log, which small writes use up first.
    let mut pings = 0;
    while store.ping().await.is_ok() {
        pings += 1;
        assert!(pings < 200, "a full disk takes everything");
    }
    for _ in 0..3 {
        let error = store.ping().await.expect_err("no room at all");
        assert!(chain(&error).contains("the disk is full"), "{}", chain(&error));
        assert_there(&store, &written).await;
    }
    // A database that is new, or was closed in order, needs room to be opened.
    for another in ["new.db", "closed.db"] {
        let error = SqlStore::open(folder.join(another)).await.expect_err("no room");
        assert!(
            chain(&error).contains("the disk is full"),
            "{another}: {}",
            chain(&error)
        );
    }
    // Room is made, and nobody has to do anything else.
    fs::remove_file(&rest).unwrap();
    fs::remove_file(&ballast).unwrap();
    store.ping().await.unwrap();
    let more = written_until_full(&store, 1001).await;
    assert!(more.len() > 5, "{}", more.len());
    written.extend(more);
    assert_there(&store, &written).await;
    // It is as full as before, and the process ends.
    drop(store);
    let store = SqlStore::open(&path).await.unwrap();
    assert_there(&store, &written).await;
    let raw = outsider(&path).await;
    let integrity = "SELECT integrity_check FROM pragma_integrity_check";
    assert_eq!(column(&raw, integrity).await.unwrap(), ["ok"]);
}
