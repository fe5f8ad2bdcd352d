//! Events to and from RabbitMQ.
//!
//! On the payment side, [`RabbitSink`] is the [`EventSink`](trade_core::port::EventSink) of a server with a broker.
//! On the side of an order system, a [`Consumer`] hands the messages to a [`Listener`]:
//!
//! ```no_run
//! use std::sync::Arc;
//!
//! use async_trait::async_trait;
//! use tokio::sync::watch;
//! use trade_core::{ProductAppId, RoutingKey, SystemClock, TradeStatusMsg};
//! use trade_mq::{
//!     Consumer, ConsumerSettings, DeadLetter, Handled, ListenError, Listener, ORDERS_QUEUE, RabbitSettings,
//!     declare_queue,
//! };
//!
//! struct Orders;
//!
//! #[async_trait]
//! impl Listener for Orders {
//!     async fn on_message(&self, message: &TradeStatusMsg) -> Result<Handled, ListenError> {
//!         // Inbox, order and effect in one transaction: see `judge`.
//!         println!("order {} is now {}", message.product_order_no, message.status_name);
//!         Ok(Handled::Applied)
//!     }
//! }
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let rabbit = RabbitSettings::new("amqp://guest:guest@127.0.0.1:5672/%2f");
//! let keys = [RoutingKey::UpdateStatus, RoutingKey::RefundUpdateStatus];
//! declare_queue(&rabbit, ORDERS_QUEUE, &keys, Some(&DeadLetter::of(ORDERS_QUEUE))).await?;
//!
//! let settings = ConsumerSettings::new(rabbit, ORDERS_QUEUE, [ProductAppId::new("jzo2o.orders")?]);
//! let consumer = Consumer::new(settings, Arc::new(Orders), Arc::new(SystemClock::new()))?;
//! let (stop, signal) = watch::channel(false);
//! let running = tokio::spawn(async move { consumer.run(signal).await });
//! // … until the process is told to end:
//! stop.send(true)?;
//! running.await?;
//! # Ok(())
//! # }
//! ```
//!
//! What travels: one event a message, persistent, to the durable topic exchange [`EXCHANGE`] under
//! `UPDATE_STATUS` or `REFUND_UPDATE_STATUS`. The body is a JSON array of one
//! [`TradeStatusMsg`](trade_core::TradeStatusMsg). `message_id` and the header `eventId` are the event's id; the
//! headers `seq` and `occurredAt` (epoch milliseconds) repeat what the body says. Headers are 64-bit integers.
//!
//! Delivery is at least once. The sink counts an event as announced only when the broker has confirmed it *and*
//! had a queue for it; [`judge`] tells a consumer what to do with what comes twice or late.

mod consumer;
mod error;
mod link;
mod listener;
mod pool;
mod queue;
mod sequence;
mod settings;
mod sink;
mod wire;

pub use consumer::{Consumer, ConsumerSettings};
pub use error::MqError;
pub use listener::{Handled, ListenError, Listener};
pub use queue::{DeadLetter, declare_queue};
pub use sequence::{Judgement, judge};
pub use settings::{EXCHANGE, ORDERS_QUEUE, RabbitSettings};
pub use sink::RabbitSink;
