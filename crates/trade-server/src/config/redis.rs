//! What several instances share besides the database.

use std::path::PathBuf;

use serde::Deserialize;
use trade_core::Secret;
use trade_redis::{LeaseSettings, RedisError, RedisSettings};

use super::{Server, authority};

/// `[redis]`: a lock, and who has which node.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Redis {
    /// `redis://user:password@host:6379/0`, or `rediss://`. A secret, since it may hold a password.
    pub url: Secret,
    /// What every key starts with; `trade` unless given. The instances of one database share it.
    #[serde(default)]
    pub prefix: Option<String>,
    /// A PEM file with an authority of one's own for `rediss://`, trusted in the place of those of the machine.
    #[serde(default)]
    pub ca_file: Option<PathBuf>,
}

impl Redis {
    pub(super) fn check(&self, server: &Server, wrong: &mut Vec<String>) {
        match self.settings() {
            Err(fault) => wrong.push(format!("redis.{fault}")),
            Ok(settings) => match settings.check() {
                Err(RedisError::Settings { field, rule }) => wrong.push(format!("redis.{field}: {rule}")),
                Err(error) => wrong.push(format!("redis: {error}")),
                Ok(()) => {}
            },
        }
        let leased = LeaseSettings::NODES;
        if let Some(node) = server.node.filter(|node| leased.contains(node)) {
            wrong.push(format!(
                "server.node: {node} is leased out by Redis, as all from {} to {} are; take a lower one, or none",
                leased.start(),
                leased.end()
            ));
        }
    }

    /// The same for the connection.
    ///
    /// # Errors
    /// The file of the authority cannot be read.
    pub fn settings(&self) -> Result<RedisSettings, String> {
        let usual = RedisSettings::new(self.url.expose());
        Ok(RedisSettings {
            prefix: self.prefix.clone().unwrap_or(usual.prefix),
            ca_pem: authority(self.ca_file.as_deref())?,
            ..usual
        })
    }
}
