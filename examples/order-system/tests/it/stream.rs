//! Events by the stream: nothing is missed over a restart, and what nobody can use is put aside.

use std::{convert::Infallible, time::Duration};

use axum::{
    Router,
    extract::Query,
    response::sse::{Event, Sse},
    routing::get,
};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::{net::TcpListener, sync::watch};

use crate::world::{WECHAT, With, World};

#[derive(Debug, Deserialize)]
struct Asked {
    after: i64,
}

/// A trade server that says nothing but what it is told to: position and data of each event.
async fn told(events: watch::Receiver<Vec<(i64, String)>>, positions: watch::Sender<i64>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let handler = move |Query(asked): Query<Asked>| {
        let mut events = events.clone();
        positions.send_replace(asked.after);
        async move {
            let known = events
                .wait_for(|all| all.iter().any(|(at, _)| *at > asked.after))
                .await
                .unwrap();
            let new: Vec<_> = known
                .iter()
                .filter(|(at, _)| *at > asked.after)
                .cloned()
                .collect();
            let sent = new.into_iter().map(|(at, data)| {
                Ok::<_, Infallible>(
                    Event::default()
                        .id(at.to_string())
                        .event("UPDATE_STATUS")
                        .data(data),
                )
            });
            // It ends after what there is: the reader connects again.
            Sse::new(stream::iter(sent).boxed())
        }
    };
    let router = Router::new().route("/trade/inner/events", get(handler));
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

fn message(order: &str, trading: i64, seq: i64) -> String {
    json!([{
        "tradingOrderNo": trading, "productAppId": "jzo2o.orders",
        "productOrderNo": order.parse::<i64>().unwrap(), "transactionId": "4200",
        "tradingChannel": WECHAT, "statusName": "YJS", "statusCode": 4, "info": "", "created": 1,
        "eventId": 1000 + seq, "seq": seq,
    }])
    .to_string()
}

#[tokio::test]
async fn what_cannot_be_used_is_put_aside_and_the_rest_goes_on() {
    let (tell, events) = watch::channel(Vec::new());
    let (positions, mut asked) = watch::channel(-1);
    let with = With {
        trade_url: Some(told(events, positions).await),
        ..With::default()
    };
    let mut world = World::with(with).await;
    let id = world.place().await;
    let mut all = vec![
        (3, "neither JSON nor anything".to_owned()),
        (4, message("2406011000000000001", 1, 1)),
        (9, message(&id, 77, 5)),
        (10, message(&id, 77, 5)),
    ];
    tell.send_replace(all.clone());
    let order = world.until_status(&id, 100).await;
    assert_eq!(order["tradingOrderNo"], "77");
    assert_eq!(world.metric("order_dead_letters").await, 2);
    let (_, page) = world.call(reqwest::Method::GET, "/operator", None, None).await;
    let page = page.as_str().unwrap();
    assert!(
        page.contains("there is no order 2406011000000000001 here"),
        "{page}"
    );
    assert!(page.contains("it cannot be read"), "{page}");

    // After a restart it goes on where it was.
    world.restart().await;
    let next = world.place().await;
    all.push((11, message(&next, 78, 6)));
    tell.send_replace(all);
    world.until_status(&next, 100).await;
    assert_eq!(
        world.metric("order_dead_letters").await,
        2,
        "nothing is read twice"
    );
    let read_on = asked.wait_for(|after| *after == 11);
    let read_on = tokio::time::timeout(Duration::from_secs(60), read_on).await;
    read_on.expect("it goes on after the last").unwrap();
}
