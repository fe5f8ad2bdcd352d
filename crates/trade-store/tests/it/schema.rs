//! Migrations: from nothing, again, at once, and against a database that is further or another.

use futures_util::future::join_all;
use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use trade_core::port::TradingStore;
use trade_store::{Settings, SqlStore};

use super::{chain, column, opened, outsider, stage::on_every_engine};

const TABLES: [&str; 12] = [
    "channel_call",
    "id_mark",
    "idempotency_key",
    "notice_inbox",
    "pay_channel",
    "refund_journal",
    "refund_record",
    "trade_journal",
    "trade_migration",
    "trade_outbox",
    "trade_position",
    "trading",
];

#[tokio::test]
async fn an_empty_file_becomes_the_schema_and_stays_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let store = SqlStore::open(&path).await.unwrap();
    let pending = store.pending_migrations().await.unwrap();
    assert_eq!(pending.len(), 17);
    assert_eq!(store.migrate().await.unwrap(), pending);
    let raw = outsider(&path).await;
    let tables = "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite%' ORDER BY 1";
    assert_eq!(column(&raw, tables).await.unwrap(), TABLES);
    let schema = column(&raw, "SELECT sql FROM sqlite_master ORDER BY name").await;

    assert_eq!(store.migrate().await.unwrap(), [""; 0]);
    assert_eq!(store.pending_migrations().await.unwrap(), [""; 0]);
    let again = opened(&path).await;
    assert_eq!(again.migrate().await.unwrap(), [""; 0]);
    let same = column(&raw, "SELECT sql FROM sqlite_master ORDER BY name").await;
    assert_eq!(same.unwrap(), schema.unwrap());
}

#[tokio::test]
async fn the_platforms_columns_have_their_names() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    opened(&path).await;
    let raw = outsider(&path).await;
    let cases = [
        (
            "trading",
            "id product_app_id product_order_no trading_order_no transaction_id trading_channel trading_type \
             trading_state payee_name payee_id payer_name payer_id trading_amount refund is_refund \
             result_code result_msg result_json place_order_code place_order_msg place_order_json \
             enterprise_id memo qr_code open_id enable_flag create_time update_time",
        ),
        (
            "refund_record",
            "id product_app_id trading_order_no product_order_no refund_no refund_id enterprise_id \
             trading_channel refund_status refund_code refund_msg memo refund_amount total create_time \
             update_time",
        ),
        (
            "pay_channel",
            "id channel_name channel_label domain app_id public_key merchant_private_key other_config \
             encrypt_key remark notify_url enable_flag enterprise_id create_time update_time",
        ),
    ];
    for (table, names) in cases {
        let columns = column(&raw, &format!("SELECT name FROM pragma_table_info('{table}')")).await;
        let columns = columns.unwrap();
        for name in names.split_whitespace() {
            assert!(columns.iter().any(|column| column == name), "{table}.{name}");
        }
        let floats = format!(
            "SELECT name FROM pragma_table_info('{table}') WHERE lower(type) NOT IN ('integer', 'text') \
             AND lower(type) NOT LIKE 'varchar(%'"
        );
        assert_eq!(column(&raw, &floats).await.unwrap(), [""; 0], "{table}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn processes_that_start_at_once_migrate_once() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let starts = (0..8).map(|_| {
        let path = path.clone();
        tokio::spawn(async move {
            let store = SqlStore::open(&path).await.unwrap();
            let applied = store.migrate().await.unwrap();
            store.ping().await.unwrap();
            applied
        })
    });
    let applied: Vec<_> = join_all(starts)
        .await
        .into_iter()
        .flat_map(Result::unwrap)
        .collect();
    assert_eq!(applied.len(), 17, "{applied:?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_runs_on_a_newer_database() {
    on_every_engine(async |stage| {
        let store = stage.store().await;
        let raw = stage.outsider().await;
        let newer = "INSERT INTO trade_migration (version, name) VALUES (99, 'from_the_future')";
        raw.execute_unprepared(newer).await.unwrap();
        raw.execute_unprepared("ALTER TABLE trading ADD COLUMN added_later bigint")
            .await
            .unwrap();
        assert_eq!(store.migrate().await.unwrap(), [""; 0]);
        assert_eq!(store.pending_migrations().await.unwrap(), [""; 0]);
        let trading = trade_testkit::fixture::rich_trading(1);
        let entry = trade_testkit::fixture::first_entry(&trading);
        store.insert_trading(&trading, &entry).await.unwrap();
        let row = store.trading(trading.trading_order_no).await.unwrap();
        assert_eq!(row, Some(trading));
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

/// What a newer version has taken away, this one may need.
#[tokio::test(flavor = "multi_thread")]
async fn an_older_version_refuses_a_database_that_lacks_something() {
    on_every_engine(async |stage| {
        let store = stage.store().await;
        let raw = stage.outsider().await;
        let newer = "INSERT INTO trade_migration (version, name) VALUES (99, 'trading_memo_contract')";
        raw.execute_unprepared(newer).await.unwrap();
        for answer in [store.migrate().await, store.pending_migrations().await] {
            let error = answer.expect_err("it is too new");
            assert!(
                chain(&error).contains("`trading_memo_contract`"),
                "{}",
                chain(&error)
            );
        }
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_elses_database_is_left_alone() {
    on_every_engine(async |stage| {
        let store = stage.store_with(&Settings::default()).await;
        let raw = stage.outsider().await;
        let table = "CREATE TABLE trade_migration (version bigint PRIMARY KEY, name varchar(64) NOT NULL)";
        raw.execute_unprepared(table).await.unwrap();
        let theirs = "INSERT INTO trade_migration (version, name) VALUES (2, 'their_users')";
        raw.execute_unprepared(theirs).await.unwrap();
        for answer in [store.pending_migrations().await, store.migrate().await] {
            let error = answer.expect_err("not ours");
            assert!(chain(&error).contains("`their_users`"), "{}", chain(&error));
        }
        // What came before it was applied; nothing after it.
        raw.execute_unprepared("SELECT * FROM pay_channel").await.unwrap();
        for table in ["trading", "id_mark"] {
            let select = format!("SELECT * FROM {table}");
            raw.execute_unprepared(&select).await.expect_err(&select);
        }
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}
