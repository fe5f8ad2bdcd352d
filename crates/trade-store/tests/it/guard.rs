//! The tables refuse what must not be, whoever writes: here somebody who knows nothing of the store.

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection};
use trade_core::{
    Refund, Role, Trading, TradingState,
    port::{Begun, IdempotencyStore, NoticeInbox, RefundStore, TradingStore},
};
use trade_testkit::fixture::{self, START};

use super::stage::{Stage, columns, on_every_engine};

/// One live trading (1), one settled with refunds of 3.00 and 1.00 (2), one closed (3);
/// one notice, two idempotency keys.
async fn filled(stage: &Stage) -> DatabaseConnection {
    let store = stage.store().await;
    let insert = async |trading: &Trading| {
        let entry = fixture::first_entry(trading);
        store.insert_trading(trading, &entry).await.unwrap();
    };
    insert(&fixture::trading(1)).await;
    insert(&fixture::trading(2)).await;
    let paid = fixture::paid(&fixture::trading(2), Role::Winner, "4200");
    store.commit_trading(&paid).await.unwrap();
    for (number, fen) in [(1, 300), (2, 100)] {
        let refund = Refund {
            product_refund_no: Some(fixture::product_refund_no(&format!("R{number}"))),
            ..fixture::refund(&paid.after, number, fen)
        };
        store.insert_refund(&fixture::new_refund(&refund)).await.unwrap();
    }
    let closed = Trading {
        state: TradingState::Cancelled,
        ..fixture::trading(3)
    };
    insert(&closed).await;
    store.record_notice(&fixture::notice("EV-1", 2)).await.unwrap();
    for key in ["k1", "k2"] {
        let begun = store.begin(&fixture::key(key), "f", START, START).await;
        assert_eq!(begun.unwrap(), Begun::Yours);
    }
    store.close().await.unwrap();
    stage.outsider().await
}

/// A copy of every row of a table, changed in those columns.
async fn copy(raw: &DatabaseConnection, table: &str, changes: &[(&str, &str)]) -> String {
    let into = columns(raw, table).await;
    let from: Vec<_> = into
        .iter()
        .map(|name| {
            let change = changes
                .iter()
                .find(|(column, _)| *column == name.trim_matches('`'));
            change.map_or(name.as_str(), |(_, value)| *value)
        })
        .collect();
    let (into, from) = (into.join(", "), from.join(", "));
    format!("INSERT INTO {table} ({into}) SELECT {from} FROM {table}")
}

/// The words with which an engine refuses what breaks a rule: a foreign key, a unique key by its columns as SQLite
/// names them, or a check on a column, which the servers call by numbers.
fn refusal(engine: DatabaseBackend, rule: &str) -> [String; 2] {
    let (is_foreign, is_unique) = (rule == "FOREIGN KEY", rule.contains('.'));
    let index = || {
        let table = rule.split('.').next().unwrap();
        format!(
            "ux_{}",
            rule.replace(&format!(", {table}."), "_").replace('.', "_")
        )
    };
    match engine {
        DatabaseBackend::Sqlite => ["constraint failed".to_owned(), rule.to_owned()],
        DatabaseBackend::Postgres if is_foreign => {
            ["violates".to_owned(), "foreign key constraint".to_owned()]
        }
        DatabaseBackend::Postgres if is_unique => ["violates unique constraint".to_owned(), index()],
        DatabaseBackend::Postgres => ["violates".to_owned(), "check constraint".to_owned()],
        _ if is_foreign => ["foreign key".to_owned(), "constraint fails".to_owned()],
        _ if is_unique => ["Duplicate entry".to_owned(), index()],
        _ => ["CONSTRAINT".to_owned(), "failed".to_owned()],
    }
}

/// What must not be said of a trading, and the constraint that refuses it.
const OF_TRADINGS: &[(&str, &str)] = &[
    (
        "UPDATE trading SET live_slot = 'jzo2o.orders/2406011000000000001' WHERE trading_order_no = 3",
        "trading.live_slot",
    ),
    (
        "UPDATE trading SET winner_slot = 'jzo2o.orders/2406011000000000002' WHERE trading_order_no = 3",
        "trading.winner_slot",
    ),
    (
        "UPDATE trading SET trading_order_no = 2 WHERE trading_order_no = 3",
        "trading.trading_order_no",
    ),
    (
        "UPDATE trading SET transaction_id = '4200' WHERE trading_order_no = 3",
        "trading.trading_channel, trading.transaction_id",
    ),
    (
        "UPDATE trading SET trading_amount = 0 WHERE trading_order_no = 3",
        "trading_amount",
    ),
    (
        "UPDATE trading SET trading_amount = 399 WHERE trading_order_no = 2",
        "refund_reserved",
    ),
    (
        "UPDATE trading SET refund_reserved = -1 WHERE trading_order_no = 3",
        "refund_reserved",
    ),
    (
        "UPDATE trading SET refund_reserved = 1001 WHERE trading_order_no = 2",
        "refund_reserved",
    ),
    (
        "UPDATE trading SET refund = 401 WHERE trading_order_no = 2",
        "refund",
    ),
    (
        "UPDATE trading SET refund = -1 WHERE trading_order_no = 2",
        "refund",
    ),
    (
        "UPDATE trading SET version = 0 WHERE trading_order_no = 2",
        "version",
    ),
];

/// What must not be said of anything else, and the constraint that refuses it.
const OF_OTHERS: &[(&str, &str)] = &[
    ("UPDATE refund_record SET refund_amount = 0", "refund_amount"),
    ("UPDATE refund_record SET refund_amount = 1001", "refund_amount"),
    ("UPDATE refund_record SET trading_order_no = 77", "FOREIGN KEY"),
    (
        "UPDATE trade_journal SET trading_order_no = 77 WHERE trading_order_no = 1",
        "FOREIGN KEY",
    ),
    (
        "UPDATE refund_record SET product_refund_no = 'R1' WHERE refund_no = 2",
        "refund_record.product_app_id, refund_record.product_refund_no",
    ),
    (
        "UPDATE refund_record SET out_refund_no = '1' WHERE refund_no = 2",
        "refund_record.trading_order_no, refund_record.out_refund_no",
    ),
    (
        "UPDATE refund_record SET refund_no = 1 WHERE refund_no = 2",
        "refund_record.refund_no",
    ),
    (
        "UPDATE refund_journal SET refund_no = 1 WHERE refund_no = 2",
        "refund_journal.refund_no, refund_journal.version",
    ),
    (
        "UPDATE refund_journal SET refund_no = 77 WHERE refund_no = 2",
        "FOREIGN KEY",
    ),
    ("DELETE FROM refund_record WHERE refund_no = 2", "FOREIGN KEY"),
    (
        "UPDATE idempotency_key SET key = 'k1' WHERE key = 'k2'",
        "idempotency_key.scope, idempotency_key.key",
    ),
    ("DELETE FROM trading WHERE trading_order_no = 2", "FOREIGN KEY"),
];

/// A statement as an engine wants it, for which the name of a column is a word of its own.
fn in_words_of(engine: DatabaseBackend, sql: &str) -> String {
    match engine {
        DatabaseBackend::MySql => sql.replace(" key = ", " `key` = "),
        _ => sql.to_owned(),
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn what_must_not_be_is_refused_by_name() {
    on_every_engine(async |stage| {
        let raw = filled(stage).await;
        let engine = raw.get_database_backend();
        for (sql, rule) in OF_TRADINGS.iter().chain(OF_OTHERS) {
            let sql = in_words_of(engine, sql);
            // A number that others refer to: InnoDB asks them first, and its own key is what is looked at here.
            let is_referred_to = ["trading.trading_order_no", "refund_record.refund_no"].contains(rule);
            let asks_first = engine == DatabaseBackend::MySql && is_referred_to;
            if asks_first {
                raw.execute_unprepared("SET foreign_key_checks = 0")
                    .await
                    .unwrap();
            }
            let error = raw.execute_unprepared(&sql).await.expect_err(&sql).to_string();
            for words in refusal(engine, rule) {
                assert!(error.contains(&words), "{sql}: {error}, not {words}");
            }
            if asks_first {
                raw.execute_unprepared("SET foreign_key_checks = 1")
                    .await
                    .unwrap();
            }
        }
        raw.close().await.unwrap();
    })
    .await;
}

const OTHER_NO: (&str, &str) = ("refund_no", "refund_no + 100");
const OTHER_OUT_NO: (&str, &str) = ("out_refund_no", "CONCAT('other ', refund_no)");
const OTHER_PRODUCT_NO: (&str, &str) = ("product_refund_no", "CONCAT('other ', refund_no)");

#[tokio::test(flavor = "multi_thread")]
async fn no_row_can_be_copied() {
    on_every_engine(async |stage| {
        let raw = filled(stage).await;
        let refused = match raw.get_database_backend() {
            DatabaseBackend::Sqlite => "UNIQUE constraint failed",
            DatabaseBackend::Postgres => "violates unique constraint",
            _ => "Duplicate entry",
        };
        // For tables with several keys, the copy differs in all but one.
        let cases = [
            ("trade_journal", vec![("", "")]),
            // A refund has three numbers, each with a key of its own.
            ("refund_record", vec![OTHER_PRODUCT_NO, OTHER_OUT_NO]),
            ("refund_record", vec![OTHER_NO, OTHER_OUT_NO]),
            ("refund_record", vec![OTHER_NO, OTHER_PRODUCT_NO]),
            (
                "refund_journal",
                vec![("cause", "'timer'"), ("detail", "'other'")],
            ),
            ("idempotency_key", vec![("fingerprint", "'other'")]),
            (
                "notice_inbox",
                vec![("verdict", "'other'"), ("notice_id", "'other'")],
            ),
            ("trade_outbox", vec![("event_key", "'other'"), ("seq", "9")]),
            ("trade_outbox", vec![("event_id", "9"), ("seq", "9")]),
            ("trade_outbox", vec![("event_key", "'other'"), ("event_id", "9")]),
        ];
        for (table, changes) in cases {
            let sql = copy(&raw, table, &changes).await;
            let error = raw.execute_unprepared(&sql).await.expect_err(&sql).to_string();
            assert!(error.contains(refused), "{sql}: {error}");
        }
        // With all keys changed the copy is fine: it was the keys that were refused.
        let fine = [
            (
                "trade_outbox",
                vec![("event_key", "'other'"), ("event_id", "9"), ("seq", "9")],
            ),
            ("refund_record", vec![OTHER_NO, OTHER_PRODUCT_NO, OTHER_OUT_NO]),
            ("refund_journal", vec![("version", "version + 1")]),
            ("idempotency_key", vec![("scope", "'other'")]),
        ];
        for (table, changes) in fine {
            let sql = copy(&raw, table, &changes).await;
            raw.execute_unprepared(&sql).await.expect(&sql);
        }
        raw.close().await.unwrap();
    })
    .await;
}
