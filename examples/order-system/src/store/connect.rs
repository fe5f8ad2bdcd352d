//! Connecting: SQLite unless a server is named.

use std::time::Duration;

use sea_orm::{ConnectOptions, Database, DbErr, sqlx::sqlite};

use super::{Store, migration};

const WAIT: Duration = Duration::from_secs(10);

impl Store {
    /// Connects and brings the tables up to date.
    ///
    /// # Errors
    /// The database is not there, does not let us in, or its tables cannot be made.
    pub(crate) async fn open(url: &str, connections: u32) -> Result<Self, DbErr> {
        let known = ["sqlite:", "postgres:", "postgresql:", "mysql:"];
        if !known.iter().any(|scheme| url.starts_with(scheme)) {
            // The driver's own words would repeat the URL, and with it a password.
            let advice = "the database URL must begin with sqlite://, postgres:// or mysql://";
            return Err(DbErr::Custom(advice.to_owned()));
        }
        let mut options = ConnectOptions::new(url);
        options
            .sqlx_logging(false)
            .acquire_timeout(WAIT)
            .max_connections(connections.max(2))
            .map_sqlx_sqlite_opts(|options| {
                options
                    .create_if_missing(true)
                    .foreign_keys(true)
                    .journal_mode(sqlite::SqliteJournalMode::Wal)
                    // A commit is on the disk before it is answered.
                    .synchronous(sqlite::SqliteSynchronous::Full)
                    .busy_timeout(WAIT)
            })
            .map_sqlx_mysql_opts(|options| options.charset("utf8mb4").timezone(Some("+00:00".to_owned())));
        let db = Database::connect(options).await?;
        let store = Self { db };
        migration::migrate(&store).await?;
        Ok(store)
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// It does not.
    pub(crate) async fn ping(&self) -> Result<(), DbErr> {
        self.db.ping().await
    }
}
