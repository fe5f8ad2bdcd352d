//! `trade listen`: a stand-in for an order system's listener.

use std::{path::Path, sync::Arc};

use async_trait::async_trait;
use tokio::sync::watch;
use trade_core::{ProductAppId, RoutingKey, SystemClock, TradeStatusMsg};
use trade_mq::{Consumer, ConsumerSettings, DeadLetter, Handled, ListenError, Listener, declare_queue};

use super::{Failure, show};
use crate::{config::Settings, shutdown::Signals};

const KEYS: [RoutingKey; 2] = [RoutingKey::UpdateStatus, RoutingKey::RefundUpdateStatus];

/// Prints each message as one line of JSON.
struct Print;

#[async_trait]
impl Listener for Print {
    async fn on_message(&self, message: &TradeStatusMsg) -> Result<Handled, ListenError> {
        let line = serde_json::to_string(message)
            .map_err(|error| ListenError::reject("cannot be printed").because(error))?;
        show::line(line);
        Ok(Handled::Applied)
    }
}

pub(super) async fn run(app: &str, queue: &str, config: Option<&Path>) -> Result<(), Failure> {
    let mut signals = Signals::listen()?;
    let settings = Settings::load(config)?;
    let Some(rabbitmq) = &settings.rabbitmq else {
        return Err("rabbitmq.url: is not set, so events go to no broker".into());
    };
    let rabbit = rabbitmq.settings().map_err(|fault| format!("rabbitmq.{fault}"))?;
    declare_queue(&rabbit, queue, &KEYS, Some(&DeadLetter::of(queue))).await?;
    let consumer = ConsumerSettings::new(rabbit, queue, [ProductAppId::new(app)?]);
    let consumer = Consumer::new(consumer, Arc::new(Print), Arc::new(SystemClock::new()))?;
    let (stop, signal) = watch::channel(false);
    let until_told = async {
        signals.next().await;
        stop.send_replace(true);
    };
    tokio::join!(consumer.run(signal), until_told);
    Ok(())
}
