//! What was committed is there after the store is gone, however it went.

use std::path::Path;

use sea_orm::ConnectionTrait;
use tempfile::TempDir;
use trade_core::{
    Channel, Role, Trading,
    port::{
        Begun, CallStore, Commit, HighWater, IdempotencyStore, NoticeInbox, NoticeRecord, Outbox, Recorded,
        RefundStore, TradingStore,
    },
};
use trade_store::SqlStore;
use trade_testkit::fixture::{self, START};

use super::{chain, column, opened, outsider};

/// One row in every table.
async fn fill(store: &SqlStore) -> Trading {
    let trading = fixture::trading(1);
    let entry = fixture::first_entry(&trading);
    store.insert_trading(&trading, &entry).await.unwrap();
    let paid = fixture::paid(&trading, Role::Winner, "4200");
    assert_eq!(store.commit_trading(&paid).await.unwrap(), Commit::Done);
    let refund = fixture::new_refund(&fixture::refund(&paid.after, 1, 300));
    store.insert_refund(&refund).await.unwrap();
    let notice = fixture::notice("EV-1", 1);
    assert_eq!(store.record_notice(&notice).await.unwrap(), Recorded::New);
    store.append_calls(&[fixture::call(1, 0)]).await.unwrap();
    let key = fixture::key("k-1");
    assert_eq!(store.begin(&key, "f", START, START).await.unwrap(), Begun::Yours);
    store.finish(&key, &fixture::answer(201, "{}")).await.unwrap();
    assert!(store.advance(3, None, START).await.unwrap());
    paid.after
}

async fn assert_filled(store: &SqlStore, paid: &Trading) {
    let row = store.trading(paid.trading_order_no).await.unwrap().unwrap();
    assert_eq!(row.refund_reserved.get(), 300);
    assert_eq!(
        Trading {
            refund_reserved: paid.refund_reserved,
            ..row
        },
        *paid
    );
    assert_eq!(store.journal(paid.trading_order_no).await.unwrap().len(), 2);
    assert_eq!(store.refunds_of(paid.trading_order_no).await.unwrap().len(), 1);
    assert_eq!(store.last_position().await.unwrap(), 1);
    assert_eq!(store.load(3).await.unwrap(), Some(START));
    let notice = fixture::notice("EV-1", 1);
    assert_eq!(store.record_notice(&notice).await.unwrap(), Recorded::Again);
    let journal = store.refund_journal(fixture::refund_no(1)).await.unwrap();
    assert_eq!(journal.len(), 1);
    let calls = store.calls_of(paid.trading_order_no).await.unwrap();
    assert_eq!(calls, [fixture::call(1, 0)]);
    let begun = store
        .begin(&fixture::key("k-1"), "f", START, START)
        .await
        .unwrap();
    assert_eq!(begun, Begun::Done(fixture::answer(201, "{}")));
}

#[tokio::test]
async fn everything_is_there_after_closing_and_opening() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let store = opened(&path).await;
    let paid = fill(&store).await;
    store.close().await.unwrap();
    assert_filled(&opened(&path).await, &paid).await;
}

/// What a crash leaves: the files as they are while the process still runs, copied away.
#[tokio::test]
async fn everything_is_there_after_a_crash() {
    let folder = TempDir::new().unwrap();
    let store = opened(folder.path().join("t.db")).await;
    let paid = fill(&store).await;
    let after = TempDir::new().unwrap();
    for name in ["t.db", "t.db-wal"] {
        std::fs::copy(folder.path().join(name), after.path().join(name)).unwrap();
    }
    assert_filled(&opened(after.path().join("t.db")).await, &paid).await;
}

#[tokio::test]
async fn positions_and_numbers_go_on_after_opening() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    for number in 1..=3 {
        let store = opened(&path).await;
        let trading = fixture::trading(number);
        let entry = fixture::first_entry(&trading);
        store.insert_trading(&trading, &entry).await.unwrap();
        let paid = fixture::paid(&trading, Role::Winner, &number.to_string());
        store.commit_trading(&paid).await.unwrap();
        assert_eq!(store.last_position().await.unwrap(), number);
        store.close().await.unwrap();
    }
}

#[tokio::test]
async fn a_person_can_see_what_came_and_what_was_made_of_it() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let store = opened(&path).await;
    for (verdict, second) in [("no such trading", 0), ("settled", 15), ("seen before", 30)] {
        let notice = NoticeRecord {
            channel: Channel::AliPay,
            enterprise_id: fixture::enterprise(7),
            verdict: verdict.into(),
            at: fixture::at(second),
            ..fixture::notice("2026112300222", 1)
        };
        store.record_notice(&notice).await.unwrap();
    }
    let paid = fill(&store).await;
    let id = fixture::event_id(paid.trading_order_no.get() * 1000 + paid.version);
    store.event_failed(id, fixture::at(60), "no route").await.unwrap();
    let raw = outsider(&path).await;
    let notice = "SELECT channel || ' ' || enterprise_id || ' ' || notice_id || ' ' || verdict || ' ' || \
                  last_verdict || ' ' || deliveries || ' ' || (last_at - first_at) FROM notice_inbox WHERE \
                  enterprise_id = 7";
    assert_eq!(
        column(&raw, notice).await.unwrap(),
        ["ALI_PAY 7 2026112300222 no such trading seen before 3 30000"]
    );
    let event = "SELECT last_error || ' ' || attempts FROM trade_outbox";
    assert_eq!(column(&raw, event).await.unwrap(), ["no route 1"]);
}

/// A row that was edited by hand, or written by a newer version, is an error with the column's name,
/// and no guess.
#[tokio::test]
async fn a_value_nobody_understands_is_an_error() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let store = opened(&path).await;
    let paid = fill(&store).await;
    for (edit, column) in [
        ("UPDATE trading SET state_key = 'paying.by_moon'", "state_key"),
        (
            "UPDATE trading SET state_key = 'settled', trading_channel = 'CASH_PAY'",
            "trading_channel",
        ),
        (
            "UPDATE trading SET trading_channel = 'ALI_PAY', trading_amount = 99999999999999",
            "trading_amount",
        ),
        ("UPDATE trading SET trading_amount = 1000, role = 'owner'", "role"),
        ("UPDATE trading SET role = NULL, checks = -1", "checks"),
    ] {
        edit_by_hand(&path, edit).await;
        let error = store
            .trading(paid.trading_order_no)
            .await
            .expect_err("not understood");
        assert!(
            chain(&error).contains(&format!("`{column}`")),
            "{}",
            chain(&error)
        );
    }
    edit_by_hand(&path, "UPDATE trade_outbox SET message = '{}'").await;
    let error = store.events_of(&paid.order()).await;
    let error = error.expect_err("not understood");
    assert!(chain(&error).contains("`message`"), "{}", chain(&error));
}

async fn edit_by_hand(path: &Path, edit: &str) {
    let raw = outsider(path).await;
    raw.execute_unprepared(edit).await.unwrap();
}
