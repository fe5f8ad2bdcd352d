//! The configuration: TOML file plus environment, read once, every wrong or missing key named.

mod admin;
mod fault;
mod jobs;
mod live;
mod log;
mod merchant;
mod redis;
mod server;
mod store;
mod webhook;

use std::path::Path;

use config::{Config, ConfigBuilder, Environment, File, FileFormat, builder::DefaultState};
use serde::Deserialize;

pub use admin::Admin;
pub use jobs::Jobs;
pub use log::{Log, LogFormat};
pub use merchant::{AlipayKeys, AlipayMerchant, Merchant, WechatKeys, WechatMerchant};
pub use redis::Redis;
pub use server::{Rabbitmq, Server};
pub use store::Store;
pub use webhook::Webhook;

use crate::qr::QrOptions;

/// Environment variables override the file: `TRADE__SERVER__LISTEN=0.0.0.0:80`.
const ENV_PREFIX: &str = "TRADE";

/// Everything the server is told.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Settings {
    /// Where it listens.
    #[serde(default)]
    pub server: Server,
    /// What is logged, and how.
    #[serde(default)]
    pub log: Log,
    /// Where it keeps things.
    #[serde(default)]
    pub store: Store,
    /// The broker that events are announced to, if any.
    #[serde(default)]
    pub rabbitmq: Option<Rabbitmq>,
    /// The receivers that events are sent to over HTTP, if any.
    #[serde(default, rename = "webhook")]
    pub webhooks: Vec<Webhook>,
    /// What several instances share, if anything.
    #[serde(default)]
    pub redis: Option<Redis>,
    /// What runs by the clock.
    #[serde(default)]
    pub jobs: Jobs,
    /// Who may do what operators do.
    #[serde(default)]
    pub admin: Admin,
    /// How codes are drawn.
    #[serde(default)]
    pub qr: QrOptions,
    /// The merchants and their channels.
    #[serde(default, rename = "merchant")]
    pub merchants: Vec<Merchant>,
}

/// Why the server does not start.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The file or an environment variable cannot be read as settings.
    #[error("the configuration is wrong: {0}")]
    Read(String),
    /// One or more keys have wrong values; all of them are listed.
    #[error("the configuration is wrong:\n  {}", .0.join("\n  "))]
    Values(Vec<String>),
}

impl Settings {
    /// Reads the file (if one is given) and the environment.
    ///
    /// # Errors
    /// The file is missing or no TOML, a key is unknown, missing or has a wrong type or value; named.
    pub fn load(file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut builder = Config::builder();
        if let Some(file) = file {
            builder = builder.add_source(File::from(file).format(FileFormat::Toml));
        }
        let environment = Environment::with_prefix(ENV_PREFIX)
            .prefix_separator("__")
            .separator("__")
            .try_parsing(true);
        Self::read(builder.add_source(environment))?.checked(file)
    }

    /// Reads settings from TOML text, without the environment.
    ///
    /// # Errors
    /// As [`Settings::load`].
    pub fn from_toml(text: &str) -> Result<Self, ConfigError> {
        let source = File::from_str(text, FileFormat::Toml);
        Self::read(Config::builder().add_source(source))?.checked(None)
    }

    fn read(builder: ConfigBuilder<DefaultState>) -> Result<Self, ConfigError> {
        let read = builder.build().and_then(Config::try_deserialize);
        read.map_err(|error| ConfigError::Read(fault::describe(&error)))
    }

    fn checked(self, file: Option<&Path>) -> Result<Self, ConfigError> {
        let mut wrong = Vec::new();
        if self.merchants.is_empty() {
            wrong.push(
                "merchant: at least one [[merchant]] is needed; `trade sandbox --export DIR` writes a sample"
                    .into(),
            );
        }
        if !(120..=2000).contains(&self.qr.size) {
            wrong.push(format!("qr.size: {} is out of range, 120 to 2000", self.qr.size));
        }
        if self.qr.margin > 20 {
            wrong.push(format!("qr.margin: {} is out of range, 0 to 20", self.qr.margin));
        }
        let mut seen = std::collections::BTreeSet::new();
        for (index, merchant) in self.merchants.iter().enumerate() {
            merchant.check(&format!("merchant[{index}]"), &mut wrong);
            if !seen.insert(merchant.enterprise_id) {
                wrong.push(format!(
                    "merchant[{index}].enterprise_id: {} is there twice",
                    merchant.enterprise_id
                ));
            }
        }
        self.server.check(&mut wrong);
        self.log.check(&mut wrong);
        self.store.check(&mut wrong);
        if let Some(rabbitmq) = &self.rabbitmq {
            rabbitmq.check(&mut wrong);
        }
        for (index, webhook) in self.webhooks.iter().enumerate() {
            webhook.check(&format!("webhook[{index}]"), &mut wrong);
        }
        if let Some(redis) = &self.redis {
            redis.check(&self.server, &mut wrong);
        }
        self.jobs.check(&mut wrong);
        self.admin.check(&mut wrong);
        live::check(&self, file, &mut wrong);
        if wrong.is_empty() {
            Ok(self)
        } else {
            Err(ConfigError::Values(wrong))
        }
    }
}

/// What a `ca_file` holds.
fn authority(file: Option<&Path>) -> Result<Option<String>, String> {
    file.map(std::fs::read_to_string).transpose().map_err(|error| {
        let file = file.unwrap_or(Path::new("")).display();
        format!("ca_file: {file} cannot be read: {error}")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn error_of(toml: &str) -> String {
        Settings::from_toml(toml).unwrap_err().to_string()
    }

    const GOOD: &str = r#"
        [[merchant]]
        enterprise_id = 1001
        [merchant.alipay]
        app_id = "2021000000000000"
        private_key = "k"
        alipay_public_key = "k"
        notify_url = "https://pay.example.com/trade/open/notify/alipay/1001"
        gateway_url = "http://127.0.0.1:1/gateway.do"
    "#;

    #[test]
    fn what_is_missing_wrong_or_unknown_is_named() {
        assert!(Settings::from_toml(GOOD).is_ok());
        assert!(error_of("").contains("merchant"));
        assert!(error_of("[server]\nlisen = 1").contains("lisen"));
        assert!(error_of(&format!("{GOOD}\n[server]\nlisten = \"nowhere\"")).contains("server.listen"));
        assert!(error_of(&format!("{GOOD}\n[store]\nconnections = 1")).contains("store.connections"));
        assert!(error_of(&format!("{GOOD}\n[rabbitmq]\nurl = \"http://broker\"")).contains("rabbitmq"));
        let webhook = format!("{GOOD}\n[[webhook]]\nurl = \"ftp://x\"\nsecret = \"s3cret\"");
        let wrong = error_of(&webhook);
        assert!(wrong.contains("webhook[0].url: ") && wrong.contains("webhook[0].secret: "));
        assert!(!wrong.contains("s3cret"));
        let redis = |url: &str| error_of(&format!("{GOOD}\n[redis]\nurl = \"{url}\""));
        assert!(redis("http://:s3cret@cache").contains("redis.url: must look like redis://"));
        assert!(!redis("redis://:s3cret@cache/x").contains("s3cret"));
        for section in [
            "rabbitmq]\nurl = \"amqps://broker\"",
            "redis]\nurl = \"rediss://cache\"",
        ] {
            let with = |file: &str| error_of(&format!("{GOOD}\n[{section}\nca_file = \"{file}\""));
            assert!(with("/no/such/file").contains("ca_file: /no/such/file cannot be read"));
            assert!(with("Cargo.toml").contains("has no certificate in PEM"));
        }
        let node = format!("[server]\nnode = 600\n{GOOD}\n[redis]\nurl = \"redis://cache\"");
        assert!(error_of(&node).contains("server.node: 600 is leased out by Redis"));
        assert!(Settings::from_toml(&node.replace("600", "511")).is_ok());
        assert!(error_of(&format!("{GOOD}\n[qr]\nsize = 10")).contains("qr.size"));
        for setting in [
            "keep_days",
            "batch",
            "ask_first_secs",
            "ask_at_least_every_secs",
            "give_up_hours",
        ] {
            let wrong = error_of(&format!("{GOOD}\n[jobs]\n{setting} = 0"));
            assert!(wrong.contains(&format!("jobs.{setting}: 0")), "{wrong}");
        }
        for level in ["loud", "", "info,loud", "trade_core=loud"] {
            let error = error_of(&format!("{GOOD}\n[log]\nlevel = \"{level}\""));
            assert!(error.contains("log.level"), "{level}: {error}");
        }
        assert!(error_of(&format!("{GOOD}\n[log]\nformat = \"xml\"")).contains("log.format"));
        assert!(Settings::from_toml(&format!("{GOOD}\n[log]\nlevel = \"warn,trade_core=debug\"")).is_ok());
        assert!(error_of(&format!("{GOOD}\n[qr]\nfore_color = \"red\"")).contains("#rrggbb"));
        assert!(error_of(&GOOD.replace("app_id", "appid")).contains("appid"));
        assert!(error_of(&GOOD.replace("1001\n", "0\n")).contains("enterprise_id"));
        assert!(error_of(&format!("{GOOD}{GOOD}")).contains("twice"));
        let both = GOOD.replace("alipay_public_key = \"k\"", "");
        assert!(error_of(&both).contains("alipay_public_key"));
        let several = error_of(&format!(
            "{}\n[qr]\nsize = 1\nmargin = 99",
            GOOD.replace("1001\n", "0\n")
        ));
        assert!(
            several.contains("enterprise_id") && several.contains("qr.size") && several.contains("qr.margin")
        );
    }

    #[test]
    fn a_number_out_of_its_range_is_named_with_the_range() {
        for (setting, value, range) in [
            ("server.drain_secs", "301", "0 to 300"),
            ("server.shutdown_secs", "0", "1 to 300"),
            ("server.shutdown_secs", "301", "1 to 300"),
            ("server.pay_within_mins", "0", "1 to 7200"),
            ("jobs.relay_events_ms", "60001", "10 to 60000"),
            ("jobs.prune_ms", "9", "10 to 3600000"),
            ("jobs.prune_ms", "3600001", "10 to 3600000"),
        ] {
            let (section, key) = setting.split_once('.').unwrap();
            let error = error_of(&format!("{GOOD}\n[{section}]\n{key} = {value}"));
            let told = format!("{setting}: {value} is out of range, {range}");
            assert!(error.contains(&told), "{error}");
        }
        let most = "[server]\nshutdown_secs = 300\n[jobs]\nprune_ms = 3600000";
        assert!(Settings::from_toml(&format!("{GOOD}\n{most}")).is_ok());
    }

    #[test]
    fn what_cannot_be_read_is_not_quoted() {
        let syntax = error_of(&GOOD.replace("\"k\"", "\"canary\"x"));
        assert!(
            syntax.contains("line 6") && !syntax.contains("canary"),
            "{syntax}"
        );
        let place = error_of("[server]\nnode = \"canary\"");
        assert!(
            place.contains("server.node") && !place.contains("canary"),
            "{place}"
        );
    }

    #[test]
    fn no_secret_is_printed() {
        let settings = Settings::from_toml(&GOOD.replace("\"k\"", "\"canary-secret\"")).unwrap();
        let shown = format!("{settings:?}");
        assert!(!shown.contains("private_key: \"canary"), "{shown}");
        assert!(shown.contains("Secret(redacted)"));
    }
}
