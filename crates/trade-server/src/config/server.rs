//! Where the server listens, keeps things, and how often its jobs run.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;
use trade_core::Secret;
use trade_mq::RabbitSettings;

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port, such as `0.0.0.0:11505`.
    pub listen: String,
    /// The number of this instance, 0 to 1023; each running instance needs its own.
    pub node: i64,
    /// How long running requests may take to finish when the server goes down, in seconds.
    pub shutdown_secs: u64,
    /// How long a payer has to pay, in minutes: 1 to 7200.
    pub pay_within_mins: u64,
}

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The SQLite file, when no `url` is given.
    pub path: PathBuf,
    /// A database server: `postgres://user:password@host/database` or `mysql://…`. A secret, since it may
    /// hold a password.
    pub url: Option<Secret>,
    /// The most connections to a database server, 2 to 1000.
    pub connections: u32,
}

/// `[rabbitmq]`: where events are announced besides the stream.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rabbitmq {
    /// `amqp://user:password@host:5672/%2f`, or `amqps://`. A secret, since it may hold a password.
    pub url: Secret,
    /// The topic exchange; the platform's own unless given.
    #[serde(default = "exchange")]
    pub exchange: String,
    /// Whether the exchange is declared when the server connects.
    #[serde(default = "yes")]
    pub declare: bool,
}

fn exchange() -> String {
    trade_mq::EXCHANGE.to_owned()
}

const fn yes() -> bool {
    true
}

impl Rabbitmq {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        if let Err(error) = self.settings().check() {
            wrong.push(format!("rabbitmq: {error}"));
        }
    }

    /// The same for the sink.
    #[must_use]
    pub fn settings(&self) -> RabbitSettings {
        RabbitSettings {
            exchange: self.exchange.clone(),
            declare: self.declare,
            ..RabbitSettings::new(self.url.expose())
        }
    }
}

/// `[jobs]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Jobs {
    /// Whether this instance runs jobs.
    pub enabled: bool,
    /// Milliseconds between two ticks of a job.
    pub interval_ms: u64,
    /// The most rows of one tick.
    pub batch: u32,
    /// How long idempotency keys and the record of channel calls are kept, in days.
    pub keep_days: u64,
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:11505".into(),
            node: 0,
            shutdown_secs: 25,
            pay_within_mins: 20,
        }
    }
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: "trade.db".into(),
            url: None,
            connections: 16,
        }
    }
}

impl Default for Jobs {
    fn default() -> Self {
        Self {
            enabled: true,
            interval_ms: 1000,
            batch: 100,
            keep_days: 30,
        }
    }
}

impl Server {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        if self.listen.parse::<std::net::SocketAddr>().is_err() {
            wrong.push(format!(
                "server.listen: `{}` is no address with port, such as 0.0.0.0:11505",
                self.listen
            ));
        }
        if !(0..1024).contains(&self.node) {
            wrong.push(format!("server.node: {} is out of range, 0 to 1023", self.node));
        }
        if !(1..=7200).contains(&self.pay_within_mins) {
            wrong.push(format!(
                "server.pay_within_mins: {} is out of range, 1 to 7200",
                self.pay_within_mins
            ));
        }
    }

    /// How long a payer has to pay.
    #[must_use]
    pub fn pay_within(&self) -> Duration {
        Duration::from_secs(self.pay_within_mins.saturating_mul(60))
    }
}

impl Store {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        if !(2..=1000).contains(&self.connections) {
            wrong.push(format!(
                "store.connections: {} is out of range, 2 to 1000",
                self.connections
            ));
        }
    }

    /// Where it is, for people: the setting that says so, never a password.
    #[must_use]
    pub fn place(&self) -> String {
        match &self.url {
            Some(_) => "store.url".to_owned(),
            None => self.path.display().to_string(),
        }
    }
}

impl Jobs {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        if !(10..=60_000).contains(&self.interval_ms) {
            wrong.push(format!(
                "jobs.interval_ms: {} is out of range, 10 to 60000",
                self.interval_ms
            ));
        }
        if !(1..=1000).contains(&self.batch) {
            wrong.push(format!("jobs.batch: {} is out of range, 1 to 1000", self.batch));
        }
        if !(1..=3650).contains(&self.keep_days) {
            wrong.push(format!(
                "jobs.keep_days: {} is out of range, 1 to 3650",
                self.keep_days
            ));
        }
    }

    /// How long idempotency keys and the record of channel calls are kept.
    #[must_use]
    pub fn keep(&self) -> Duration {
        Duration::from_secs(self.keep_days.saturating_mul(24 * 3600))
    }
}
