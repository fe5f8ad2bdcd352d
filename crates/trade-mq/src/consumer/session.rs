//! One connection of a consumer, from its subscription to its end.

use std::panic::AssertUnwindSafe;

use futures_util::{FutureExt, StreamExt, future::BoxFuture, stream::FuturesUnordered};
use lapin::{
    message::Delivery,
    options::{BasicAckOptions, BasicConsumeOptions, BasicNackOptions, BasicQosOptions, BasicRejectOptions},
    types::FieldTable,
};
use tokio::sync::watch;
use trade_core::{Backoff, TradeStatusMsg};

use super::{Consumer, Counts, stopped};
use crate::{
    Handled, ListenError, MqError,
    link::{Link, within},
    settings::short,
    wire,
};

/// What becomes of a delivery.
enum Fate {
    Ack,
    Later,
    Reject,
}

/// Deliveries that wait for their delay to be over before they go back.
type Waiting = FuturesUnordered<BoxFuture<'static, Delivery>>;

impl Consumer {
    /// `Ok` once it was told to stop.
    pub(super) async fn session(
        &self,
        stop: &mut watch::Receiver<bool>,
        backoff: &mut Backoff,
        counts: &mut Counts,
    ) -> Result<(), MqError> {
        let subscribed = tokio::select! {
            biased;
            () = stopped(stop) => return Ok(()),
            subscribed = self.subscribe() => subscribed,
        };
        let (link, deliveries) = subscribed?;
        backoff.worked();
        tracing::info!(
            queue = self.settings.queue,
            broker = self.settings.rabbit.broker(),
            "consuming"
        );
        let ended = self.consume(deliveries, stop, counts).await;
        link.close().await;
        ended
    }

    async fn subscribe(&self) -> Result<(Link, lapin::Consumer), MqError> {
        let settings = &self.settings;
        let limit = settings.rabbit.confirm_timeout;
        let link = Link::open(&settings.rabbit).await?;
        let prefetch = link
            .channel
            .basic_qos(settings.prefetch, BasicQosOptions::default());
        within(limit, "set the prefetch", prefetch).await?;
        let consume = link.channel.basic_consume(
            short("queue", &settings.queue)?,
            "".into(),
            BasicConsumeOptions::default(),
            FieldTable::default(),
        );
        let deliveries = within(limit, "subscribed to the queue", consume).await?;
        Ok((link, deliveries))
    }

    async fn consume(
        &self,
        mut deliveries: lapin::Consumer,
        stop: &mut watch::Receiver<bool>,
        counts: &mut Counts,
    ) -> Result<(), MqError> {
        let mut waiting = Waiting::new();
        loop {
            tokio::select! {
                biased;
                () = stopped(stop) => return Ok(()),
                Some(delivery) = waiting.next() => self.give_back(&delivery).await?,
                next = deliveries.next() => match next {
                    Some(Ok(delivery)) => self.settle(delivery, counts, &mut waiting).await?,
                    Some(Err(source)) => return Err(MqError::broken("consumed", source)),
                    None => return Err(MqError::Cancelled { queue: self.settings.queue.clone() }),
                },
            }
        }
    }

    async fn settle(
        &self,
        delivery: Delivery,
        counts: &mut Counts,
        waiting: &mut Waiting,
    ) -> Result<(), MqError> {
        match self.handle(&delivery, counts).await {
            Fate::Ack => {
                counts.forget(&delivery);
                let ack = delivery.acker.ack(BasicAckOptions::default());
                self.answered("acknowledged a message", ack).await
            }
            Fate::Reject => {
                counts.forget(&delivery);
                let reject = delivery.acker.reject(BasicRejectOptions { requeue: false });
                self.answered("rejected a message", reject).await
            }
            Fate::Later => {
                let (clock, delay) = (self.clock.clone(), self.settings.retry_delay);
                waiting.push(Box::pin(async move {
                    clock.sleep(delay).await;
                    delivery
                }));
                Ok(())
            }
        }
    }

    async fn give_back(&self, delivery: &Delivery) -> Result<(), MqError> {
        let nack = delivery.acker.nack(BasicNackOptions {
            requeue: true,
            ..BasicNackOptions::default()
        });
        self.answered("gave a message back", nack).await
    }

    async fn answered(
        &self,
        doing: &'static str,
        answer: impl Future<Output = lapin::Result<bool>>,
    ) -> Result<(), MqError> {
        let sent = within(self.settings.rabbit.confirm_timeout, doing, answer).await?;
        if !sent {
            // The channel is gone, and the broker has the message back. The stream of deliveries says why.
            tracing::debug!(doing, "the channel was gone");
        }
        Ok(())
    }

    async fn handle(&self, delivery: &Delivery, counts: &mut Counts) -> Fate {
        let messages = match wire::parse(&delivery.data) {
            Ok(messages) => messages,
            Err(error) => {
                tracing::error!(
                    queue = self.settings.queue,
                    message_id = id(delivery),
                    bytes = delivery.data.len(),
                    %error,
                    "a message could not be read and is dead-lettered; look who else publishes to the exchange"
                );
                return Fate::Reject;
            }
        };
        for message in &messages {
            if !self.settings.apps.contains(&message.product_app_id) {
                continue;
            }
            match self.ask(message).await {
                Ok(handled) => tracing::debug!(
                    event_id = message.event_id.map(trade_core::EventId::get),
                    ?handled,
                    "message handled"
                ),
                Err(error) => return self.fate_of_failed(delivery, message, &error, counts),
            }
        }
        Fate::Ack
    }

    /// Asks the listener. A panic is its failure: it must not end the consumer unseen.
    async fn ask(&self, message: &TradeStatusMsg) -> Result<Handled, ListenError> {
        AssertUnwindSafe(self.listener.on_message(message))
            .catch_unwind()
            .await
            .unwrap_or_else(|_payload| {
                Err(ListenError::retry(
                    "the listener panicked; its message is on stderr",
                ))
            })
    }

    fn fate_of_failed(
        &self,
        delivery: &Delivery,
        message: &TradeStatusMsg,
        error: &ListenError,
        counts: &mut Counts,
    ) -> Fate {
        let deliveries = counts.failed(delivery);
        let queue = self.settings.queue.as_str();
        let event_id = message.event_id.map(trade_core::EventId::get);
        let trading_order_no = message.trading_order_no.get();
        let reason = in_full(error);
        if error.is_worth_a_retry() && deliveries < self.settings.max_deliveries {
            tracing::warn!(queue, event_id, trading_order_no, deliveries, %reason, "message not handled, again later");
            return Fate::Later;
        }
        tracing::error!(
            queue, event_id, trading_order_no, deliveries, %reason,
            "message given up and dead-lettered: mend the cause, then move it back from the dead-letter queue"
        );
        Fate::Reject
    }
}

fn id(delivery: &Delivery) -> Option<&str> {
    delivery
        .properties
        .message_id()
        .as_ref()
        .map(lapin::types::ShortString::as_str)
}

/// The error with its causes.
fn in_full(error: &ListenError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
