//! What the order system does. No remote call happens inside a database transaction: each function asks
//! first and writes then, or writes first and asks then.

pub(crate) mod cancel;
pub(crate) mod pay;
pub(crate) mod place;
pub(crate) mod refund;
pub(crate) mod step;

use std::sync::Arc;

use tokio::sync::watch;
use trade_core::{Timestamp, port::Clock};

use crate::{
    error::OrderError,
    number::OrderNumbers,
    remote::{Dependency, Remote},
    settings::Settings,
    store::{Store, table::Order},
    trade::TradeClient,
};

/// The order system. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Orders(Arc<Parts>);

#[derive(Debug)]
pub(crate) struct Parts {
    pub(crate) settings: Settings,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) store: Store,
    pub(crate) numbers: OrderNumbers,
    pub(crate) customer: Remote,
    pub(crate) foundations: Remote,
    pub(crate) trade: TradeClient,
    /// Counts the changes of this process, so that pages are told at once.
    changed: watch::Sender<u64>,
}

impl std::ops::Deref for Orders {
    type Target = Parts;

    fn deref(&self) -> &Parts {
        &self.0
    }
}

impl Orders {
    /// Connects to everything.
    pub(crate) async fn start(settings: Settings, clock: Arc<dyn Clock>) -> Result<Self, StartError> {
        let store = Store::open(settings.database_url.expose(), settings.connections)
            .await
            .map_err(StartError::Database)?;
        let numbers = OrderNumbers::start(settings.redis.as_ref(), store.clone(), clock.now()).await;
        let remote = |dependency, base: &str| {
            Remote::new(dependency, base, settings.remote_timeout, Arc::clone(&clock))
                .map_err(StartError::Http)
        };
        Ok(Self(Arc::new(Parts {
            numbers: numbers.map_err(|error| StartError::Numbers(error.to_string()))?,
            customer: remote(Dependency::Customer, &settings.customer_url)?,
            foundations: remote(Dependency::Foundations, &settings.foundations_url)?,
            trade: TradeClient::new(&settings).map_err(StartError::Http)?,
            changed: watch::Sender::new(0),
            store,
            clock,
            settings,
        })))
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// Tells the pages that something has changed.
    pub(crate) fn tell(&self) {
        self.changed.send_modify(|count| *count = count.wrapping_add(1));
    }

    /// Hears of every change from now on.
    pub(crate) fn changes(&self) -> watch::Receiver<u64> {
        self.changed.subscribe()
    }

    /// An order, whoever's it is.
    pub(crate) async fn any_order(&self, id: i64) -> Result<Order, OrderError> {
        self.store.order(id).await?.ok_or(OrderError::NoSuchOrder(id))
    }

    /// An order of this customer.
    pub(crate) async fn order_of(&self, user_id: i64, id: i64) -> Result<Order, OrderError> {
        let order = self.any_order(id).await?;
        if order.user_id == user_id {
            Ok(order)
        } else {
            Err(OrderError::NotYours(id))
        }
    }
}

/// Why the order system does not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database.
    #[error("the database cannot be used: is its URL right, does it run, and may we write?")]
    Database(#[source] sea_orm::DbErr),
    /// The counter of order numbers.
    #[error("order numbers cannot be counted: {0}")]
    Numbers(String),
    /// An HTTP client.
    #[error("no HTTP client could be made")]
    Http(#[source] reqwest::Error),
    /// The broker's settings.
    #[error("the broker's settings cannot work")]
    Broker(#[from] trade_mq::MqError),
    /// The address cannot be listened on.
    #[error("cannot listen: is another server running there?")]
    Listen(#[source] std::io::Error),
}
