//! A corner of the broker for one test, and a way to cut the line to it.

mod broker;
mod listen;

use std::{
    sync::{
        Arc,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use lapin::{
    BasicProperties, Channel, Connection, ConnectionProperties,
    message::BasicGetMessage,
    options::{
        BasicAckOptions, BasicGetOptions, BasicPublishOptions, ExchangeDeleteOptions, QueueDeclareOptions,
        QueueDeleteOptions,
    },
    types::FieldTable,
};
use trade_core::{Event, RoutingKey, SystemClock, port::Clock};
use trade_mq::{DeadLetter, RabbitSettings, RabbitSink, declare_queue};
use trade_testkit::fixture;

pub(crate) use broker::{Broker, Signal};
pub(crate) use listen::{Heard, consumer, start};
pub(crate) use trade_testkit::outbox::Outbox;
pub(crate) use trade_testkit::proxy::{Line, Proxy};
pub(crate) use trade_testkit::{PATIENCE, until};

pub(crate) const BOTH: [RoutingKey; 2] = [RoutingKey::UpdateStatus, RoutingKey::RefundUpdateStatus];

pub(crate) fn broker_url() -> String {
    std::env::var("RABBITMQ_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".into())
}

/// A line to the broker that can be cut, and the broker's URL by way of it.
pub(crate) async fn line() -> (Proxy, String) {
    let mut url = url::Url::parse(&broker_url()).unwrap();
    let host = url.host_str().unwrap().to_owned();
    let proxy = Proxy::start((host, url.port().unwrap_or(5672))).await;
    url.set_host(Some("127.0.0.1")).unwrap();
    url.set_port(Some(proxy.address().port())).unwrap();
    (proxy, url.into())
}

/// Names nobody else uses, and a connection of its own to look at them; dropping it deletes what has those names.
pub(crate) struct Corner {
    pub(crate) exchange: String,
    pub(crate) queue: String,
    pub(crate) channel: Channel,
    _connection: Connection,
}

impl Corner {
    pub(crate) async fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let now = SystemClock::new().now().ms();
        let name = format!("trade-mq-test.{}.{now}.{number}", std::process::id());
        let connection = Connection::connect(&broker_url(), ConnectionProperties::default())
            .await
            .expect("these tests need a RabbitMQ: start one, or set RABBITMQ_URL");
        Self {
            exchange: format!("{name}.exchange"),
            queue: format!("{name}.queue"),
            channel: connection.create_channel().await.unwrap(),
            _connection: connection,
        }
    }

    /// A corner with its exchange and with its queue bound to `keys` and a dead-letter queue.
    pub(crate) async fn with_queue(keys: &[RoutingKey]) -> Self {
        let corner = Self::new().await;
        declare_queue(&corner.settings(), &corner.queue, keys, Some(&corner.dead()))
            .await
            .unwrap();
        corner
    }

    pub(crate) fn dead(&self) -> DeadLetter {
        DeadLetter::of(&self.queue)
    }

    pub(crate) fn settings(&self) -> RabbitSettings {
        RabbitSettings {
            confirm_timeout: PATIENCE,
            ..self.settings_at(broker_url())
        }
    }

    /// Settings for a line that breaks. The client library may then leave an answer unanswered for ever, so these
    /// wait for a shorter time.
    pub(crate) fn settings_at(&self, url: String) -> RabbitSettings {
        RabbitSettings {
            exchange: self.exchange.clone(),
            confirm_timeout: Duration::from_secs(5),
            connect_timeout: Duration::from_secs(5),
            backoff_first: Duration::from_millis(50),
            backoff_longest: Duration::from_millis(400),
            ..RabbitSettings::new(url)
        }
    }

    pub(crate) fn sink(&self) -> RabbitSink {
        RabbitSink::new(self.settings(), Arc::new(SystemClock::new())).unwrap()
    }

    /// Takes the oldest message out of a queue.
    pub(crate) async fn take(&self, queue: &str) -> Option<BasicGetMessage> {
        let options = BasicGetOptions::default();
        let message = self.channel.basic_get(queue.into(), options).await.unwrap()?;
        message.acker.ack(BasicAckOptions::default()).await.unwrap();
        Some(message)
    }

    /// Takes everything out of a queue, as texts.
    pub(crate) async fn drain(&self, queue: &str) -> Vec<String> {
        let mut bodies = Vec::new();
        while let Some(message) = self.take(queue).await {
            bodies.push(String::from_utf8(message.delivery.data).unwrap());
        }
        bodies
    }

    /// Waits until a queue holds a message, and takes it.
    pub(crate) async fn wait_for_one(&self, queue: &str) -> BasicGetMessage {
        let found = async {
            loop {
                if let Some(message) = self.take(queue).await {
                    return message;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.expect("a message")
    }

    /// How many messages wait in a queue.
    pub(crate) async fn len(&self, queue: &str) -> u32 {
        let passive = QueueDeclareOptions {
            passive: true,
            ..QueueDeclareOptions::default()
        };
        self.channel
            .queue_declare(queue.into(), passive, FieldTable::default())
            .await
            .unwrap()
            .message_count()
    }

    /// Puts any bytes straight into a queue, as a stranger would.
    pub(crate) async fn put(&self, queue: &str, body: &[u8]) {
        self.channel
            .basic_publish(
                "".into(),
                queue.into(),
                BasicPublishOptions::default(),
                body,
                BasicProperties::default(),
            )
            .await
            .unwrap();
    }
}

impl Drop for Corner {
    fn drop(&mut self) {
        let dead = self.dead();
        let queues = [self.queue.clone(), dead.queue];
        let exchanges = [self.exchange.clone(), dead.exchange];
        // Runs while a failed test unwinds, too; hence a thread, which may wait.
        let _joined = std::thread::spawn(move || {
            tokio::runtime::Runtime::new()
                .unwrap()
                .block_on(delete(queues, exchanges));
        })
        .join();
    }
}

async fn delete(queues: [String; 2], exchanges: [String; 2]) {
    let connection = Connection::connect(&broker_url(), ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    for queue in queues {
        let _messages = channel
            .queue_delete(queue.into(), QueueDeleteOptions::default())
            .await;
    }
    for exchange in exchanges {
        let _gone = channel
            .exchange_delete(exchange.into(), ExchangeDeleteOptions::default())
            .await;
    }
    connection.close(200, "done".into()).await.unwrap();
}

/// The event of that number: an order of its own, the first of it.
pub(crate) fn event(number: i64) -> Event {
    event_of(number, 1, number)
}

/// The event with that place in that order.
pub(crate) fn event_of(order: i64, seq: i64, id: i64) -> Event {
    fixture::paid_event(order, seq, id)
}
