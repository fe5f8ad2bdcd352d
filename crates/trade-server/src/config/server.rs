//! Where the server listens, and where it announces.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;
use trade_core::Secret;
use trade_mq::RabbitSettings;

use super::authority;

/// `[server]`
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Server {
    /// Address and port, such as `0.0.0.0:11505`.
    pub listen: String,
    /// The number of this instance, 0 to 1023, and 0 unless given; each running instance needs its own. With
    /// `[redis]`, 0 to 511: a node is leased then, and this one serves while Redis is away.
    pub node: Option<i64>,
    /// How long it goes on serving after SIGTERM while it says that it is not ready, in seconds, 0 to 300: so
    /// long a load balancer needs to notice.
    pub drain_secs: u64,
    /// How long running requests may take to finish after that, in seconds, 1 to 300.
    pub shutdown_secs: u64,
    /// How long a payer has to pay, in minutes: 1 to 7200.
    pub pay_within_mins: u64,
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
    /// A PEM file with an authority of one's own for `amqps://`, trusted beside those of the machine.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

fn exchange() -> String {
    trade_mq::EXCHANGE.to_owned()
}

const fn yes() -> bool {
    true
}

impl Rabbitmq {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        match self.settings() {
            Err(fault) => wrong.push(format!("rabbitmq.{fault}")),
            Ok(settings) => {
                if let Err(error) = settings.check() {
                    wrong.push(format!("rabbitmq: {error}"));
                }
            }
        }
    }

    /// The same for the sink.
    ///
    /// # Errors
    /// The file of the authority cannot be read.
    pub fn settings(&self) -> Result<RabbitSettings, String> {
        Ok(RabbitSettings {
            exchange: self.exchange.clone(),
            declare: self.declare,
            ca_pem: authority(self.ca_file.as_deref())?,
            ..RabbitSettings::new(self.url.expose())
        })
    }
}

impl Default for Server {
    fn default() -> Self {
        Self {
            listen: "127.0.0.1:11505".into(),
            node: None,
            drain_secs: 3,
            shutdown_secs: 25,
            pay_within_mins: 20,
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
        if let Some(node) = self.node.filter(|node| !(0..1024).contains(node)) {
            wrong.push(format!("server.node: {node} is out of range, 0 to 1023"));
        }
        let rules = [
            ("drain_secs", self.drain_secs, 0, 300),
            ("shutdown_secs", self.shutdown_secs, 1, 300),
            ("pay_within_mins", self.pay_within_mins, 1, 7200),
        ];
        for (name, value, least, most) in rules {
            if !(least..=most).contains(&value) {
                wrong.push(format!(
                    "server.{name}: {value} is out of range, {least} to {most}"
                ));
            }
        }
    }

    /// How long a payer has to pay.
    #[must_use]
    pub fn pay_within(&self) -> Duration {
        Duration::from_secs(self.pay_within_mins.saturating_mul(60))
    }
}
