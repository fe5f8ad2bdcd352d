//! Events through a real broker, from the payment to the order system's listener.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use axum::http::StatusCode;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use trade_core::{ProductAppId, SystemClock, TradeStatusMsg};
use trade_mq::{Consumer, ConsumerSettings, Handled, ListenError, Listener};
use trade_server::wire::Environment;
use trade_testkit::proxy::{Line, Proxy};

use crate::{
    broker::{self, Post},
    world::World,
};

struct Hear(mpsc::UnboundedSender<TradeStatusMsg>);

#[async_trait]
impl Listener for Hear {
    async fn on_message(&self, message: &TradeStatusMsg) -> Result<Handled, ListenError> {
        self.0.send(message.clone()).unwrap();
        Ok(Handled::Applied)
    }
}

/// A shop whose server announces to an exchange of its own.
async fn announcing(url: &str) -> (World, Post) {
    let post = Post::at(url);
    let more = [
        ("rabbitmq", "url", url),
        ("rabbitmq", "exchange", post.settings.exchange.as_str()),
    ];
    let world = World::set(&more, Environment::default().decorate).await;
    (world, post)
}

#[tokio::test]
async fn a_payment_and_its_refund_reach_the_order_system() {
    let Some(url) = broker::url() else {
        return;
    };
    let (world, post) = announcing(&url).await;
    // Nobody listens yet: the broker has no queue for it, so the event waits.
    let number = world.paid("WECHAT_PAY", 1).await;
    world
        .until("/metrics", |text| {
            text.to_string().contains("trade_unsent_events 1")
        })
        .await;
    post.declare().await;
    let (tell, mut heard) = mpsc::unbounded_channel();
    let apps = [ProductAppId::new("jzo2o.orders").unwrap()];
    let consumer = ConsumerSettings::new(post.settings.clone(), &post.queue, apps);
    let consumer = Consumer::new(consumer, Arc::new(Hear(tell)), Arc::new(SystemClock::new())).unwrap();
    let (stop, signal) = watch::channel(false);
    let listening = tokio::spawn(async move { consumer.run(signal).await });

    // It is offered again after a while, and now it is taken.
    let mut message = None;
    for _ in 0..100 {
        world.advance(Duration::from_secs(30));
        let waited = tokio::time::timeout(Duration::from_millis(300), heard.recv()).await;
        if let Ok(Some(told)) = waited {
            message = Some(told);
            break;
        }
    }
    let paid = message.expect("the payment is told");
    assert_eq!((paid.status_name.as_str(), paid.seq), ("YJS", Some(1)));
    assert_eq!(paid.trading_order_no.to_string(), number);

    let part = World::part("r-1", &number, "5.00");
    let (status, refund) = world.post("/trade/inner/refunds", &part).await;
    assert!(status.is_success(), "{refund}");
    let mut states = Vec::new();
    while states.last().map(String::as_str) != Some("SUCCESS") {
        world.advance(Duration::from_secs(30));
        let told = tokio::time::timeout(Duration::from_millis(300), heard.recv()).await;
        if let Ok(Some(told)) = told {
            assert_eq!(told.product_refund_no.unwrap().as_str(), "r-1");
            states.push(told.status_name);
        }
        assert!(states.len() < 10, "{states:?}");
    }
    let events = world.announced().await;
    assert_eq!(events.len(), states.len() + 1, "each is told once: {states:?}");
    let (_, stuck) = world.get("/trade/admin/stuck").await;
    assert_eq!(stuck, json!({"events": [], "tradings": [], "refunds": []}));
    stop.send(true).unwrap();
    listening.await.unwrap();
}

/// Waits until the server says that the broker is there, or is not; it is ready either way.
async fn until_broker_is(world: &World, there: bool) {
    let lines = |body: &serde_json::Value| body.as_str().unwrap_or_default().to_owned();
    world
        .until("/readyz", |body| match lines(body).split_once('\n') {
            None => lines(body) == "ready" && there,
            Some((ready, why)) => ready == "ready" && why.starts_with("without the broker") && !there,
        })
        .await;
    assert_eq!(world.get("/readyz").await.0, StatusCode::OK);
    let (_, metrics) = world.get("/metrics").await;
    let gauge = format!("\ntrade_broker_up {}\n", u8::from(there));
    assert!(lines(&metrics).contains(&gauge), "{metrics}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_broker_that_is_away_is_shown_and_connected_to_again_without_an_event() {
    let Some(url) = broker::url() else {
        return;
    };
    let mut url = reqwest::Url::parse(&url).unwrap();
    let address = (url.host_str().unwrap().to_owned(), url.port().unwrap_or(5672));
    let proxy = Proxy::start(address).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address().port())).unwrap();
    let (world, post) = announcing(url.as_str()).await;
    until_broker_is(&world, true).await;
    proxy.set(Line::Cut).await;
    until_broker_is(&world, false).await;
    proxy.set(Line::Open).await;
    until_broker_is(&world, true).await;
    // Its exchange is deleted over this line.
    drop(post);
}
