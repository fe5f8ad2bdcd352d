//! Rows of which this program does not understand a column: they stop nobody but themselves.

use std::collections::BTreeSet;

use sea_orm::{ConnectionTrait, DatabaseConnection};
use trade_core::{
    Trading,
    port::{Due, Outbox, Pick, RefundStore, TradingStore},
};
use trade_store::SqlStore;
use trade_testkit::fixture::{self, START, at};

use super::{chain, stage::on_every_engine};

/// More rows than are asked for.
const LIMIT: u32 = 3;

/// Tradings due to be asked about and to be closed, number `n` after `n` seconds.
async fn with_tradings(store: &SqlStore, numbers: std::ops::RangeInclusive<i64>) -> Vec<Trading> {
    let mut rows = Vec::new();
    for number in numbers {
        let row = Trading {
            next_check_at: Some(at(number)),
            expires_at: START,
            ..fixture::trading(number)
        };
        let entry = fixture::first_entry(&row);
        store.insert_trading(&row, &entry).await.unwrap();
        rows.push(row);
    }
    rows
}

async fn run(raw: &DatabaseConnection, sql: &str) {
    raw.execute_unprepared(sql).await.expect(sql);
}

#[tokio::test(flavor = "multi_thread")]
async fn tradings_that_are_due_are_found_behind_others() {
    on_every_engine(async |stage| {
        let store = stage.store().await;
        let raw = stage.outsider().await;
        let rows = with_tradings(&store, 1..=20).await;
        // All but four in the middle, at both ends of what is due.
        let newer =
            "UPDATE trading SET state_key = 'paying.by_face' WHERE trading_order_no NOT IN (8, 9, 10, 11)";
        run(&raw, newer).await;
        let numbers = async |due, limit| -> Vec<_> {
            let due = store.due_tradings(due, Pick::all(at(100), limit)).await.unwrap();
            due.iter().map(|row| row.trading_order_no.get()).collect()
        };
        assert_eq!(numbers(Due::Expired, LIMIT).await, [8, 9, 10]);
        assert_eq!(numbers(Due::Expired, 100).await, [8, 9, 10, 11]);
        assert_eq!(numbers(Due::Sync, LIMIT).await, [8, 9, 11]);
        assert_eq!(numbers(Due::Sync, 100).await, [8, 9, 10, 11]);
        let error = store
            .trading(rows[0].trading_order_no)
            .await
            .expect_err("illegible");
        assert!(chain(&error).contains("`state_key`"), "{}", chain(&error));
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_that_are_due_are_found_behind_others() {
    on_every_engine(async |stage| {
        let store = stage.store().await;
        let raw = stage.outsider().await;
        let rows = with_tradings(&store, 1..=1).await;
        let paid = fixture::paid(&rows[0], trade_core::Role::Winner, "4200");
        store.commit_trading(&paid).await.unwrap();
        for number in 1..=9 {
            let refund = fixture::refund(&paid.after, number, 10);
            store.insert_refund(&fixture::new_refund(&refund)).await.unwrap();
        }
        run(&raw, "UPDATE refund_record SET next_check_at = refund_no").await;
        let newer = "UPDATE refund_record SET trading_channel = 'UNION_PAY' WHERE refund_no NOT IN (7, 8)";
        run(&raw, newer).await;
        let due = store.due_refunds(Pick::all(at(100), LIMIT)).await.unwrap();
        let due: Vec<_> = due.iter().map(|row| row.refund_no.get()).collect();
        assert_eq!(due, [7, 8]);
        let error = store.refund(fixture::refund_no(1)).await.expect_err("illegible");
        assert!(chain(&error).contains("`trading_channel`"), "{}", chain(&error));
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

/// Of each order two events, with ids `100 * number + 1` and so on.
async fn with_events(store: &SqlStore, numbers: std::ops::RangeInclusive<i64>) {
    for row in with_tradings(store, numbers).await {
        let mut before = row;
        for index in 1..=2 {
            let mut change = fixture::change(&before, before.state);
            let id = before.trading_order_no.get() * 100 + index;
            change.event = Some(fixture::event(&change.after, id));
            store.commit_trading(&change).await.unwrap();
            before = change.after;
        }
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn events_that_are_due_are_found_behind_others() {
    on_every_engine(async |stage| {
        let store = stage.store().await;
        let raw = stage.outsider().await;
        with_events(&store, 1..=9).await;
        let newer = "UPDATE trade_outbox SET routing_key = 'INVOICED' WHERE event_id < 800 AND seq = 1";
        run(&raw, newer).await;
        let claim = async |now| -> BTreeSet<_> {
            let mut ids = BTreeSet::new();
            loop {
                let events = store.claim_events(at(now), at(now + 60), LIMIT).await.unwrap();
                if events.is_empty() {
                    return ids;
                }
                ids.extend(events.iter().map(|event| event.event_id.get()));
            }
        };
        // Behind one that cannot be read its order waits, and nobody else.
        assert_eq!(claim(100).await, BTreeSet::from([801, 901]));
        assert_eq!(claim(100).await, BTreeSet::new());
        assert_eq!(claim(161).await, BTreeSet::from([801, 901]));
        store.event_sent(fixture::event_id(801), at(162)).await.unwrap();
        assert_eq!(claim(163).await, BTreeSet::from([802]));
        // A version that can read it finds it where it was.
        run(
            &raw,
            "UPDATE trade_outbox SET routing_key = 'UPDATE_STATUS' WHERE event_id = 101",
        )
        .await;
        assert_eq!(claim(230).await, BTreeSet::from([101, 802, 901]));
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}

/// Whoever reads on from a position comes past what cannot be read.
#[tokio::test(flavor = "multi_thread")]
async fn a_reader_comes_past_events_that_cannot_be_read() {
    on_every_engine(async |stage| {
        let store = stage.store().await;
        let raw = stage.outsider().await;
        with_events(&store, 1..=6).await;
        let newer = "UPDATE trade_outbox SET message = '{}' WHERE event_id > 102 AND event_id < 600";
        run(&raw, newer).await;
        let mut read = Vec::new();
        let mut after = 0;
        loop {
            let events = store.events_after(after, 2).await.unwrap();
            let Some(last) = events.last() else { break };
            after = last.position;
            read.extend(events.iter().map(|event| event.event_id.get()));
        }
        assert_eq!(read, [101, 102, 601, 602]);
        raw.close().await.unwrap();
        store.close().await.unwrap();
    })
    .await;
}
