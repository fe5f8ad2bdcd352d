//! The same on PostgreSQL and on MySQL or MariaDB: tables, compare-and-sets, inbox, counters.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;

use crate::{
    server,
    world::{ALIPAY, WECHAT, With, World, number},
};

const STEP: Duration = Duration::from_secs(10);

#[tokio::test]
async fn a_whole_life_on_every_server() {
    for server in server::all() {
        let database = server.empty().await;
        let with = With {
            database_url: Some(database.url()),
            evaluations: true,
            ..With::default()
        };
        let mut world = World::with(with).await;

        // Two instances place at once on tables that both of them have made sure of.
        let (other, _) = world.another().await;
        let placed = futures_util::future::join_all((0..6).map(|_| world.place())).await;
        let distinct: std::collections::BTreeSet<_> = placed.iter().collect();
        assert_eq!(distinct.len(), 6);
        other.stop().await;

        let id = &placed[0];
        let first = world.code(id, ALIPAY).await;
        let second = world.code(id, WECHAT).await;
        world.pay(&first);
        world.pay(&second);
        let order = world
            .until_in_time(id, STEP, |order| {
                order["ordersStatus"] == 100 && order["returned"][0]["refundStatus"] == 2
            })
            .await;
        let winner = order["tradingOrderNo"].as_str().unwrap();
        assert!([number(&first), number(&second)].contains(&winner.to_owned()));

        let body = json!({"id": id, "cancelReason": "点了很多下"});
        let path = "/orders-manager/consumer/orders/cancel";
        let clicks = (0..4).map(|_| world.call(Method::PUT, path, Some(1001), Some(&body)));
        let answers = futures_util::future::join_all(clicks).await;
        assert_eq!(
            answers.iter().filter(|(status, _)| status.is_success()).count(),
            1,
            "{answers:?}"
        );
        world
            .until_in_time(id, STEP, |order| order["refundStatus"] == 2)
            .await;

        let done = &placed[1];
        world.pay(&world.code(done, WECHAT).await);
        world.until_status(done, 100).await;
        for step in ["take", "cancel", "take", "start", "finish"] {
            world.step(done, step).await;
        }
        world
            .ok(Method::PUT, &format!("/consumer/orders/evaluate/{done}"), None)
            .await;

        // Restarted, it goes on reading events where it was, and the others run out of time.
        world.restart().await;
        world.advance(Duration::from_secs(15 * 60));
        for id in &placed[2..] {
            world.until_status(id, 600).await;
        }
        let list = world
            .ok(Method::GET, "/consumer/orders/consumerQueryList", None)
            .await;
        assert_eq!(list.as_array().unwrap().len(), 6);
        assert_eq!(world.metric("orders{status=\"600\"}").await, 4);
        assert_eq!(world.metric("orders{status=\"500\"}").await, 1);
        assert_eq!(world.metric("order_dead_letters").await, 0);
        world.stop_orders().await;
        database.end().await;
    }
}
