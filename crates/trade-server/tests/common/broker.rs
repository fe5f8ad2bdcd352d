//! An exchange and a queue of one's own at the broker, gone with who had them.

use std::{
    env,
    sync::atomic::{AtomicU64, Ordering},
};

use lapin::{
    Connection, ConnectionProperties,
    options::{ExchangeDeleteOptions, QueueDeleteOptions},
};
use trade_core::RoutingKey;
use trade_mq::{RabbitSettings, declare_queue};

/// Where the broker is; `None` when only what is embedded was asked for.
pub(crate) fn url() -> Option<String> {
    if env::var_os("TRADE_TEST_EMBEDDED").is_some() {
        return None;
    }
    Some(env::var("RABBITMQ_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".into()))
}

#[derive(Debug)]
pub(crate) struct Post {
    pub(crate) settings: RabbitSettings,
    pub(crate) queue: String,
}

impl Post {
    /// Names of its own; nothing is declared yet.
    pub(crate) fn at(url: &str) -> Self {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("trade-test.{}.{count}", std::process::id());
        Self {
            settings: RabbitSettings {
                exchange: format!("{name}.exchange"),
                ..RabbitSettings::new(url)
            },
            queue: format!("{name}.queue"),
        }
    }

    /// Declares the exchange, and the queue for what an order system wants to hear.
    pub(crate) async fn declare(&self) {
        let keys = [RoutingKey::UpdateStatus, RoutingKey::RefundUpdateStatus];
        declare_queue(&self.settings, &self.queue, &keys, None)
            .await
            .unwrap();
    }
}

impl Drop for Post {
    fn drop(&mut self) {
        let (url, exchange) = (self.settings.url.clone(), self.settings.exchange.clone());
        let queue = self.queue.clone();
        // Runs while a failed test unwinds, too; hence a thread, which may wait.
        let _joined = std::thread::spawn(move || {
            let runtime = tokio::runtime::Runtime::new().unwrap();
            runtime.block_on(delete(&url, &exchange, &queue));
        })
        .join();
    }
}

async fn delete(url: &str, exchange: &str, queue: &str) {
    let connection = Connection::connect(url, ConnectionProperties::default())
        .await
        .unwrap();
    let channel = connection.create_channel().await.unwrap();
    let _messages = channel
        .queue_delete(queue.into(), QueueDeleteOptions::default())
        .await;
    let _gone = channel
        .exchange_delete(exchange.into(), ExchangeDeleteOptions::default())
        .await;
    connection.close(200, "done".into()).await.unwrap();
}
