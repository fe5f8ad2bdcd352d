//! The engine rolls a write of ours back for the sake of another: it is done again, and is there once.

use std::{sync::Arc, time::Duration};

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, TransactionTrait};
use trade_core::{
    Role, Trading, TradingState,
    port::{Commit, Outbox, TradingStore},
};
use trade_store::{Settings, SqlStore};
use trade_testkit::fixture::{self, trading_no};

use super::{
    column,
    server::{self, Empty},
};

/// Longer than the test needs, and shorter than a wait for a row: when PostgreSQL looks whether two wait for each other.
const LOOK: &str = "SET deadlock_timeout = '3s'";

/// Makes the transaction the one that an engine would rather not roll back: PostgreSQL leaves that to whoever looks
/// first, InnoDB rolls back who has changed fewer rows.
async fn make_heavy(theirs: &DatabaseTransaction) {
    if theirs.get_database_backend() == DatabaseBackend::Postgres {
        let never = "SET LOCAL deadlock_timeout = '1h'";
        theirs.execute_unprepared(never).await.unwrap();
        return;
    }
    for node in 1000..1200 {
        let row = format!("INSERT INTO id_mark (node, mark_ms) VALUES ({node}, 0)");
        theirs.execute_unprepared(&row).await.unwrap();
    }
}

async fn touch(theirs: &DatabaseTransaction, number: i64) {
    let touch = format!("UPDATE trading SET memo = 'theirs' WHERE trading_order_no = {number}");
    theirs
        .execute_unprepared(&touch)
        .await
        .expect("it is not theirs that is rolled back");
}

fn second() -> Trading {
    fixture::like(&fixture::trading(1), 2)
}

/// A store with an order that has two tradings: 1 is closed, 2 lives.
async fn with_two_tradings(empty: &Empty) -> SqlStore {
    let raw = empty.outsider().await;
    if raw.get_database_backend() == DatabaseBackend::Postgres {
        let set = format!("ALTER DATABASE {} {LOOK}", empty.name());
        raw.execute_unprepared(&set).await.unwrap();
    }
    raw.close().await.unwrap();
    let settings = Settings {
        busy_timeout: Duration::from_secs(20),
        ..Settings::default()
    };
    let store = SqlStore::connect_with(&empty.url(), &settings).await.unwrap();
    store.migrate().await.unwrap();
    let first = fixture::trading(1);
    let closed = Trading {
        state: TradingState::Cancelled,
        ..first.clone()
    };
    for trading in [&closed, &second()] {
        let entry = fixture::first_entry(trading);
        store.insert_trading(trading, &entry).await.unwrap();
    }
    store
}

/// They hold trading 1. A payment of ours holds 2 and waits for 1, since its event is the next of their order, whose
/// events wait for each other at its first trading. Then they ask for 2.
#[tokio::test(flavor = "multi_thread")]
async fn a_payment_that_is_rolled_back_for_another_is_made_again() {
    for server in server::all() {
        let empty = server.empty().await;
        let store = Arc::new(with_two_tradings(&empty).await);
        let (raw, other) = (empty.outsider().await, empty.outsider().await);
        let theirs = other.begin().await.unwrap();
        make_heavy(&theirs).await;
        touch(&theirs, 1).await;
        let paid = fixture::paid(&second(), Role::Winner, "4200");
        let ours = {
            let (store, paid) = (Arc::clone(&store), paid.clone());
            tokio::spawn(async move { store.commit_trading(&paid).await })
        };
        while !somebody_waits(&raw).await {
            assert!(!ours.is_finished(), "{:?}", ours.await);
        }
        // They get it only when ours is rolled back, which waits for what they hold.
        touch(&theirs, 2).await;
        assert!(!ours.is_finished(), "{:?}", ours.await);
        theirs.commit().await.unwrap();
        assert_eq!(ours.await.unwrap().unwrap(), Commit::Done);
        let number = trading_no(2);
        let row = store.trading(number).await.unwrap().unwrap();
        assert_eq!((row.version, row.memo.as_str()), (2, "theirs"));
        let lines = store.journal(number).await.unwrap();
        assert_eq!(lines.len(), 2);
        assert_eq!(lines[1], paid.journal);
        assert_eq!(store.events_of(&row.order()).await.unwrap().len(), 1);
        for connection in [raw, other] {
            connection.close().await.unwrap();
        }
        Arc::into_inner(store).unwrap().close().await.unwrap();
        empty.end().await;
    }
}

/// Whether somebody waits for a row.
async fn somebody_waits(raw: &DatabaseConnection) -> bool {
    tokio::time::sleep(Duration::from_millis(20)).await;
    let waiting = match raw.get_database_backend() {
        DatabaseBackend::Postgres => {
            "SELECT query FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        }
        _ => {
            "SELECT p.INFO FROM information_schema.INNODB_TRX t \
             JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id \
             WHERE p.DB = DATABASE() AND t.trx_state = 'LOCK WAIT'"
        }
    };
    !column(raw, waiting).await.unwrap().is_empty()
}
