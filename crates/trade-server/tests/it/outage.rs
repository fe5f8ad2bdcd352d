//! The database is away, or too busy: the server says so, and goes on by itself.

use axum::http::StatusCode;
use futures_util::{StreamExt, future::join_all, stream::FuturesUnordered};
use sea_orm::{ConnectionTrait, DatabaseBackend};
use trade_server::wire::Environment;
use trade_testkit::{
    oracle::{self, Promises, Rows},
    proxy::{Line, Proxy},
};

use crate::{
    books::truth,
    full::{ask, is_put_off},
    pools::{before_any, until_waiting},
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
        let url = database.url();
        let more = [
            ("store", "url", url.as_str()),
            ("store", "connections", "2"),
            // They would wait for the table, too.
            ("jobs", "enabled", "false"),
        ];
        let world = World::set(&more, Environment::default().decorate).await;
        world.create("WECHAT_PAY", 1).await;
        let raw = database.outsider().await;
        let (lock, unlock) = match raw.get_database_backend() {
            DatabaseBackend::Postgres => ("BEGIN; LOCK TABLE trading", "ROLLBACK"),
            _ => ("LOCK TABLES trading WRITE", "UNLOCK TABLES"),
        };
        let watcher = database.outsider().await;
        raw.execute_unprepared(lock).await.unwrap();
        let mut holders: FuturesUnordered<_> = (2..4).map(|order| ask(&world, order)).collect();
        let refused = before_any(&mut holders, async {
            until_waiting(&watcher, 2).await;
            join_all((4..10).map(|order| ask(&world, order))).await
        });
        for (status, headers, problem) in refused.await {
            is_put_off(status, &headers, &problem);
        }
        raw.execute_unprepared(unlock).await.unwrap();
        watcher.close().await.unwrap();
        let held: Vec<_> = holders.collect().await;
        for (status, _, answer) in held {
            assert_eq!(status, StatusCode::OK, "{answer}");
        }
        for order in 1..10 {
            world.create("WECHAT_PAY", order).await;
        }
        assert_eq!(world.sandbox.ledger().orders.len(), 9);
        let rows = Rows::read(&*world.server.service().ports().store).await.unwrap();
        let truth = truth(&world.sandbox.ledger(), world.sandbox.now_ms());
        let faults = oracle::always(&rows, &truth, &Promises::default());
        assert!(faults.is_empty(), "{faults:#?}");
        raw.close().await.unwrap();
        drop(world.stop().await);
        database.end().await;
    }
}
