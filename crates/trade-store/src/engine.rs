//! All that depends on the engine: connecting, what makes a transaction exclusive, error codes.
//!
//! Another engine is another module here, and a few lines in the functions of this file.

mod sqlite;

use std::path::Path;

use sea_orm::{DatabaseConnection, DbErr, SqliteTransactionMode, TransactionOptions};

use crate::{fault::Fault, settings::Settings};

/// Connections to one database.
#[derive(Clone)]
pub(crate) struct Connections {
    /// The only connection of this process that writes.
    pub(crate) writer: DatabaseConnection,
    /// Those that only read; of a database in memory, the writer.
    pub(crate) reader: DatabaseConnection,
    /// Where the database is, without credentials.
    pub(crate) place: String,
}

/// What kind of trouble an error of the engine means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    CannotOpen,
    Full,
    Busy,
    ReadOnly,
    Damaged,
    Constraint,
    Other,
}

/// Connects to what a URL or a plain path names.
pub(crate) async fn connect(target: &str, settings: &Settings) -> Result<Connections, Fault> {
    if target.starts_with("sqlite:") {
        return sqlite::connect_url(target, settings).await;
    }
    match target.split_once("://") {
        Some((scheme, _)) => Err(Fault::UnknownEngine(scheme.chars().take(32).collect())),
        None => open(Path::new(target), settings).await,
    }
}

/// Connects to a file, which is created when it does not exist.
pub(crate) async fn open(path: &Path, settings: &Settings) -> Result<Connections, Fault> {
    sqlite::connect_path(path, settings).await
}

/// How a transaction that reads and then writes begins: with the right to write. One that asked for it
/// only at its first write could find that somebody else has written since its first read.
pub(crate) fn write_transaction() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

/// Tells the kinds of trouble apart by the engine's codes.
pub(crate) fn trouble(error: &DbErr) -> Trouble {
    sqlite::trouble(error)
}

/// How the engine would run a query, for tests of what it walks through.
#[cfg(test)]
pub(crate) async fn plan(
    connection: &DatabaseConnection,
    query: &sea_orm::sea_query::SelectStatement,
) -> String {
    sqlite::plan(connection, query).await
}

/// The settings that matter, read back from the connection that writes.
pub(crate) async fn facts(writer: &DatabaseConnection) -> Result<Vec<(&'static str, String)>, Fault> {
    sqlite::facts(writer).await
}
