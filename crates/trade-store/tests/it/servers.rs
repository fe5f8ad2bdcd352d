//! What only a database server can do wrong: PostgreSQL, and MySQL or MariaDB.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseBackend, TransactionTrait};
use trade_core::{
    Role,
    port::{Commit, Inserted, Outbox, TradingStore},
};
use trade_store::{Settings, SqlStore};
use trade_testkit::fixture;

use super::{chain, server};

#[tokio::test(flavor = "multi_thread")]
async fn instances_that_start_at_once_migrate_once() {
    for server in server::all() {
        let fresh = server.empty().await;
        let starts = (0..8).map(|_| {
            let url = fresh.url();
            tokio::spawn(async move {
                let store = SqlStore::connect(&url).await.unwrap();
                let applied = store.migrate().await.unwrap();
                store.ping().await.unwrap();
                store.close().await.unwrap();
                applied
            })
        });
        let applied: Vec<_> = join_all(starts)
            .await
            .into_iter()
            .flat_map(Result::unwrap)
            .collect();
        assert_eq!(applied.len(), 17, "{applied:?}");
        fresh.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stranger_is_told_what_is_wrong_with_the_setting() {
    for server in server::all() {
        for url in [server.as_stranger(), server.on("there_is_no_such_database")] {
            let error = SqlStore::connect(&url).await.expect_err("nobody may");
            let text = chain(&error);
            assert!(text.contains("does not let us in"), "{text}");
            assert!(!text.contains("hunter2"), "{text}");
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn the_audit_speaks_every_engines_language() {
    for server in server::all() {
        let fresh = server.fresh().await;
        let trading = fixture::trading(1);
        let entry = fixture::first_entry(&trading);
        let inserted = fresh.store.insert_trading(&trading, &entry).await.unwrap();
        assert_eq!(inserted, Inserted::Done);
        assert_eq!(fresh.store.audit().await.unwrap().violations, []);
        let raw = fresh.outsider().await;
        raw.execute_unprepared("DELETE FROM trade_journal").await.unwrap();
        let audit = fresh.store.audit().await.unwrap();
        assert_eq!(audit.violations.len(), 1, "{audit:?}");
        assert_eq!(audit.violations[0].numbers, [1]);
        raw.close().await.unwrap();
        fresh.end().await;
    }
}

/// An event whose row is older may be committed later. Who has read on must not miss it.
#[tokio::test(flavor = "multi_thread")]
async fn nobody_who_reads_on_passes_an_event() {
    for server in server::all() {
        let fresh = server.fresh().await;
        let (first, second) = (fixture::trading(1), fixture::trading(2));
        for trading in [&first, &second] {
            let entry = fixture::first_entry(trading);
            fresh.store.insert_trading(trading, &entry).await.unwrap();
        }
        let raw = fresh.outsider().await;
        let slow = raw.begin().await.unwrap();
        let insert = "INSERT INTO trade_outbox (event_id, event_key, routing_key, product_app_id, product_order_no, \
                      seq, message, attempts) VALUES (77, 'slow', 'UPDATE_STATUS', 'slow', 1, 1, '{}', 0)";
        slow.execute_unprepared(insert).await.unwrap();
        let paid = fixture::paid(&second, Role::Winner, "4200");
        assert_eq!(fresh.store.commit_trading(&paid).await.unwrap(), Commit::Done);
        let seen = fresh.store.events_after(0, 10).await.unwrap();
        assert_eq!(seen.len(), 1);
        // Its row's number is lower than that of the one that was read.
        let message = serde_json::to_string(&seen[0].message)
            .unwrap()
            .replace('\'', "''");
        let fill = format!("UPDATE trade_outbox SET message = '{message}' WHERE event_id = 77");
        slow.execute_unprepared(&fill).await.unwrap();
        slow.commit().await.unwrap();
        let later = fresh.store.events_after(seen[0].position, 10).await.unwrap();
        let ids: Vec<_> = later.iter().map(|event| event.event_id.get()).collect();
        assert_eq!(ids, [77]);
        raw.close().await.unwrap();
        fresh.end().await;
    }
}

/// The server ends every connection: what was asked just then is not known, and the next works again.
#[tokio::test(flavor = "multi_thread")]
async fn connections_that_are_ended_come_back() {
    for server in server::all() {
        let fresh = server.fresh().await;
        let raw = fresh.outsider().await;
        for number in 1..=20 {
            let trading = fixture::trading(number);
            let entry = fixture::first_entry(&trading);
            let store = Arc::clone(&fresh.store);
            let writes = tokio::spawn(async move { store.insert_trading(&trading, &entry).await.is_ok() });
            fresh.end_connections(&raw).await;
            let told_done = writes.await.unwrap();
            // Once the pool has noticed, everything works; what was said to be done is done.
            let mut row = fresh.store.trading(fixture::trading_no(number)).await;
            for _ in 0..100 {
                if row.is_ok() {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
                row = fresh.store.trading(fixture::trading_no(number)).await;
            }
            let row = row.unwrap();
            assert!(
                row.is_some() || !told_done,
                "what was reported as written is gone"
            );
            if row.is_some() {
                let journal = fresh.store.journal(fixture::trading_no(number)).await.unwrap();
                assert_eq!(journal.len(), 1, "half a write");
            }
        }
        raw.close().await.unwrap();
        fresh.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_free_connection_is_an_answer_and_not_a_wait() {
    for server in server::all() {
        let fresh = server.fresh().await;
        let settings = Settings {
            connections: 1,
            acquire_timeout: Duration::from_millis(200),
            ..Settings::default()
        };
        let small = SqlStore::connect_with(&fresh.url(), &settings).await.unwrap();
        let raw = fresh.outsider().await;
        let holder = raw.begin().await.unwrap();
        holder
            .execute_unprepared("UPDATE trade_position SET last_position = 0")
            .await
            .unwrap();
        let trading = fixture::trading(1);
        let entry = fixture::first_entry(&trading);
        small.insert_trading(&trading, &entry).await.unwrap();
        let paid = fixture::paid(&trading, Role::Winner, "4200");
        small.commit_trading(&paid).await.unwrap();
        // The only connection waits for the row that is held.
        let waits = {
            let small = small.clone();
            tokio::spawn(async move { small.last_position().await.is_ok() })
        };
        tokio::time::sleep(Duration::from_millis(100)).await;
        let error = small
            .trading(fixture::trading_no(1))
            .await
            .expect_err("nothing is free");
        assert!(
            chain(&error).contains("no connection became free"),
            "{}",
            chain(&error)
        );
        holder.rollback().await.unwrap();
        assert!(waits.await.unwrap());
        raw.close().await.unwrap();
        small.close().await.unwrap();
        fresh.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_durability_rests_on_can_be_read() {
    for server in server::all() {
        let fresh = server.fresh().await;
        let facts = fresh.store.facts().await.unwrap();
        let raw = fresh.outsider().await;
        let durable = match raw.get_database_backend() {
            DatabaseBackend::Postgres => ("synchronous_commit", "on"),
            _ => ("innodb_flush_log_at_trx_commit", "1"),
        };
        assert!(
            facts
                .iter()
                .any(|(name, value)| (*name, value.as_str()) == durable),
            "{facts:?}"
        );
        raw.close().await.unwrap();
        fresh.end().await;
    }
}
