//! What the order system is told.

use std::time::Duration;

use trade_core::{EnterpriseId, InvalidId, ProductAppId, Secret};

/// Everything the order system is told.
#[derive(Debug, Clone)]
pub struct Settings {
    /// `sqlite://orders.db`, `postgres://…` or `mysql://…`. A secret, since it may hold a password.
    pub database_url: Secret,
    /// The most connections to the database.
    pub connections: u32,
    /// `redis://…`: order numbers are counted there; without it, in the database.
    pub redis: Option<Redis>,
    /// Where events are heard; without it, from the trade server's stream.
    pub broker: Option<Broker>,
    /// The trade server, such as `http://127.0.0.1:11505`.
    pub trade_url: String,
    /// The service `customer`.
    pub customer_url: String,
    /// The service `foundations`.
    pub foundations_url: String,
    /// The merchant that is paid.
    pub enterprise_id: EnterpriseId,
    /// What this order system is called at the trade server.
    pub product_app_id: ProductAppId,
    /// How long a customer has to pay.
    pub pay_within: Duration,
    /// How often the jobs run.
    pub job_interval: Duration,
    /// How long `customer` and `foundations` may take to answer.
    pub remote_timeout: Duration,
    /// Whether a finished order waits for an evaluation (400) before it is 500.
    pub evaluations: bool,
    /// Whether visitors may choose who they are. For trying out: otherwise only the gateway in front says
    /// who somebody is, by the header `X-User-Id`.
    pub demo_users: bool,
}

/// Where order numbers are counted.
#[derive(Debug, Clone)]
pub struct Redis {
    /// `redis://…`
    pub url: Secret,
    /// The key of the counter.
    pub key: String,
}

/// Where events are heard.
#[derive(Debug, Clone)]
pub struct Broker {
    /// `amqp://user:password@host:5672/%2f`
    pub url: Secret,
    /// The topic exchange of the trade server.
    pub exchange: String,
    /// The queue of this order system.
    pub queue: String,
}

impl Redis {
    /// The platform's key.
    pub const KEY: &'static str = "ORDERS:SHARD_KEY:GENERATOR";
}

impl Settings {
    /// The usual settings, with services at the given addresses.
    ///
    /// # Errors
    /// Never in practice: the names in it are valid.
    pub fn new(
        database_url: impl Into<String>,
        trade_url: &str,
        customer_url: &str,
        foundations_url: &str,
    ) -> Result<Self, InvalidId> {
        Ok(Self {
            database_url: Secret::new(database_url),
            connections: 16,
            redis: None,
            broker: None,
            trade_url: trade_url.to_owned(),
            customer_url: customer_url.to_owned(),
            foundations_url: foundations_url.to_owned(),
            enterprise_id: EnterpriseId::new(1001)?,
            product_app_id: ProductAppId::new("jzo2o.orders")?,
            pay_within: Duration::from_secs(15 * 60),
            job_interval: Duration::from_secs(1),
            remote_timeout: Duration::from_secs(2),
            evaluations: false,
            demo_users: false,
        })
    }
}
