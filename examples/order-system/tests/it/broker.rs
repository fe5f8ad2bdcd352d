//! Events by RabbitMQ: over a line that is cut, with messages of others and messages that nobody can read.

use std::time::Duration;

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    options::{
        BasicGetOptions, BasicPublishOptions, ExchangeDeleteOptions, QueueDeclareOptions, QueueDeleteOptions,
    },
    types::FieldTable,
};
use serde_json::{Value, json};
use trade_core::{SystemClock, port::Clock};
use trade_mq::DeadLetter;

use trade_testkit::proxy::{Line, Proxy};

use crate::world::{WECHAT, With, World, number};

const STEP: Duration = Duration::from_secs(30);

fn broker_url() -> String {
    std::env::var("RABBITMQ_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".into())
}

/// A line to the broker, and its URL by way of it.
async fn line() -> (Proxy, String) {
    let mut url = url::Url::parse(&broker_url()).unwrap();
    let host = url.host_str().unwrap().to_owned();
    let proxy = Proxy::start((host, url.port().unwrap_or(5672))).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address().port())).unwrap();
    (proxy, url.into())
}

/// Names nobody else uses.
struct Corner {
    exchange: String,
    queue: String,
    channel: Channel,
    _connection: Connection,
}

impl Corner {
    async fn new(name: &str) -> Self {
        let now = SystemClock::new().now().ms();
        let name = format!("order-test.{}.{now}.{name}", std::process::id());
        let connection = Connection::connect(&broker_url(), ConnectionProperties::default()).await;
        let connection = connection.expect("these tests need a RabbitMQ: start one, or set RABBITMQ_URL");
        Self {
            exchange: format!("{name}.exchange"),
            queue: format!("{name}.queue"),
            channel: connection.create_channel().await.unwrap(),
            _connection: connection,
        }
    }

    async fn send(&self, body: &str) {
        let sent = self.channel.basic_publish(
            self.exchange.as_str().into(),
            "UPDATE_STATUS".into(),
            BasicPublishOptions::default(),
            body.as_bytes(),
            BasicProperties::default(),
        );
        sent.await.unwrap().await.unwrap();
    }

    /// The next message that was put aside.
    async fn dead(&self) -> String {
        let queue = DeadLetter::of(&self.queue).queue;
        for _ in 0..1200 {
            let message = self
                .channel
                .basic_get(queue.as_str().into(), BasicGetOptions { no_ack: true });
            if let Some(message) = message.await.unwrap() {
                return String::from_utf8(message.delivery.data).unwrap();
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("nothing was put aside in a minute");
    }

    async fn has_queue(&self) {
        for _ in 0..1200 {
            let options = QueueDeclareOptions {
                passive: true,
                ..QueueDeclareOptions::default()
            };
            let channel = self._connection.create_channel().await.unwrap();
            let there = channel.queue_declare(self.queue.as_str().into(), options, FieldTable::default());
            if there.await.is_ok() {
                return;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        panic!("the order system has not declared its queue in a minute");
    }

    async fn clean(self) {
        let dead = DeadLetter::of(&self.queue);
        for queue in [&self.queue, &dead.queue] {
            let deleted = self
                .channel
                .queue_delete(queue.as_str().into(), QueueDeleteOptions::default());
            deleted.await.unwrap();
        }
        for exchange in [&self.exchange, &dead.exchange] {
            let deleted = self
                .channel
                .exchange_delete(exchange.as_str().into(), ExchangeDeleteOptions::default());
            deleted.await.unwrap();
        }
    }
}

/// A shop whose order system hears over a line.
async fn over(corner: &Corner, line: &str) -> World {
    let names = (corner.exchange.clone(), corner.queue.clone());
    let with = With {
        broker: Some((broker_url(), line.to_owned(), names.0, names.1)),
        ..With::default()
    };
    World::with(with).await
}

async fn heard_by(corner: &Corner, line: &str) -> World {
    let world = over(corner, line).await;
    corner.has_queue().await;
    world
}

#[tokio::test]
async fn payments_and_refunds_arrive_over_a_line_that_is_cut() {
    if std::env::var_os("TRADE_TEST_EMBEDDED").is_some() {
        return;
    }
    let corner = Corner::new("cut").await;
    let (proxy, url) = line().await;
    let world = heard_by(&corner, &url).await;
    let id = world.paid().await;

    // The broker is out of reach for the order system: what is paid now waits in its queue.
    proxy.set(Line::Cut).await;
    let waiting = world.place().await;
    let code = world.code(&waiting, WECHAT).await;
    world.pay(&code);
    tokio::time::sleep(Duration::from_millis(300)).await;
    assert_eq!(world.status(&waiting).await, 0, "nobody has told it");
    proxy.set(Line::Open).await;
    world
        .until_in_time(&waiting, STEP, |order| order["ordersStatus"] == 100)
        .await;

    proxy.cut_once().await;
    world.cancel(&id).await;
    let order = world
        .until_in_time(&id, STEP, |order| order["refundStatus"] == 2)
        .await;
    assert_eq!(order["ordersStatus"], 700);
    drop(world);
    corner.clean().await;
}

#[tokio::test]
async fn messages_of_others_are_skipped_and_unreadable_ones_put_aside() {
    if std::env::var_os("TRADE_TEST_EMBEDDED").is_some() {
        return;
    }
    let corner = Corner::new("dead").await;
    let world = heard_by(&corner, &broker_url()).await;
    let id = world.place().await;
    let message = |app: &str, order: &str, code: i32, seq: i64| {
        let number = |text: &str| text.parse::<i64>().unwrap();
        json!({
            "tradingOrderNo": 77, "productAppId": app, "productOrderNo": number(order),
            "transactionId": "4200", "tradingChannel": WECHAT, "statusName": "YJS", "statusCode": code,
            "info": "", "created": 1, "eventId": 1000 + seq, "seq": seq,
        })
    };
    corner.send("not even JSON").await;
    assert_eq!(corner.dead().await, "not even JSON");
    let unknown = json!([message("jzo2o.orders", "2406011000000000001", 4, 1)]).to_string();
    corner.send(&unknown).await;
    assert_eq!(corner.dead().await, unknown, "an order that is not here");
    // Another order system's payment, under the very number of an order of ours.
    corner
        .send(&json!([message("others.orders", &id, 4, 1)]).to_string())
        .await;
    // Something that is no payment: 5 is a trading that was closed.
    corner
        .send(&json!([message("jzo2o.orders", &id, 5, 1)]).to_string())
        .await;
    // A payment, and the same again: an array of one, a bare object, and once more.
    let paid = message("jzo2o.orders", &id, 4, 2);
    for body in [json!([paid]), paid.clone(), json!([paid, paid])] {
        corner.send(&body.to_string()).await;
    }
    let order = world.until_status(&id, 100).await;
    assert_eq!(
        (&order["tradingOrderNo"], &order["transactionId"]),
        (&json!("77"), &json!("4200"))
    );
    // Money that went back: running, done. What comes again, by its id or by its count, changes nothing.
    let mut refund = message("jzo2o.orders", &id, 1, 3);
    refund["refundNo"] = json!(500);
    refund["refundFen"] = json!(7980);
    refund["refundOrigin"] = json!("SURPLUS");
    let mut done = refund.clone();
    (done["statusCode"], done["seq"], done["eventId"]) = (json!(2), json!(4), json!(1004));
    corner.send(&json!([refund, done]).to_string()).await;
    world
        .until(&id, |order| order["returned"][0]["refundStatus"] == 2)
        .await;
    let mut by_id = refund.clone();
    by_id.as_object_mut().unwrap().remove("seq");
    let mut by_count = refund;
    by_count["eventId"] = json!(2003);
    corner.send(&json!([by_id, by_count]).to_string()).await;
    // An event of the old service: no id, no count. It says what is known.
    let mut old = paid.clone();
    for field in ["eventId", "seq"] {
        old.as_object_mut().unwrap().remove(field);
    }
    corner.send(&json!([old]).to_string()).await;
    // Another trading for the same order contradicts: a person must look.
    let mut other = message("jzo2o.orders", &id, 4, 5);
    other["tradingOrderNo"] = json!(78);
    let other = json!([other]).to_string();
    corner.send(&other).await;
    assert_eq!(corner.dead().await, other);
    let order = world.detail(&id).await;
    assert_eq!(order["tradingOrderNo"], "77");
    assert_eq!(order["returned"].as_array().unwrap().len(), 1);
    assert_eq!(order["returned"][0]["refundStatus"], 2, "nothing goes backwards");
    let events = order["history"].as_array().unwrap();
    let payments = events.iter().filter(|line| line["event"] == "PAYED").count();
    assert_eq!(payments, 1, "{events:?}");
    drop(world);
    corner.clean().await;
}

#[tokio::test]
async fn an_order_system_that_starts_without_its_broker_serves_and_hears_later() {
    if std::env::var_os("TRADE_TEST_EMBEDDED").is_some() {
        return;
    }
    let corner = Corner::new("later").await;
    let (proxy, url) = line().await;
    proxy.set(Line::Cut).await;
    let world = over(&corner, &url).await;
    let id = world.place().await;
    let code = world.code(&id, WECHAT).await;
    world.pay(&code);
    // Without an event, whoever asks for the result is told the truth.
    let path = format!("/consumer/orders/pay/{id}/result");
    let mut result = Value::Null;
    for _ in 0..600 {
        result = world.ok(reqwest::Method::GET, &path, None).await;
        if result["payStatus"] == 4 {
            break;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert_eq!(number(&result), number(&code));
    assert_eq!(world.status(&id).await, 100);
    proxy.set(Line::Open).await;
    corner.has_queue().await;
    world.cancel(&id).await;
    world
        .until_in_time(&id, STEP, |order| order["refundStatus"] == 2)
        .await;
    drop(world);
    corner.clean().await;
}
