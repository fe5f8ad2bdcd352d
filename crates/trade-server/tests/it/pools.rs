//! Requests that hold every connection they have keep neither notices nor jobs waiting, nor what all need: numbers, and
//! whether the server is ready.

use std::{fmt::Debug, time::Duration};

use axum::http::StatusCode;
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, Statement};
use trade_core::{
    TradingOrderNo, TradingState,
    port::{Census, TradingStore},
};
use trade_server::wire::Environment;
use trade_store::SqlStore;

use crate::{
    metrics::samples,
    server::{self, Server},
    world::{World, payment},
};

/// Keeps everybody from the idempotency keys as long as the connection lives.
async fn hold_keys(url: &str) -> DatabaseConnection {
    let mut options = ConnectOptions::new(url);
    options.max_connections(1);
    let outsider = Database::connect(options).await.unwrap();
    let lock = match outsider.get_database_backend() {
        DatabaseBackend::Postgres => "BEGIN; LOCK TABLE idempotency_key IN ACCESS EXCLUSIVE MODE",
        _ => "LOCK TABLES idempotency_key WRITE",
    };
    outsider.execute_unprepared(lock).await.unwrap();
    outsider
}

/// Creates a payment with a key; the status, and whether it says when to come again.
async fn create(world: &World, order: i64) -> (StatusCode, bool) {
    let answer = world
        .http
        .post(format!("{}/trade/inner/native", world.base))
        .header("idempotency-key", format!("key-{order}"))
        .json(&payment("WECHAT_PAY", order))
        .send()
        .await
        .unwrap();
    (answer.status(), answer.headers().contains_key("retry-after"))
}

/// Waits until exactly so many of the database's connections wait for a table that somebody keeps.
pub(crate) async fn until_waiting(raw: &DatabaseConnection, count: i64) {
    let backend = raw.get_database_backend();
    let waiting = match backend {
        DatabaseBackend::Postgres => {
            "SELECT COUNT(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type = 'Lock'"
        }
        _ => {
            "SELECT COUNT(*) FROM information_schema.PROCESSLIST WHERE DB = DATABASE() \
             AND STATE LIKE 'Waiting for table%'"
        }
    };
    let waiting = Statement::from_string(backend, waiting);
    let all_wait = async {
        loop {
            let row = raw.query_one_raw(waiting.clone()).await.unwrap().unwrap();
            if row.try_get_by_index::<i64>(0).unwrap() == count {
                return;
            }
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    let all_wait = tokio::time::timeout(Duration::from_secs(60), all_wait).await;
    all_wait.expect("they wait for the table");
}

/// What a crowd is told while others hold every connection, and that none of those was answered before.
pub(crate) async fn before_any<T: Debug, C>(
    holders: &mut FuturesUnordered<impl Future<Output = T>>,
    crowd: impl Future<Output = C>,
) -> C {
    tokio::select! {
        early = holders.next() => panic!("a connection was given back first: {early:?}"),
        told = crowd => told,
    }
}

/// How many connections of a pool are at work, and how many are open.
#[expect(clippy::disallowed_types, reason = "Prometheus has no other numbers")]
async fn pool(world: &World, name: &str) -> [f64; 2] {
    let counted = samples(world).await;
    let of = |state: &str| {
        let sample = format!("trade_database_connections{{pool=\"{name}\",state=\"{state}\"}}");
        counted[&sample]
    };
    [of("busy"), of("busy") + of("idle")]
}

/// Settled by the notice, announced by a job.
async fn until_settled_and_announced(store: &SqlStore, number: &str) {
    let number = TradingOrderNo::from_digits(number).unwrap();
    let done = async {
        loop {
            let row = store.trading(number).await.unwrap().unwrap();
            let unsent = store.counts().await.unwrap().unsent_events;
            if row.state == TradingState::Settled && unsent == 0 {
                return;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let done = tokio::time::timeout(Duration::from_secs(60), done).await;
    done.expect("notices and jobs were kept waiting");
}

async fn a_crowd(server: &Server) {
    let database = server.empty().await;
    let url = database.url();
    let more = [
        ("store", "url", url.as_str()),
        ("store", "connections", "4"),
        ("store", "notice_connections", "1"),
        ("store", "job_connections", "2"),
        ("store", "acquire_timeout_ms", "300"),
        // Once at the start, and not while somebody keeps the keys.
        ("jobs", "prune_ms", "3600000"),
    ];
    let world = World::set(&more, Environment::default().decorate).await;
    let pruned = "trade_job_ticks_total{job=\"prune\",outcome=\"ok\"} 1\n";
    world
        .until("/metrics", |text| text.as_str().unwrap().contains(pruned))
        .await;
    let created = world.create("WECHAT_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap().to_owned();
    let (store, raw) = (SqlStore::connect(&url).await.unwrap(), database.outsider().await);
    let keeper = hold_keys(&url).await;
    let mut holders: FuturesUnordered<_> = (100..104).map(|order| create(&world, order)).collect();
    let refused = before_any(&mut holders, async {
        until_waiting(&raw, 4).await;
        join_all((104..110).map(|order| create(&world, order))).await
    });
    for (status, says_when) in refused.await {
        assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
        assert!(says_when, "no Retry-After");
    }
    let meanwhile = async {
        // Beyond what is reserved: also the number of the event needs the store.
        world.advance(Duration::from_secs(11));
        world.pay("WECHAT_PAY", &number);
        until_settled_and_announced(&store, &number).await;
        assert_eq!(world.get("/readyz").await.0, StatusCode::OK);
        assert_eq!(pool(&world, "requests").await, [4.0, 4.0]);
        assert_eq!(pool(&world, "notices").await, [0.0, 1.0]);
        assert_eq!(pool(&world, "jobs").await[1], 2.0);
    };
    before_any(&mut holders, meanwhile).await;
    keeper.close().await.unwrap();
    let held: Vec<_> = holders.collect().await;
    assert_eq!(held, [(StatusCode::OK, false); 4]);
    for order in 100..110 {
        assert_eq!(
            create(&world, order).await.0,
            StatusCode::OK,
            "afterwards all is well"
        );
    }
    raw.close().await.unwrap();
    store.close().await.unwrap();
    drop(world.stop().await);
    database.end().await;
}

#[tokio::test]
async fn a_crowd_of_requests_is_refused_for_the_moment_while_notices_and_jobs_go_on() {
    for server in server::all() {
        a_crowd(&server).await;
    }
}
