//! Hearing of payments and refunds: from the broker, or from the trade server's stream where there is none.

mod broker;
mod stream;

use async_trait::async_trait;
use tokio::{sync::watch, task::JoinSet};
use trade_core::TradeStatusMsg;
use trade_mq::{Handled, ListenError, Listener};

use crate::{
    service::{Orders, StartError},
    store::inbox::{Applied, Gap},
};

/// Starts listening; it ends when `stop` turns true.
pub(crate) fn start(
    orders: &Orders,
    stop: &watch::Receiver<bool>,
    tasks: &mut JoinSet<()>,
) -> Result<(), StartError> {
    match &orders.settings.broker {
        Some(broker) => {
            let heard = broker::Heard::new(orders, broker)?;
            tasks.spawn(heard.run(stop.clone()));
        }
        None => {
            tasks.spawn(stream::run(orders.clone(), stop.clone()));
        }
    }
    Ok(())
}

/// This system's side of a message.
#[derive(Debug, Clone)]
struct Ear {
    orders: Orders,
    gap: Gap,
}

#[async_trait]
impl Listener for Ear {
    async fn on_message(&self, message: &TradeStatusMsg) -> Result<Handled, ListenError> {
        // Every bound queue gets every message.
        if message.product_app_id != self.orders.settings.product_app_id {
            return Ok(Handled::Skipped);
        }
        let id = message.product_order_no.get();
        let applied = self
            .orders
            .store
            .apply(message, self.gap, self.orders.now())
            .await;
        let applied = applied.map_err(|error| ListenError::retry("the database failed").because(error))?;
        match applied {
            Applied::Changed => {
                self.orders.tell();
                Ok(Handled::Applied)
            }
            Applied::Late => {
                tracing::warn!(
                    order = id,
                    "a cancelled order was paid after all: the money goes back"
                );
                self.orders.tell();
                self.orders.refund_soon(id);
                Ok(Handled::Applied)
            }
            Applied::Nothing | Applied::Before => Ok(Handled::Skipped),
            Applied::Early => Err(ListenError::retry(format!(
                "an earlier event of order {id} has not come yet"
            ))),
            Applied::NoOrder => Err(ListenError::reject(format!("there is no order {id} here"))),
            Applied::Contradiction => Err(ListenError::reject(format!(
                "it contradicts what is known of order {id}: compare its tradings and refunds"
            ))),
        }
    }
}
