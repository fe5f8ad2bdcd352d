//! Opening: what is accepted, what is refused and in which words.

use std::{fs, path::Path};

use tempfile::TempDir;
use trade_core::{Timestamp, port::HighWater};
use trade_store::{Settings, SqlStore};

use super::{chain, opened};

async fn refusal(target: &str) -> String {
    let error = SqlStore::connect(target).await.expect_err("it is refused");
    chain(&error)
}

#[tokio::test]
async fn a_path_and_a_url_name_the_same_file() {
    let folder = TempDir::new().unwrap();
    // A name that a URL would have to escape is no matter for a path.
    let path = folder.path().join("订单 50%?.db");
    opened(&path)
        .await
        .advance(1, None, trade_testkit::fixture::START)
        .await
        .unwrap();
    let text = path.to_str().unwrap();
    let again = SqlStore::connect(text).await.unwrap();
    assert!(again.load(1).await.unwrap().is_some());

    let url = format!("sqlite://{}/plain.db?mode=rwc", folder.path().display());
    let by_url = SqlStore::connect(&url).await.unwrap();
    by_url.migrate().await.unwrap();
    assert!(folder.path().join("plain.db").exists());
}

#[tokio::test]
async fn a_url_without_permission_creates_no_file() {
    let folder = TempDir::new().unwrap();
    let url = format!("sqlite://{}/none.db", folder.path().display());
    let text = refusal(&url).await;
    assert!(text.contains("mode=rwc"), "{text}");
    assert!(!folder.path().join("none.db").exists());
    let text = refusal(&format!("{}/no/such/folder/t.db", folder.path().display())).await;
    assert!(text.contains("its folder must exist"), "{text}");
    let text = refusal("sqlite://x.db?mode=sideways").await;
    assert!(text.contains("mode=rwc"), "{text}");
}

#[tokio::test]
async fn what_cannot_be_connected_to_says_why_and_no_password() {
    for (url, told) in [
        (
            "redis://:hunter2@db",
            "`redis` is not a database this program speaks",
        ),
        ("postgres://trade:hunter2@127.0.0.1:1/trade", "cannot be reached"),
        ("mysql://trade:hunter2@127.0.0.1:1/trade", "cannot be reached"),
        (
            "postgres://trade:hunter2@127.0.0.1:port/trade",
            "the database URL cannot be read",
        ),
    ] {
        let error = SqlStore::connect(url).await.expect_err("nobody is there");
        let text = format!("{} {error:?}", chain(&error));
        assert!(text.contains(told), "{text}");
        assert!(!text.contains("hunter2"), "{text}");
    }
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("notes.txt");
    fs::write(
        &path,
        "no database, but long enough to be taken for a header of one ".repeat(100),
    )
    .unwrap();
    let text = refusal(path.to_str().unwrap()).await;
    assert!(text.contains("damaged or not a database"), "{text}");
}

#[tokio::test]
async fn a_read_only_database_reads_and_is_not_ready() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let writer = opened(&path).await;
    let moved = writer.advance(1, None, trade_testkit::fixture::START).await;
    assert!(moved.unwrap());
    let url = format!("sqlite://{}?mode=ro", path.display());
    let store = SqlStore::connect(&url).await.unwrap();
    assert!(store.load(1).await.unwrap().is_some());
    let error = store.ping().await.expect_err("not ready");
    assert!(chain(&error).contains("read-only"), "{}", chain(&error));
}

#[tokio::test]
async fn debug_shows_where_and_nothing_else() {
    let store = SqlStore::connect("sqlite::memory:").await.unwrap();
    let text = format!("{store:?}");
    assert!(text.starts_with("SqlStore { place: "), "{text}");
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let text = format!("{:?}", SqlStore::open(&path).await.unwrap());
    assert!(text.contains(&path.display().to_string()), "{text}");
}

#[tokio::test]
async fn settings_are_in_force() {
    let folder = TempDir::new().unwrap();
    let settings = Settings {
        busy_timeout: std::time::Duration::from_millis(1234),
        max_pages: Some(77),
        ..Settings::default()
    };
    let store = SqlStore::open_with(folder.path().join("t.db"), &settings)
        .await
        .unwrap();
    let facts = store.facts().await.unwrap();
    let fact = |name: &str| {
        let (_, value) = facts.iter().find(|(fact, _)| *fact == name).unwrap();
        value.clone()
    };
    assert_eq!(fact("journal_mode"), "wal");
    assert_eq!(fact("synchronous"), "2", "2 is FULL");
    assert_eq!(fact("foreign_keys"), "1");
    assert_eq!(fact("busy_timeout"), "1234");
    assert_eq!(fact("max_page_count"), "77");
    assert!(fact("sqlite").starts_with("3."));
}

#[tokio::test]
async fn not_migrated_is_not_ready() {
    let folder = TempDir::new().unwrap();
    let store = SqlStore::open(folder.path().join("t.db")).await.unwrap();
    let error = store.ping().await.expect_err("there are no tables");
    assert!(chain(&error).contains("migrate first"), "{}", chain(&error));
    store.migrate().await.unwrap();
    for _ in 0..3 {
        store.ping().await.unwrap();
    }
    // A full disk shows itself at a commit alone: the probe leaves one row, of a node that no generator is.
    assert_eq!(store.load(-1).await.unwrap().map(Timestamp::ms), Some(2));
}

#[tokio::test]
async fn a_closed_store_fails_and_says_so() {
    let folder = TempDir::new().unwrap();
    let store = opened(Path::new(folder.path()).join("t.db")).await;
    store.clone().close().await.unwrap();
    store.ping().await.expect_err("closed");
    store.load(1).await.expect_err("closed");
}
