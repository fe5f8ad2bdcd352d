//! The audit: silent on what the store writes, and every invariant is noticed when somebody breaks it.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection};
use tempfile::TempDir;
use trade_core::{
    RefundState, Role, Trading, TradingChange, TradingState,
    port::{Commit, Inserted, RefundCommit, RefundInserted, RefundStore, TradingStore},
};
use trade_store::SqlStore;
use trade_testkit::fixture;

use super::{column, opened, outsider, server::wipe, stage::on_every_engine};

/// Commits a change with the event under the key that the services give it.
async fn commit(store: &SqlStore, mut change: TradingChange) {
    let (number, name) = (change.after.trading_order_no, change.after.state.name());
    if let Some(event) = &mut change.event {
        event.event_key = format!("trading:{number}:{name}");
    }
    if let Some(refund) = &mut change.refund
        && let Some(event) = &mut refund.event
    {
        event.event_key = format!("refund:{}:1", refund.refund.refund_no);
    }
    assert_eq!(store.commit_trading(&change).await.unwrap(), Commit::Done);
}

/// A live trading (1), a settled one with a refund that runs (21) and one that succeeded (22) (2), a
/// cancelled one (3), a surplus that goes back (4) of the order of 2, a failed one (5).
async fn fill(store: &SqlStore) {
    let late = Trading {
        state: TradingState::Cancelled,
        ..fixture::like(&fixture::trading(2), 4)
    };
    let [open, won, closed, refused] = [1, 2, 3, 5].map(fixture::trading);
    for trading in [&open, &won, &closed, &late, &refused] {
        let entry = fixture::first_entry(trading);
        let inserted = store.insert_trading(trading, &entry).await.unwrap();
        assert_eq!(inserted, Inserted::Done);
    }
    let ended = |trading, state, id| {
        let mut change = fixture::change(trading, state);
        change.after.next_check_at = None;
        change.event = Some(fixture::event(&change.after, id));
        change
    };
    commit(store, fixture::paid(&won, Role::Winner, "4200")).await;
    commit(store, ended(&closed, TradingState::Cancelled, 301)).await;
    commit(store, fixture::surplus(&late, "4201")).await;
    commit(store, ended(&refused, TradingState::Failed, 501)).await;
    let paid = store.trading(fixture::trading_no(2)).await.unwrap().unwrap();
    for (number, fen) in [(21, 300), (22, 200)] {
        let refund = fixture::new_refund(&fixture::refund(&paid, number, fen));
        let inserted = store.insert_refund(&refund).await.unwrap();
        assert!(matches!(inserted, RefundInserted::Done(_)));
    }
    let refund = store.refund(fixture::refund_no(22)).await.unwrap().unwrap();
    let mut change = fixture::refund_change(&refund, RefundState::Success);
    let mut event = fixture::refund_event(&change.after, 2201);
    event.event_key = "refund:22:2".into();
    change.event = Some(event);
    change.after.next_check_at = None;
    assert_eq!(store.commit_refund(&change).await.unwrap(), RefundCommit::Done);
}

/// Indexes that would refuse what must be noticed, with their tables.
const GUARDS: [(&str, &str); 6] = [
    ("trading", "ux_trading_live_slot"),
    ("trading", "ux_trading_winner_slot"),
    ("trade_journal", "ux_trade_journal_trading_order_no_version"),
    ("refund_journal", "ux_refund_journal_refund_no_version"),
    (
        "trade_outbox",
        "ux_trade_outbox_product_app_id_product_order_no_seq",
    ),
    ("trade_outbox", "ux_trade_outbox_event_key"),
];

/// Takes away what stands in the way of breaking an invariant.
async fn disarm(raw: &DatabaseConnection) {
    let engine = raw.get_database_backend();
    let mut all = match engine {
        DatabaseBackend::Sqlite => vec![
            "PRAGMA ignore_check_constraints = ON".to_owned(),
            "PRAGMA foreign_keys = OFF".to_owned(),
        ],
        _ => {
            let ours = match engine {
                DatabaseBackend::Postgres => "'public'",
                _ => "DATABASE()",
            };
            let constraints = format!(
                "SELECT CONCAT('ALTER TABLE ', TABLE_NAME, ' DROP CONSTRAINT ', CONSTRAINT_NAME) \
                 FROM information_schema.TABLE_CONSTRAINTS WHERE TABLE_SCHEMA = {ours} \
                 AND CONSTRAINT_TYPE IN ('CHECK', 'FOREIGN KEY') AND CONSTRAINT_NAME NOT LIKE '%_not_null'"
            );
            column(raw, &constraints).await.unwrap()
        }
    };
    all.extend(GUARDS.map(|(table, index)| match engine {
        DatabaseBackend::MySql => format!("DROP INDEX {index} ON {table}"),
        _ => format!("DROP INDEX {index}"),
    }));
    for statement in all {
        let done = raw.execute_unprepared(&statement).await;
        done.unwrap_or_else(|error| panic!("{statement}: {error}"));
    }
}

/// How an invariant is broken, its name, and the number that is named.
const BREAKS: [(&str, &str, i64); 26] = [
    (
        "UPDATE trading SET product_order_no = 7, state_key = 'paying.placed' WHERE trading_order_no IN (1, 3)",
        "an order has at most one live trading",
        7,
    ),
    (
        "UPDATE trading SET role = 'winner' WHERE trading_order_no = 4",
        "an order has at most one winner",
        2_406_011_000_000_000_002,
    ),
    (
        "UPDATE trading SET live_slot = NULL WHERE trading_order_no = 1",
        "a trading holds its order's live slot if and only if it is live",
        1,
    ),
    (
        "UPDATE trading SET winner_slot = NULL WHERE trading_order_no = 2",
        "a trading holds its order's winner slot if and only if it is the winner",
        2,
    ),
    (
        "UPDATE trading SET role = NULL WHERE trading_order_no = 4",
        "a trading is winner or surplus if and only if it is settled",
        4,
    ),
    (
        "UPDATE trading SET refund_reserved = 0 WHERE trading_order_no = 4",
        "a surplus goes back, or a person is asked",
        4,
    ),
    (
        "UPDATE trading SET next_check_at = NULL WHERE trading_order_no = 1",
        "a live trading is looked at again, or a person is asked",
        1,
    ),
    (
        "DELETE FROM trade_journal WHERE trading_order_no = 2 AND version = 1",
        "a trading's journal runs from version 1 to its own without gap",
        2,
    ),
    (
        "UPDATE trade_journal SET to_state = 'paying.placed' WHERE trading_order_no = 3 AND version = 2",
        "a trading's journal ends with the state it is in",
        3,
    ),
    (
        "UPDATE trade_journal SET from_state = 'paying.closing' WHERE trading_order_no = 3 AND version = 2",
        "each line of a trading's journal begins where the one before ended",
        3,
    ),
    (
        "UPDATE trade_journal SET from_state = 'settled' WHERE trading_order_no = 3 AND version = 2",
        "nothing leaves settled",
        3,
    ),
    (
        "UPDATE trade_journal SET to_state = 'settled' WHERE trading_order_no = 2",
        "a trading is settled once",
        2,
    ),
    (
        "UPDATE trade_journal SET from_state = 'failed' WHERE trading_order_no = 3 AND version = 2",
        "what has failed or was cancelled only ever becomes settled",
        3,
    ),
    (
        "DELETE FROM trade_outbox WHERE event_key = 'trading:2:YJS'",
        "a settled order is announced",
        2,
    ),
    (
        "UPDATE trade_outbox SET seq = 5 WHERE event_key = 'trading:2:YJS'",
        "the events of an order are counted from 1 without gap",
        2_406_011_000_000_000_002,
    ),
    (
        "UPDATE trade_outbox SET due_at = NULL, sent_at = NULL WHERE event_key = 'trading:2:YJS'",
        "an event that was not announced yet is due at some time",
        2_406_011_000_000_000_002,
    ),
    (
        "UPDATE trade_outbox SET event_key = 'x' WHERE event_key LIKE 'trading:5:%'",
        "a failed trading is announced",
        5,
    ),
    (
        "UPDATE trade_outbox SET event_key = 'x' WHERE event_key LIKE 'trading:3:%'",
        "a cancelled trading is announced",
        3,
    ),
    (
        "UPDATE refund_record SET refund_amount = 301 WHERE refund_no = 21",
        "what is reserved of a trading is what its refunds come to",
        2,
    ),
    (
        "UPDATE trading SET refund = 0 WHERE trading_order_no = 2",
        "what went back of a trading is what its successful refunds come to",
        2,
    ),
    (
        "UPDATE trading SET refund_reserved = trading_amount + 1 WHERE trading_order_no = 2",
        "no more goes back of a trading than was paid",
        2,
    ),
    (
        "UPDATE trading SET state_key = 'cancelled' WHERE trading_order_no = 2",
        "only a settled trading is refunded",
        21,
    ),
    (
        "UPDATE refund_record SET enterprise_id = 9 WHERE refund_no = 22",
        "a refund is of its trading's order, merchant, channel and total",
        22,
    ),
    (
        "UPDATE refund_record SET next_check_at = NULL WHERE refund_no = 21",
        "a running refund is looked at again, or a person is asked",
        21,
    ),
    (
        "DELETE FROM refund_journal WHERE refund_no = 22 AND version = 2",
        "a refund's journal runs to its own version without gap",
        22,
    ),
    (
        "UPDATE refund_record SET state_key = 'sending.accepted' WHERE refund_no = 21",
        "a refund's journal ends with the state it is in",
        21,
    ),
];

/// Those that need two lines of a refund's history, and its announcement.
const MORE: [(&str, &str, i64); 3] = [
    (
        "UPDATE refund_journal SET from_state = 'failed' WHERE refund_no = 22 AND version = 2",
        "each line of a refund's journal begins where the one before ended",
        22,
    ),
    (
        "INSERT INTO refund_journal (refund_no, version, at, from_state, to_state, cause, detail) \
         VALUES (22, 3, 1, 'success', 'failed', 'query', '')",
        "nothing leaves a refund's success",
        22,
    ),
    (
        "DELETE FROM trade_outbox WHERE event_key = 'refund:22:2'",
        "every move of a refund is announced",
        22,
    ),
];

#[tokio::test(flavor = "multi_thread")]
async fn what_the_store_writes_breaks_nothing() {
    on_every_engine(async |stage| {
        let store = stage.store().await;
        fill(&store).await;
        let audit = store.audit().await.unwrap();
        assert_eq!(audit.violations, []);
        let all: BTreeSet<_> = BREAKS
            .iter()
            .chain(&MORE)
            .map(|(_, invariant, _)| invariant)
            .collect();
        assert_eq!(audit.checked, all.len(), "an invariant is never broken here");
        store.close().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn every_broken_invariant_is_named_with_its_row() {
    on_every_engine(async |stage| {
        let store = stage.store().await;
        let raw = stage.outsider().await;
        disarm(&raw).await;
        for (sql, invariant, number) in BREAKS.into_iter().chain(MORE) {
            wipe(&raw).await;
            fill(&store).await;
            let done = raw.execute_unprepared(sql).await;
            done.unwrap_or_else(|error| panic!("{sql}: {error}"));
            let audit = store.audit().await.unwrap();
            let mut violations = audit.violations.iter();
            let found = violations.find(|violation| violation.invariant == invariant);
            let found = found.unwrap_or_else(|| panic!("{invariant}: {audit:?}"));
            assert!(found.numbers.contains(&number), "{found:?}");
            assert!(!found.more);
        }
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

#[tokio::test]
async fn a_long_list_is_cut() {
    let folder = TempDir::new().unwrap();
    let path = folder.path().join("t.db");
    let store = opened(&path).await;
    for number in 1..=21 {
        let trading = fixture::trading(number);
        let entry = fixture::first_entry(&trading);
        store.insert_trading(&trading, &entry).await.unwrap();
    }
    let raw = outsider(&path).await;
    raw.execute_unprepared("DELETE FROM trade_journal").await.unwrap();
    let audit = store.audit().await.unwrap();
    let [violation] = audit.violations.as_slice() else {
        panic!("{audit:?}");
    };
    assert_eq!(violation.numbers, (1..=20).collect::<Vec<i64>>());
    assert!(violation.more);
}
