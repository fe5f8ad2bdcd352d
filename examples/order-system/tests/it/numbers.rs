//! Order numbers: never the same twice, whoever counts and whatever was forgotten.

use std::collections::BTreeSet;

use order_system::Redis;
use reqwest::Method;
use serde_json::Value;
use trade_core::{Secret, SystemClock, port::Clock};

use crate::world::{USER, World};

async fn place_at(world: &World, base: &str) -> String {
    let call = world
        .http
        .post(format!("{base}/orders-manager/consumer/orders/place"));
    let response = call
        .header("x-user-id", USER)
        .json(&world.booking())
        .send()
        .await
        .unwrap();
    let answer: Value = response.json().await.unwrap();
    answer["data"]["id"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

/// Places at two instances at once, restarts one, and places again.
async fn over_instances_and_restarts(world: &mut World) -> BTreeSet<String> {
    let (other, other_base) = world.another().await;
    let mut numbers = BTreeSet::new();
    for round in 0..2 {
        let here = (0..10).map(|_| place_at(world, &world.base));
        let there = (0..10).map(|_| place_at(world, &other_base));
        let placed = futures_util::future::join_all(here.chain(there).collect::<Vec<_>>()).await;
        numbers.extend(placed);
        assert_eq!(numbers.len(), 20 * (round + 1), "none twice");
        world.restart().await;
    }
    other.stop().await;
    numbers
}

#[tokio::test]
async fn the_database_counts_for_all_instances() {
    let mut world = World::new().await;
    let numbers = over_instances_and_restarts(&mut world).await;
    let first = numbers.first().unwrap()[6..].parse::<i64>().unwrap();
    let last = numbers.last().unwrap()[6..].parse::<i64>().unwrap();
    assert_eq!((first, last), (1, 40), "without holes");
    let listed = world
        .ok(Method::GET, "/operation/orders/page?limit=100", None)
        .await;
    assert_eq!(listed.as_array().unwrap().len(), 40);
}

#[tokio::test]
async fn redis_counts_and_may_forget() {
    if std::env::var_os("TRADE_TEST_EMBEDDED").is_some() {
        return;
    }
    let url = std::env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379".into());
    let now = SystemClock::new().now().ms();
    let key = format!("order-test:{}:{now}", std::process::id());
    let client = redis::Client::open(url.as_str()).unwrap();
    let mut redis = client
        .get_multiplexed_async_connection()
        .await
        .expect("these tests need a Redis");
    let mut world = World::new().await;
    // Some were given out by the database before Redis took over.
    for _ in 0..3 {
        world.place().await;
    }
    world.settings.redis = Some(Redis {
        url: Secret::new(url),
        key: key.clone(),
    });
    world.restart().await;
    let numbers = over_instances_and_restarts(&mut world).await;
    assert_eq!(
        &numbers.first().unwrap()[6..],
        "0000000000004",
        "it goes on after the database's"
    );
    // Redis loses everything while the order system runs.
    redis::cmd("DEL")
        .arg(&key)
        .query_async::<()>(&mut redis)
        .await
        .unwrap();
    let after = world.place().await;
    assert!(
        !numbers.contains(&after) && after > *numbers.last().unwrap(),
        "{after}"
    );
    let counted: i64 = redis::cmd("GET").arg(&key).query_async(&mut redis).await.unwrap();
    assert_eq!(counted, after[6..].parse::<i64>().unwrap());
    redis::cmd("DEL")
        .arg(&key)
        .query_async::<()>(&mut redis)
        .await
        .unwrap();
}
