//! The platform's side: every status from 0 to 700 by a real transition, and no other.

use reqwest::Method;
use serde_json::{Value, json};

use crate::world::{USER, With, World};

fn path_of(order: &Value) -> Vec<(String, Option<i64>, i64)> {
    let lines = order["history"].as_array().unwrap().iter();
    lines
        .map(|line| {
            let event = line["event"].as_str().unwrap().to_owned();
            (
                event,
                line["fromStatus"].as_i64(),
                line["toStatus"].as_i64().unwrap(),
            )
        })
        .collect()
}

fn line(event: &str, from: Option<i64>, to: i64) -> (String, Option<i64>, i64) {
    (event.to_owned(), from, to)
}

#[tokio::test]
async fn an_order_goes_from_booked_to_finished() {
    let world = World::new().await;
    let id = world.paid().await;
    world.step(&id, "take").await;
    world.step(&id, "start").await;
    world.step(&id, "finish").await;
    let order = world.detail(&id).await;
    assert_eq!(
        path_of(&order),
        [
            line("PLACE", None, 0),
            line("PAYED", Some(0), 100),
            line("DISPATCH", Some(100), 200),
            line("START_SERVE", Some(200), 300),
            line("COMPLETE_SERVE", Some(300), 500),
        ]
    );
    assert_eq!(order["evaluationTime"], Value::Null);
}

#[tokio::test]
async fn a_worker_who_gives_it_back_leaves_it_to_others() {
    let world = World::new().await;
    let id = world.paid().await;
    world.step(&id, "take").await;
    world.step(&id, "cancel").await;
    let order = world.detail(&id).await;
    assert_eq!(order["ordersStatus"], 100);
    assert_eq!(
        path_of(&order).last(),
        Some(&line("SERVE_PROVIDER_CANCEL", Some(200), 100))
    );
    world.step(&id, "take").await;
    assert_eq!(world.status(&id).await, 200);
}

#[tokio::test]
async fn where_customers_are_asked_an_order_waits_for_their_word() {
    let with = With {
        evaluations: true,
        ..With::default()
    };
    let world = World::with(with).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let id = world.paid().await;
        for step in ["take", "start", "finish"] {
            world.step(&id, step).await;
        }
        assert_eq!(world.status(&id).await, 400);
        ids.push(id);
    }
    let path = format!("/consumer/orders/evaluate/{}", ids[0]);
    world.ok(Method::PUT, &path, None).await;
    let order = world.detail(&ids[0]).await;
    assert_eq!(order["ordersStatus"], 500);
    assert_eq!(order["evaluationTime"], world.now().to_beijing_text());
    let (status, _) = world.refused(Method::PUT, &path, None).await;
    assert_eq!(status, 409, "once");

    // Who says nothing for fifteen days has said enough.
    assert_eq!(world.status(&ids[1]).await, 400);
    world.advance(std::time::Duration::from_secs(15 * 24 * 3600 + 1));
    world.until_status(&ids[1], 500).await;
}

#[tokio::test]
async fn a_step_from_elsewhere_changes_nothing() {
    let world = World::new().await;
    let id = world.place().await;
    for step in ["take", "start", "finish", "cancel"] {
        let path = format!("/worker/orders/{id}/{step}");
        let (status, message) = world.refused(Method::PUT, &path, None).await;
        assert_eq!(status, 409, "{step}");
        assert!(message.contains("待支付"), "{message}");
    }
    let before = world.detail(&id).await;
    assert_eq!(path_of(&before).len(), 1);
    let (status, _) = world
        .refused(Method::PUT, &format!("/worker/orders/{id}/explode"), None)
        .await;
    assert_eq!(status, 400);
    let (status, _) = world
        .refused(Method::PUT, "/worker/orders/2406011000000000001/take", None)
        .await;
    assert_eq!(status, 404);
}

#[tokio::test]
async fn two_workers_at_once_take_an_order_once() {
    let world = World::new().await;
    let id = world.paid().await;
    let path = format!("/orders-manager/worker/orders/{id}/take");
    let takes = (1..=8).map(|worker| world.call(Method::PUT, &path, Some(worker), None));
    let answers = futures_util::future::join_all(takes).await;
    let taken = answers.iter().filter(|(status, _)| status.is_success()).count();
    assert_eq!(taken, 1, "{answers:?}");
    assert_eq!(path_of(&world.detail(&id).await).len(), 3);
}

#[tokio::test]
async fn the_operator_sees_everybodys_orders() {
    let world = World::new().await;
    let ids = [world.place().await, world.place().await];
    let page = world
        .ok(Method::GET, "/operation/orders/page?ordersStatus=0", None)
        .await;
    let seen: Vec<_> = page
        .as_array()
        .unwrap()
        .iter()
        .map(|order| order["id"].clone())
        .collect();
    assert_eq!(seen, [json!(ids[1]), json!(ids[0])]);
    let path = format!("/operation/orders/page?before={}&limit=1", ids[1]);
    let page = world.ok(Method::GET, &path, None).await;
    assert_eq!(
        (page.as_array().unwrap().len(), &page[0]["id"]),
        (1, &json!(ids[0]))
    );
    let one = world
        .ok(Method::GET, &format!("/operation/orders/{}", ids[0]), None)
        .await;
    assert_eq!(one["userId"], USER.to_string());
}
