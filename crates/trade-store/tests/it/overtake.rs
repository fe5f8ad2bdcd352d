//! Events of an order that are committed while a claim looks through what is due.

use std::sync::Arc;

use sea_orm::{ConnectionTrait, DatabaseBackend, TransactionTrait};
use trade_core::{
    Role,
    port::{Outbox, TradingStore},
};
use trade_testkit::fixture::{self, at};

use super::{
    column,
    server::{self, Fresh},
};

/// A trading whose order has two events.
async fn with_two_events(fresh: &Fresh, number: i64) {
    let trading = fixture::trading(number);
    let entry = fixture::first_entry(&trading);
    fresh.store.insert_trading(&trading, &entry).await.unwrap();
    let mut first = fixture::change(&trading, trading.state);
    first.event = Some(fixture::event(&first.after, number * 100 + 1));
    fresh.store.commit_trading(&first).await.unwrap();
    let mut second = fixture::paid(&first.after, Role::Winner, &format!("42{number}"));
    second.event = Some(fixture::event(&second.after, number * 100 + 2));
    fresh.store.commit_trading(&second).await.unwrap();
}

/// Ten thousand events that are due and wait behind another of their order, which is not due: a claim has to
/// walk through all of them.
const WALL: &str = "INSERT INTO trade_outbox (event_id, event_key, routing_key, product_app_id, product_order_no, seq, \
    message, attempts, due_at, position) \
    SELECT 1000000 + n, CONCAT('wall ', n), 'UPDATE_STATUS', 'wall', 7, n, '{}', 0, \
    CASE WHEN n = 0 THEN 9223372036854775807 ELSE 2 END, 1000000 + n FROM (\
    SELECT a.d + 10 * b.d + 100 * c.d + 1000 * e.d AS n FROM (DIGITS) a, (DIGITS) b, (DIGITS) c, (DIGITS) e) AS wall";
const DIGITS: &str = "SELECT 0 AS d UNION SELECT 1 UNION SELECT 2 UNION SELECT 3 UNION SELECT 4 UNION SELECT 5 \
    UNION SELECT 6 UNION SELECT 7 UNION SELECT 8 UNION SELECT 9";

/// Claims while both events of trading 2's order are committed, behind the wall; which of them it got.
async fn claims_while_two_are_committed(fresh: &Fresh) -> Vec<i64> {
    let (raw, other) = (fresh.outsider().await, fresh.outsider().await);
    let back = "UPDATE trade_outbox SET due_at = NULL WHERE product_app_id <> 'wall'";
    raw.execute_unprepared(back).await.unwrap();
    let one = "UPDATE trade_outbox SET due_at = 1 WHERE event_id = 101";
    raw.execute_unprepared(one).await.unwrap();
    let commit = other.begin().await.unwrap();
    let two = "UPDATE trade_outbox SET due_at = 3 WHERE event_id IN (201, 202)";
    commit.execute_unprepared(two).await.unwrap();
    let claim = {
        let store = Arc::clone(&fresh.store);
        tokio::spawn(async move { store.claim_events(at(100), at(200), 10).await.unwrap() })
    };
    let looks = match raw.get_database_backend() {
        DatabaseBackend::Postgres => {
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND state = 'active' \
             AND query LIKE '%SKIP LOCKED'"
        }
        _ => {
            "SELECT INFO FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND INFO LIKE '%SKIP LOCKED'"
        }
    };
    while !claim.is_finished() && column(&raw, looks).await.unwrap().is_empty() {}
    commit.commit().await.unwrap();
    let mut claimed: Vec<_> = claim
        .await
        .unwrap()
        .iter()
        .map(|event| event.event_id.get())
        .collect();
    assert_eq!(claimed.first(), Some(&101));
    raw.close().await.unwrap();
    other.close().await.unwrap();
    claimed.split_off(1)
}

/// An engine that sees in one part of a statement what was committed since it began, and in another does not,
/// would give both.
#[tokio::test(flavor = "multi_thread")]
async fn a_claim_that_meets_a_commit_gets_the_first_event_alone() {
    for server in server::all() {
        let fresh = server.fresh().await;
        with_two_events(&fresh, 1).await;
        with_two_events(&fresh, 2).await;
        fresh.store.last_position().await.unwrap();
        let raw = fresh.outsider().await;
        let wall = WALL.replace("DIGITS", DIGITS);
        raw.execute_unprepared(&wall).await.unwrap();
        let sees_them = raw.get_database_backend() == DatabaseBackend::MySql;
        let (mut met, mut rounds) = (false, 0);
        // Where a claim sees them, until one has met the commit.
        while rounds < 10 || (sees_them && !met) {
            let of_both = claims_while_two_are_committed(&fresh).await;
            assert!(of_both.is_empty() || of_both == [201], "{of_both:?}");
            met |= !of_both.is_empty();
            rounds += 1;
            assert!(rounds < 200, "no claim met the commit");
        }
        raw.close().await.unwrap();
        fresh.end().await;
    }
}
