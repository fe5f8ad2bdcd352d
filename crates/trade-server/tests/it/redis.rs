//! A server with Redis, without it, and in between.

use std::{env, error::Error, time::Duration};

use axum::http::StatusCode;
use serde_json::Value;
use tokio::net::TcpListener;
use trade_server::{config::Settings, serve, wire::Environment};
use trade_testkit::proxy::{Line, Proxy};

use crate::{
    private_redis::PrivateRedis,
    world::{World, payment},
};

fn is_embedded() -> bool {
    env::var_os("TRADE_TEST_EMBEDDED").is_some()
}

fn node_of(trading_order_no: &str) -> i64 {
    (trading_order_no.parse::<i64>().unwrap() >> 12) & 1023
}

fn text(body: &Value) -> &str {
    body.as_str().unwrap_or_default()
}

/// Waits until the server says that Redis is there, or is not; it is ready either way.
async fn until_redis_is(world: &World, there: bool) {
    world
        .until("/readyz", |body| match text(body).split_once('\n') {
            None => text(body) == "ready" && there,
            Some((ready, why)) => ready == "ready" && why.starts_with("without redis") && !there,
        })
        .await;
    assert_eq!(world.get("/readyz").await.0, StatusCode::OK);
    let (_, metrics) = world.get("/metrics").await;
    let gauge = format!("\ntrade_redis_up {}\n", u8::from(there));
    assert!(text(&metrics).contains(&gauge), "{metrics}");
}

async fn lock_failures(world: &World) -> u64 {
    let (_, metrics) = world.get("/metrics").await;
    let line = text(&metrics)
        .lines()
        .find_map(|line| line.strip_prefix("trade_lock_failures_total "));
    line.unwrap().parse().unwrap()
}

#[tokio::test]
async fn payments_go_on_while_redis_is_away_dies_and_comes_back() {
    if is_embedded() {
        return;
    }
    let mut redis = PrivateRedis::stopped(&[]);
    let more = [("redis", "url", redis.url()), ("server", "node", "3".into())];
    let more = more
        .each_ref()
        .map(|(section, key, value)| (*section, *key, value.as_str()));
    let world = World::set(&more, Environment::default().decorate).await;
    until_redis_is(&world, false).await;
    world.paid("WECHAT_PAY", 1).await;
    let failures = lock_failures(&world).await;
    assert!(failures > 0, "the lock was asked for");
    for order in [2, 4] {
        redis.start();
        until_redis_is(&world, true).await;
        let before = lock_failures(&world).await;
        world.paid("ALI_PAY", order).await;
        assert_eq!(lock_failures(&world).await, before, "the lock was had");
        redis.stop();
        // Whether or not the server has noticed yet.
        let number = world.paid("WECHAT_PAY", order + 1).await;
        // A Redis that has just been started leases no node.
        assert_eq!(node_of(&number), 3);
        until_redis_is(&world, false).await;
    }
    assert!(lock_failures(&world).await > failures);
}

fn shared_redis() -> String {
    env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379/0".into())
}

/// Settings that point to a Redis, under keys of this test's own.
fn with_keys_of<'a>(url: &'a str, prefix: &'a str) -> [(&'a str, &'a str, &'a str); 2] {
    [("redis", "url", url), ("redis", "prefix", prefix)]
}

#[tokio::test]
async fn no_payment_is_begun_once_the_lease_of_the_only_node_ended() {
    if is_embedded() {
        return;
    }
    let mut url = reqwest::Url::parse(&shared_redis()).unwrap();
    let address = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(6379));
    let proxy = Proxy::start(address).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address().port())).unwrap();
    let prefix = format!("trade-server-test:{}:lease", std::process::id());
    let world = World::set(
        &with_keys_of(url.as_str(), &prefix),
        Environment::default().decorate,
    )
    .await;
    world.paid("WECHAT_PAY", 1).await;
    proxy.set(Line::Cut).await;
    until_redis_is(&world, false).await;
    world.paid("WECHAT_PAY", 2).await;

    world.advance(Duration::from_secs(50));
    let (status, why) = world.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{why}");
    assert!(why.to_string().contains("server.node"), "{why}");
    let payment = payment("WECHAT_PAY", 3);
    let (status, why) = world.post("/trade/inner/native", &payment).await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{why}");

    proxy.set(Line::Open).await;
    until_redis_is(&world, true).await;
    world.paid("WECHAT_PAY", 3).await;
}

#[tokio::test]
async fn instances_lease_a_node_each_and_none_starts_without_any() {
    if is_embedded() {
        return;
    }
    let (url, prefix) = (
        shared_redis(),
        format!("trade-server-test:{}", std::process::id()),
    );
    let more = with_keys_of(&url, &prefix);
    let mut nodes = Vec::new();
    for order in 1..=2 {
        let world = World::set(&more, Environment::default().decorate).await;
        nodes.push(node_of(&world.paid("WECHAT_PAY", order).await));
        until_redis_is(&world, true).await;
        world.stop().await;
    }
    assert!(
        nodes[0] != nodes[1] && nodes.iter().all(|node| *node >= 512),
        "{nodes:?}"
    );

    // The same without a node of its own, and a Redis that is not there.
    let world = World::new().await;
    let gone = PrivateRedis::stopped(&[]).url();
    let settings =
        std::fs::read_to_string(&world.settings).unwrap() + &format!("\n[redis]\nurl = \"{gone}\"\n");
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let refused = serve::start(
        &Settings::from_toml(&settings).unwrap(),
        listener,
        Environment::default(),
    )
    .await
    .unwrap_err();
    let why = format!("{refused}: {}", refused.source().unwrap());
    assert!(
        why.contains("Redis is away") && why.contains("server.node"),
        "{why}"
    );
}
