//! Events from RabbitMQ.

use std::{sync::Arc, time::Duration};

use tokio::sync::watch;
use trade_core::RoutingKey;
use trade_mq::{Consumer, ConsumerSettings, DeadLetter, MqError, RabbitSettings, declare_queue};

use super::Ear;
use crate::{service::Orders, settings::Broker, store::inbox::Gap};

const KEYS: [RoutingKey; 2] = [RoutingKey::UpdateStatus, RoutingKey::RefundUpdateStatus];
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// A queue of this order system, with a dead-letter queue beside it.
pub(super) struct Heard {
    rabbit: RabbitSettings,
    queue: String,
    consumer: Consumer,
}

impl Heard {
    pub(super) fn new(orders: &Orders, broker: &Broker) -> Result<Self, MqError> {
        let rabbit = RabbitSettings {
            exchange: broker.exchange.clone(),
            ..RabbitSettings::new(broker.url.expose())
        };
        let apps = [orders.settings.product_app_id.clone()];
        let ear = Ear {
            orders: orders.clone(),
            // Both keys are bound to the queue, so what is missing is on its way.
            gap: Gap::Wait,
        };
        let settings = ConsumerSettings::new(rabbit.clone(), &broker.queue, apps);
        let consumer = Consumer::new(settings, Arc::new(ear), Arc::clone(&orders.clock))?;
        Ok(Self {
            rabbit,
            queue: broker.queue.clone(),
            consumer,
        })
    }

    /// Declares the queue as soon as the broker is there, and consumes until it is told to stop.
    pub(super) async fn run(self, mut stop: watch::Receiver<bool>) {
        let mut wait = FIRST_WAIT;
        let dead_letter = DeadLetter::of(&self.queue);
        while let Err(error) = declare_queue(&self.rabbit, &self.queue, &KEYS, Some(&dead_letter)).await {
            tracing::warn!(queue = self.queue, ?wait, %error, "the queue is not declared, trying again later");
            tokio::select! {
                _ = stop.wait_for(|stop| *stop) => return,
                () = tokio::time::sleep(wait) => {}
            }
            wait = wait.saturating_mul(2).min(LONGEST_WAIT);
        }
        self.consumer.run(stop).await;
    }
}
