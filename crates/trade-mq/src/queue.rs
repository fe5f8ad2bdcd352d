//! Queues for those who listen.

use lapin::{
    ExchangeKind,
    options::{ExchangeDeclareOptions, QueueBindOptions, QueueDeclareOptions},
    types::{AMQPValue, FieldTable},
};
use trade_core::RoutingKey;

use crate::{
    MqError, RabbitSettings,
    link::{Link, within},
    settings::short,
};

/// Where messages go that a listener cannot handle, for a person to look at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DeadLetter {
    /// A durable direct exchange; queues may share it.
    pub exchange: String,
    /// A durable queue, bound to the exchange under its own name.
    pub queue: String,
}

impl DeadLetter {
    /// The usual names for a queue: `{queue}.dlx` and `{queue}.dead`.
    #[must_use]
    pub fn of(queue: &str) -> Self {
        Self {
            exchange: format!("{queue}.dlx"),
            queue: format!("{queue}.dead"),
        }
    }
}

/// Declares the exchange of the settings and a durable queue bound to it with `keys`, over a connection of its own.
///
/// Repeating it changes nothing. Without `dead_letter`, what a consumer gives up is lost, unless a policy of
/// the broker says otherwise. Nothing is ever deleted or unbound: a key taken out of `keys` stays bound.
///
/// # Errors
/// No connection, no permission, or something of that name exists with other arguments.
pub async fn declare_queue(
    settings: &RabbitSettings,
    queue: &str,
    keys: &[RoutingKey],
    dead_letter: Option<&DeadLetter>,
) -> Result<(), MqError> {
    settings.check()?;
    let link = Link::open(settings).await?;
    let declared = declare(&link, settings, queue, keys, dead_letter).await;
    link.close().await;
    declared
}

async fn declare(
    link: &Link,
    settings: &RabbitSettings,
    queue: &str,
    keys: &[RoutingKey],
    dead_letter: Option<&DeadLetter>,
) -> Result<(), MqError> {
    let mut arguments = FieldTable::default();
    if let Some(dead_letter) = dead_letter {
        declare_dead_letter(link, settings, dead_letter).await?;
        let mut text = |name: &str, value: &str| {
            arguments.insert(name.into(), AMQPValue::LongString(value.into()));
        };
        text("x-dead-letter-exchange", &dead_letter.exchange);
        text("x-dead-letter-routing-key", &dead_letter.queue);
    }
    link.declare_exchange(settings).await?;
    declare_durable(link, settings, queue, arguments).await?;
    for key in keys {
        bind(link, settings, queue, &settings.exchange, key.code()).await?;
    }
    Ok(())
}

async fn declare_dead_letter(
    link: &Link,
    settings: &RabbitSettings,
    dead_letter: &DeadLetter,
) -> Result<(), MqError> {
    let exchange = short("dead_letter.exchange", &dead_letter.exchange)?;
    let durable = ExchangeDeclareOptions {
        durable: true,
        ..ExchangeDeclareOptions::default()
    };
    let declared =
        link.channel
            .exchange_declare(exchange, ExchangeKind::Direct, durable, FieldTable::default());
    within(
        settings.confirm_timeout,
        "declared the dead-letter exchange",
        declared,
    )
    .await?;
    declare_durable(link, settings, &dead_letter.queue, FieldTable::default()).await?;
    bind(
        link,
        settings,
        &dead_letter.queue,
        &dead_letter.exchange,
        &dead_letter.queue,
    )
    .await
}

async fn declare_durable(
    link: &Link,
    settings: &RabbitSettings,
    queue: &str,
    arguments: FieldTable,
) -> Result<(), MqError> {
    let queue = short("queue", queue)?;
    let declared = link
        .channel
        .queue_declare(queue, QueueDeclareOptions::durable(), arguments);
    within(settings.confirm_timeout, "declared the queue", declared).await?;
    Ok(())
}

async fn bind(
    link: &Link,
    settings: &RabbitSettings,
    queue: &str,
    exchange: &str,
    key: &str,
) -> Result<(), MqError> {
    let bound = link.channel.queue_bind(
        short("queue", queue)?,
        short("exchange", exchange)?,
        short("routing key", key)?,
        QueueBindOptions::default(),
        FieldTable::default(),
    );
    within(settings.confirm_timeout, "bound the queue", bound).await
}
