//! The database is away, or too busy: the server says so, and goes on by itself.

use std::time::Duration;

use tokio::time::Instant;

use axum::http::StatusCode;
use futures_util::future::join_all;
use sea_orm::{ConnectionTrait, DatabaseBackend};
use trade_server::wire::Environment;
use trade_testkit::proxy::{Line, Proxy};

use crate::{
    full::{ask, is_put_off},
    race::at_rest,
    server,
    world::World,
};

#[tokio::test(flavor = "multi_thread")]
async fn a_database_that_was_away_is_back_without_a_restart() {
    for server in server::all() {
        let database = server.empty().await;
        let proxy = Proxy::start(server.host()).await;
        let url = database.by_way_of(proxy.address());
        let world = World::set(&[("store", "url", &url)], Environment::default().decorate).await;
        let first = world.create("WECHAT_PAY", 1).await;
        for round in 1..=3 {
            proxy.set(Line::Cut).await;
            let (status, headers, problem) = ask(&world, 1 + round).await;
            is_put_off(status, &headers, &problem);
            let (status, ready) = world.get("/readyz").await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
            let detail = ready["detail"].as_str().unwrap();
            assert!(detail.contains("cannot be reached, or has gone"), "{detail}");
            assert!(
                !detail.contains("127.0.0.1") && !detail.contains("postgres"),
                "{detail}"
            );
            assert_eq!(world.get("/livez").await.0, StatusCode::OK);
            proxy.set(Line::Open).await;
            // At once: nothing of the old connections is in the way.
            assert_eq!(world.get("/readyz").await.0, StatusCode::OK);
            assert_eq!(
                world.create("WECHAT_PAY", 1).await["tradingOrderNo"],
                first["tradingOrderNo"]
            );
            world.create("WECHAT_PAY", 1 + round).await;
        }
        at_rest(&world).await;
        drop(world.stop().await);
        database.end().await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn no_free_connection_is_a_503_with_the_time_to_come_again() {
    for server in server::all() {
        let database = server.empty().await;
        let more = [
            ("store", "url", database.url()),
            ("store", "connections", "2".into()),
        ];
        let more = more
            .each_ref()
            .map(|(section, key, value)| (*section, *key, value.as_str()));
        let world = World::set(&more, Environment::default().decorate).await;
        world.create("WECHAT_PAY", 1).await;
        let raw = database.outsider().await;
        let (lock, unlock) = match raw.get_database_backend() {
            DatabaseBackend::Postgres => ("BEGIN; LOCK TABLE trading", "ROLLBACK"),
            _ => ("LOCK TABLES trading WRITE", "UNLOCK TABLES"),
        };
        raw.execute_unprepared(lock).await.unwrap();
        let since = Instant::now();
        for (status, headers, problem) in join_all((2..10).map(|order| ask(&world, order))).await {
            is_put_off(status, &headers, &problem);
        }
        assert!(since.elapsed() < Duration::from_secs(60), "{:?}", since.elapsed());
        raw.execute_unprepared(unlock).await.unwrap();
        for order in 1..10 {
            world.create("WECHAT_PAY", order).await;
        }
        assert_eq!(world.sandbox.ledger().orders.len(), 9);
        at_rest(&world).await;
        raw.close().await.unwrap();
        drop(world.stop().await);
        database.end().await;
    }
}
