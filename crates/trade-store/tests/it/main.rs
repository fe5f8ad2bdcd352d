//! The store on real SQLite files and in memory: the contract of the ports, and what only a database
//! can do wrong.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod audit;
mod before;
mod broken;
mod cancel;
mod contract;
mod deadlock;
mod durable;
mod full;
mod guard;
mod illegible;
mod line;
mod open;
mod overtake;
mod private;
mod restart;
mod schema;
mod server;
mod servers;
mod stage;
mod starting;
mod sums;
mod two;
mod upgrade;

use std::{error::Error, path::Path};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseConnection, DbErr, Statement};
use trade_store::SqlStore;

/// A migrated store on a file.
async fn opened(path: impl AsRef<Path>) -> SqlStore {
    let store = SqlStore::open(path).await.unwrap();
    store.migrate().await.unwrap();
    store
}

/// Somebody else's connection to the same file, which knows nothing of the store.
async fn outsider(path: &Path) -> DatabaseConnection {
    let mut options = ConnectOptions::new(format!("sqlite://{}?mode=rw", path.display()));
    options.max_connections(1).sqlx_logging(false);
    Database::connect(options).await.unwrap()
}

/// The first column of every row of a query, as text.
async fn column(connection: &DatabaseConnection, sql: &str) -> Result<Vec<String>, DbErr> {
    let statement = Statement::from_string(connection.get_database_backend(), sql);
    let rows = connection.query_all_raw(statement).await?;
    rows.iter().map(|row| row.try_get_by_index(0)).collect()
}

/// An error with all its causes, as a log shows it.
fn chain(error: &dyn Error) -> String {
    let mut text = error.to_string();
    let mut cause = error.source();
    while let Some(error) = cause {
        text.push_str(": ");
        text.push_str(&error.to_string());
        cause = error.source();
    }
    text
}
