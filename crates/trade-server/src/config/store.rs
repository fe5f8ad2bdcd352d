//! Where the server keeps things, and with how many connections.

use std::{path::PathBuf, time::Duration};

use serde::Deserialize;
use trade_core::Secret;

/// `[store]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Store {
    /// The SQLite file, when no `url` is given.
    pub path: PathBuf,
    /// A database server: `postgres://user:password@host/database` or `mysql://…`. A secret, since it may
    /// hold a password.
    pub url: Option<Secret>,
    /// The most connections to a database server for the requests of order systems, 2 to 1000.
    pub connections: u32,
    /// The most for the channels' notices, 1 to 100: a crowd of requests never keeps them waiting.
    pub notice_connections: u32,
    /// The most for the jobs, 1 to 100.
    pub job_connections: u32,
    /// How long work waits for one of these to be free before it is refused for the moment, in milliseconds,
    /// 50 to 60000. SQLite has one writer, and keeps its own patience.
    pub acquire_timeout_ms: u64,
    /// The most the SQLite file may take, in MiB, 1 to 1048576: a write beyond it fails wholly, before the
    /// disk is full that others need too. As much as the disk holds unless given.
    pub max_mib: Option<u32>,
    /// Whether the server brings the schema up to date when it starts; otherwise `trade migrate` does.
    pub migrate: bool,
}

impl Default for Store {
    fn default() -> Self {
        Self {
            path: "trade.db".into(),
            url: None,
            connections: 16,
            notice_connections: 4,
            job_connections: 4,
            acquire_timeout_ms: 1000,
            max_mib: None,
            migrate: true,
        }
    }
}

impl Store {
    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        let rules = [
            ("connections", u64::from(self.connections), 2, 1000),
            ("notice_connections", u64::from(self.notice_connections), 1, 100),
            ("job_connections", u64::from(self.job_connections), 1, 100),
            ("acquire_timeout_ms", self.acquire_timeout_ms, 50, 60_000),
            ("max_mib", self.max_mib.map_or(1, u64::from), 1, 1024 * 1024),
        ];
        for (name, value, least, most) in rules {
            if !(least..=most).contains(&value) {
                wrong.push(format!(
                    "store.{name}: {value} is out of range, {least} to {most}"
                ));
            }
        }
        if self.url.is_some() && self.max_mib.is_some() {
            wrong.push("store.max_mib: is for a SQLite file alone: leave out store.url, or this".into());
        }
    }

    /// How to connect to a database server with so many connections.
    #[must_use]
    pub fn pool(&self, connections: u32) -> trade_store::Settings {
        trade_store::Settings {
            connections,
            acquire_timeout: Duration::from_millis(self.acquire_timeout_ms),
            ..trade_store::Settings::default()
        }
    }

    /// How to open a SQLite file.
    #[must_use]
    pub fn file(&self) -> trade_store::Settings {
        trade_store::Settings {
            // Of 4 KiB each.
            max_pages: self.max_mib.map(|mib| mib.saturating_mul(256)),
            ..trade_store::Settings::default()
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
