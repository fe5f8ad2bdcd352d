//! The tables refuse what must not be, whoever writes: here somebody who knows nothing of the store.

use sea_orm::{ConnectionTrait, DatabaseConnection};
use tempfile::TempDir;
use trade_core::{
    Channel, Role, Trading, TradingState,
    port::{NoticeInbox, RefundStore, TradingStore},
};
use trade_testkit::fixture::{self, START};

use super::{column, opened, outsider};

/// One live trading (1), one settled with a refund of 3.00 (2), one closed (3).
async fn filled(folder: &TempDir) -> DatabaseConnection {
    let path = folder.path().join("t.db");
    let store = opened(&path).await;
    let insert = async |trading: &Trading| {
        let entry = fixture::first_entry(trading);
        store.insert_trading(trading, &entry).await.unwrap();
    };
    insert(&fixture::trading(1)).await;
    insert(&fixture::trading(2)).await;
    let paid = fixture::paid(&fixture::trading(2), Role::Winner, "4200");
    store.commit_trading(&paid).await.unwrap();
    store
        .insert_refund(&fixture::refund(&paid.after, 1, 300))
        .await
        .unwrap();
    let closed = Trading {
        state: TradingState::Cancelled,
        ..fixture::trading(3)
    };
    insert(&closed).await;
    let merchant = fixture::enterprise(1);
    store
        .record_notice(Channel::WechatPay, merchant, "EV-1", "settled", START)
        .await
        .unwrap();
    outsider(&path).await
}

/// Every column of a table but `id`, for a copy of a row.
async fn columns(raw: &DatabaseConnection, table: &str) -> String {
    let names = format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'id'");
    column(raw, &names).await.unwrap().join(", ")
}

#[tokio::test]
async fn what_must_not_be_is_refused_by_name() {
    let folder = TempDir::new().unwrap();
    let raw = filled(&folder).await;
    let cases = [
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
            "UPDATE trading SET trading_amount = 299 WHERE trading_order_no = 2",
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
            "UPDATE trading SET refund = 301 WHERE trading_order_no = 2",
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
        ("UPDATE refund_record SET refund_amount = 0", "refund_amount"),
        ("UPDATE refund_record SET refund_amount = 1001", "refund_amount"),
        ("UPDATE refund_record SET trading_order_no = 77", "FOREIGN KEY"),
        (
            "UPDATE trade_journal SET trading_order_no = 77 WHERE trading_order_no = 1",
            "FOREIGN KEY",
        ),
        ("DELETE FROM trading WHERE trading_order_no = 2", "FOREIGN KEY"),
    ];
    for (sql, name) in cases {
        let error = raw.execute_unprepared(sql).await.expect_err(sql).to_string();
        assert!(
            error.contains("constraint failed") && error.contains(name),
            "{sql}: {error}"
        );
    }
}

#[tokio::test]
async fn no_row_can_be_copied() {
    let folder = TempDir::new().unwrap();
    let raw = filled(&folder).await;
    // For tables with several keys, the copy differs in all but one.
    let cases = [
        ("trade_journal", vec![("", "")]),
        ("refund_record", vec![("", "")]),
        (
            "notice_inbox",
            vec![("verdict", "'other'"), ("notice_id", "'other'")],
        ),
        ("trade_outbox", vec![("event_key", "'other'"), ("seq", "9")]),
        ("trade_outbox", vec![("event_id", "9"), ("seq", "9")]),
        ("trade_outbox", vec![("event_key", "'other'"), ("event_id", "9")]),
    ];
    for (table, changes) in cases {
        let into = columns(&raw, table).await;
        let from: Vec<_> = into
            .split(", ")
            .map(|name| {
                changes
                    .iter()
                    .find(|(column, _)| *column == name)
                    .map_or(name, |(_, value)| *value)
            })
            .collect();
        let sql = format!(
            "INSERT INTO {table} ({into}) SELECT {} FROM {table}",
            from.join(", ")
        );
        let error = raw.execute_unprepared(&sql).await.expect_err(&sql).to_string();
        assert!(error.contains("UNIQUE constraint failed"), "{sql}: {error}");
    }
    // With all keys changed the copy is fine: it was the keys that were refused.
    let into = columns(&raw, "trade_outbox").await;
    let from = into
        .replace("event_id", "9")
        .replace("event_key", "'other'")
        .replace("seq", "9");
    let sql = format!("INSERT INTO trade_outbox ({into}) SELECT {from} FROM trade_outbox");
    raw.execute_unprepared(&sql).await.unwrap();
}
