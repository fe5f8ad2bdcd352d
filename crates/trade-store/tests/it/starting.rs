//! Starting: with few rights, and beside another instance that migrates.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection};
use trade_core::port::{Inserted, TradingStore};
use trade_store::{Settings, SqlStore};
use trade_testkit::fixture;

use super::{column, server, stage::on_every_engine};

/// The tables of a database.
async fn tables(raw: &DatabaseConnection) -> Vec<String> {
    let tables = match raw.get_database_backend() {
        DatabaseBackend::Sqlite => "SELECT name FROM sqlite_master",
        DatabaseBackend::Postgres => {
            "SELECT CAST(table_name AS text) FROM information_schema.tables WHERE table_schema = 'public'"
        }
        _ => "SELECT TABLE_NAME FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE()",
    };
    column(raw, tables).await.unwrap()
}

#[tokio::test(flavor = "multi_thread")]
async fn asking_what_is_missing_makes_nothing() {
    on_every_engine(async |stage| {
        let store = stage.store_with(&Settings::default()).await;
        let pending = store.pending_migrations().await.unwrap();
        assert_eq!(pending.len(), 17);
        let raw = stage.outsider().await;
        assert_eq!(tables(&raw).await, [""; 0]);
        assert_eq!(store.migrate().await.unwrap(), pending);
        assert_eq!(store.pending_migrations().await.unwrap(), [""; 0]);
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

/// Who may read and write rows may run the server, once somebody else has migrated.
#[tokio::test(flavor = "multi_thread")]
async fn the_right_to_rows_is_enough_to_start() {
    for server in server::all() {
        let fresh = server.fresh().await;
        let raw = fresh.outsider().await;
        let is_postgres = raw.get_database_backend() == DatabaseBackend::Postgres;
        let user = format!("trade_rows_{}", std::process::id());
        let rights = if is_postgres {
            vec![
                format!("CREATE ROLE {user} LOGIN"),
                "REVOKE CREATE ON SCHEMA public FROM PUBLIC".to_owned(),
                format!("GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO {user}"),
                format!("GRANT USAGE ON ALL SEQUENCES IN SCHEMA public TO {user}"),
            ]
        } else {
            vec![
                format!("CREATE USER '{user}'@'%'"),
                format!(
                    "GRANT SELECT, INSERT, UPDATE, DELETE ON {}.* TO '{user}'@'%'",
                    fresh.name()
                ),
            ]
        };
        for right in rights {
            raw.execute_unprepared(&right).await.expect(&right);
        }
        let store = SqlStore::connect(&fresh.url_of(&user)).await.unwrap();
        assert_eq!(store.pending_migrations().await.unwrap(), [""; 0]);
        store.ping().await.unwrap();
        let trading = fixture::trading(1);
        let entry = fixture::first_entry(&trading);
        assert_eq!(
            store.insert_trading(&trading, &entry).await.unwrap(),
            Inserted::Done
        );
        store.close().await.unwrap();
        let gone = if is_postgres {
            vec![format!("DROP OWNED BY {user}"), format!("DROP ROLE {user}")]
        } else {
            vec![format!("DROP USER '{user}'@'%'")]
        };
        for gone in gone {
            raw.execute_unprepared(&gone).await.expect(&gone);
        }
        raw.close().await.unwrap();
        fresh.end().await;
    }
}

/// Another instance migrates for longer than one waits for a row: this one waits, and then finds everything done or
/// does it. What it does has the usual limit.
#[tokio::test(flavor = "multi_thread")]
async fn an_instance_waits_for_another_that_migrates() {
    for server in server::all() {
        let empty = server.empty().await;
        let raw = empty.outsider().await;
        let (lock, unlock) = match raw.get_database_backend() {
            DatabaseBackend::Postgres => (
                "SELECT pg_advisory_lock(7823310)",
                "SELECT pg_advisory_unlock(7823310)",
            ),
            _ => (
                "SELECT GET_LOCK('trade_migration', 60)",
                "SELECT RELEASE_LOCK('trade_migration')",
            ),
        };
        raw.execute_unprepared(lock).await.unwrap();
        let settings = Settings {
            busy_timeout: Duration::from_secs(1),
            ..Settings::default()
        };
        let store = SqlStore::connect_with(&empty.url(), &settings).await.unwrap();
        let starts = {
            let store = store.clone();
            tokio::spawn(async move { store.migrate().await })
        };
        tokio::time::sleep(Duration::from_secs(3)).await;
        assert!(!starts.is_finished(), "{:?}", starts.await);
        raw.execute_unprepared(unlock).await.unwrap();
        assert_eq!(starts.await.unwrap().unwrap().len(), 17);
        raw.close().await.unwrap();
        store.close().await.unwrap();
        empty.end().await;
    }
}
