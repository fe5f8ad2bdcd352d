//! How to connect.

use std::time::Duration;

/// Settings of a connection to the database. `Settings::default()` is right for a server of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// SQLite: how many connections only read; one more writes. A database in memory has one for both.
    pub readers: u32,
    /// PostgreSQL and MySQL: how many connections there are at the most.
    pub connections: u32,
    /// How long a request waits for a free connection of ours; on a server, also for a new one.
    pub acquire_timeout: Duration,
    /// PostgreSQL and MySQL: how long the server may take for what a request asks of it, in a transaction
    /// for all of it. After that the connection is given up, and so does the server with a transaction whose
    /// client it hears of no more. It must be longer than `busy_timeout`
    /// and `acquire_timeout`.
    pub answer_timeout: Duration,
    /// How long a write waits while another has the database, or a row of it, locked.
    pub busy_timeout: Duration,
    /// SQLite: the most pages the database may have (a page is usually 4096 bytes): a write beyond it fails
    /// wholly, before the disk that others need too is full. `None`: as many as the disk holds.
    pub max_pages: Option<u32>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            readers: 4,
            connections: 16,
            acquire_timeout: Duration::from_secs(10),
            answer_timeout: Duration::from_secs(30),
            busy_timeout: Duration::from_secs(10),
            max_pages: None,
        }
    }
}
