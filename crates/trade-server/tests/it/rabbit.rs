//! Events through a real broker, from the payment to the order system's listener.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use serde_json::json;
use tokio::sync::{mpsc, watch};
use trade_core::{ProductAppId, SystemClock, TradeStatusMsg};
use trade_mq::{Consumer, ConsumerSettings, Handled, ListenError, Listener};
use trade_server::wire::Environment;

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
