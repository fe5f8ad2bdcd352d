//! Requests that hold every connection they have keep neither notices nor jobs waiting.

use std::{
    sync::atomic::{AtomicU32, Ordering},
    time::Duration,
};

use axum::http::StatusCode;
use futures_util::future::join_all;
use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection};
use trade_core::{
    TradingOrderNo, TradingState,
    port::{Census, TradingStore},
};
use trade_server::wire::Environment;
use trade_store::SqlStore;

use crate::{
    server,
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

#[tokio::test]
async fn a_crowd_of_requests_is_refused_for_the_moment_while_notices_and_jobs_go_on() {
    for server in server::all() {
        let database = server.empty().await;
        let url = database.url();
        let more = [
            ("store", "url", url.as_str()),
            ("store", "connections", "2"),
            ("store", "notice_connections", "1"),
            // One more than what forgets old keys holds.
            ("store", "job_connections", "2"),
            ("store", "acquire_timeout_ms", "300"),
        ];
        let world = World::set(&more, Environment::default().decorate).await;
        let created = world.create("WECHAT_PAY", 1).await;
        let number = created["tradingOrderNo"].as_str().unwrap().to_owned();
        let keeper = hold_keys(&url).await;
        let answered = AtomicU32::new(0);
        let crowd = join_all((100..108).map(async |order| {
            let answer = create(&world, order).await;
            answered.fetch_add(1, Ordering::SeqCst);
            answer
        }));
        let meanwhile = async {
            let store = SqlStore::connect(&url).await.unwrap();
            world.pay("WECHAT_PAY", &number);
            let number = TradingOrderNo::from_digits(&number).unwrap();
            // Settled by the notice, announced by a job.
            loop {
                let row = store.trading(number).await.unwrap().unwrap();
                let unsent = store.counts().await.unwrap().unsent_events;
                let refused = answered.load(Ordering::SeqCst);
                // All but the two that hold the connections.
                if row.state == TradingState::Settled && unsent == 0 && refused == 6 {
                    break;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            keeper.close().await.unwrap();
            store.close().await.unwrap();
        };
        let meanwhile = tokio::time::timeout(Duration::from_secs(60), meanwhile);
        let (answers, settled) = futures_util::future::join(crowd, meanwhile).await;
        settled.expect("notices and jobs were kept waiting");
        let refused = answers.iter().filter(|(status, _)| *status != StatusCode::OK);
        for (status, says_when) in refused.clone() {
            assert_eq!(*status, StatusCode::SERVICE_UNAVAILABLE);
            assert!(says_when, "no Retry-After");
        }
        assert!(refused.count() >= 6, "{answers:?}");
        for order in 100..108 {
            assert_eq!(
                create(&world, order).await.0,
                StatusCode::OK,
                "afterwards all is well"
            );
        }
        drop(world.stop().await);
        database.end().await;
    }
}

/// What requests, notices and jobs all need, numbers, is not behind the requests; nor is whoever asks whether the
/// server is ready, or how it is.
#[tokio::test]
async fn numbers_and_readiness_do_not_wait_behind_requests() {
    for server in server::all() {
        let database = server.empty().await;
        let url = database.url();
        let more = [
            ("store", "url", url.as_str()),
            ("store", "connections", "2"),
            ("store", "acquire_timeout_ms", "1000"),
        ];
        let world = World::set(&more, Environment::default().decorate).await;
        let created = world.create("WECHAT_PAY", 1).await;
        let number = created["tradingOrderNo"].as_str().unwrap().to_owned();
        let keeper = hold_keys(&url).await;
        let answered = AtomicU32::new(0);
        let crowd = join_all((100..108).map(async |order| {
            create(&world, order).await;
            answered.fetch_add(1, Ordering::SeqCst);
        }));
        let meanwhile = async {
            while answered.load(Ordering::SeqCst) < 6 {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            // Beyond what is reserved: the number of the event needs the store.
            world.advance(Duration::from_secs(11));
            world.pay("WECHAT_PAY", &number);
            let path = format!("/trade/admin/stuck?tradingOrderNo={number}");
            let store = SqlStore::connect(&url).await.unwrap();
            let number = TradingOrderNo::from_digits(&number).unwrap();
            while store.trading(number).await.unwrap().unwrap().state != TradingState::Settled {
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
            assert_eq!(world.get("/readyz").await.0, StatusCode::OK);
            let metrics = world
                .http
                .get(format!("{}/metrics", world.base))
                .send()
                .await
                .unwrap();
            assert!(metrics.text().await.unwrap().contains("\ntrade_store_up 1\n"));
            assert_eq!(
                answered.load(Ordering::SeqCst),
                6,
                "two hold all connections of requests"
            );
            assert_eq!(world.get(&path).await.0, StatusCode::SERVICE_UNAVAILABLE);
            keeper.close().await.unwrap();
            store.close().await.unwrap();
        };
        futures_util::future::join(crowd, meanwhile).await;
        drop(world.stop().await);
        database.end().await;
    }
}
