//! All that depends on the engine: connecting, what makes a transaction exclusive, error codes.
//!
//! Another engine is another module here, and a few lines in the functions of this file.

mod migrating;
mod mysql;
mod patience;
mod patient;
mod postgres;
mod sqlite;

use std::{io::ErrorKind, path::Path, time::Duration};

use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    RuntimeErr, SqliteTransactionMode, Statement, StatementBuilder, TransactionOptions,
    sea_query::{CaseStatement, ColumnDef},
    sqlx::{self, pool::PoolOptions},
};

use crate::{fault::Fault, settings::Settings, store::PoolUse};

pub(crate) use migrating::{has_table, lock_migrations, unlock_migrations};
pub(crate) use patience::Patience;
pub(crate) use patient::Patient;

/// Connections to one database.
#[derive(Clone)]
pub(crate) struct Connections {
    /// Connections that write; of SQLite the only one of this process.
    pub(crate) writer: Patient,
    /// Those that only read; of a server, and of a database in memory, the same.
    pub(crate) reader: Patient,
    /// Where the database is, without credentials.
    pub(crate) place: String,
}

/// What kind of trouble an error of the engine means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    CannotOpen,
    Full,
    /// It could not be read or written.
    Disk,
    Busy,
    ReadOnly,
    Damaged,
    Constraint,
    /// The engine has rolled back, since another transaction was in the way: the same may be done again.
    Conflict,
    /// It does not let us in.
    Denied,
    /// The server is not there, or has gone.
    Gone,
    /// No connection became free or could be made in time.
    NoConnection,
    /// It did not answer in time.
    Silent,
    Other,
}

/// Connects to what a URL or a plain path names.
pub(crate) async fn connect(target: &str, settings: &Settings) -> Result<Connections, Fault> {
    if target.starts_with("sqlite:") {
        return sqlite::connect_url(target, settings).await;
    }
    if target.starts_with("postgres:") || target.starts_with("postgresql:") {
        return postgres::connect(target, settings).await;
    }
    if target.starts_with("mysql:") || target.starts_with("mariadb:") {
        return mysql::connect(target, settings).await;
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

/// How the pool behind a connection is used.
pub(crate) fn pool_use(connection: &DatabaseConnection) -> PoolUse {
    let (open, idle) = match connection.get_database_backend() {
        DatabaseBackend::Sqlite => size(connection.get_sqlite_connection_pool()),
        DatabaseBackend::Postgres => size(connection.get_postgres_connection_pool()),
        DatabaseBackend::MySql => size(connection.get_mysql_connection_pool()),
        _ => (0, 0),
    };
    PoolUse { open, idle }
}

fn size<D: sqlx::Database>(pool: &sqlx::Pool<D>) -> (u32, u32) {
    (pool.size(), u32::try_from(pool.num_idle()).unwrap_or(u32::MAX))
}

/// How a transaction that reads and then writes begins: with the right to write. One that asked for it
/// only at its first write could find that somebody else has written since its first read.
fn write_transaction() -> TransactionOptions {
    TransactionOptions {
        sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
        ..TransactionOptions::default()
    }
}

/// Tells the kinds of trouble apart by the engine's codes.
pub(crate) fn trouble(error: &DbErr) -> Trouble {
    let error = match error {
        DbErr::ConnectionAcquire(ConnAcquireErr::Timeout) => return Trouble::NoConnection,
        DbErr::ConnectionAcquire(ConnAcquireErr::ConnectionClosed) => return Trouble::Gone,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error,
        _ => return Trouble::Other,
    };
    match error.as_ref() {
        sqlx::Error::Database(error) => trouble_of(error.as_ref()),
        sqlx::Error::PoolTimedOut => Trouble::NoConnection,
        sqlx::Error::Io(error) if error.kind() == ErrorKind::TimedOut => Trouble::Silent,
        // A server that is cut off in the middle of a word has not kept to the protocol, either.
        sqlx::Error::Io(_)
        | sqlx::Error::Protocol(_)
        | sqlx::Error::PoolClosed
        | sqlx::Error::WorkerCrashed
        | sqlx::Error::Tls(_) => Trouble::Gone,
        _ => Trouble::Other,
    }
}

fn trouble_of(error: &dyn sqlx::error::DatabaseError) -> Trouble {
    if error
        .try_downcast_ref::<sqlx::mysql::MySqlDatabaseError>()
        .is_some()
    {
        return mysql::trouble(error);
    }
    let code = error.code().unwrap_or_default();
    if error
        .try_downcast_ref::<sqlx::postgres::PgDatabaseError>()
        .is_some()
    {
        return postgres::trouble(&code);
    }
    sqlite::trouble(&code)
}

/// Makes or changes a table as the engine wants it: texts compare byte by byte and may be long.
pub(crate) async fn define(
    tx: &DatabaseTransaction,
    definition: &impl StatementBuilder,
) -> Result<(), DbErr> {
    if tx.get_database_backend() == DatabaseBackend::MySql {
        let definition = mysql::definition(tx, definition).await?;
        return tx.execute_raw(definition).await.map(drop);
    }
    tx.execute(definition).await.map(drop)
}

/// A column that the database computes.
pub(crate) fn computed(
    connection: &impl ConnectionTrait,
    column: &ColumnDef,
    value: &CaseStatement,
) -> ColumnDef {
    // PostgreSQL computes it when the row is written, the others when it is read.
    let stored = connection.get_database_backend() == DatabaseBackend::Postgres;
    column.clone().generated(value.clone(), stored).take()
}

/// Whether the engine writes at the commit only, and finds out then that it cannot.
pub(crate) fn writes_at_commit(connection: &impl ConnectionTrait) -> bool {
    connection.get_database_backend() == DatabaseBackend::Sqlite
}

/// Whether a limit of the engine's own leaves room for a few more rows.
pub(crate) async fn has_room(tx: &DatabaseTransaction) -> Result<(), Fault> {
    match tx.get_database_backend() {
        DatabaseBackend::Sqlite => sqlite::has_room(tx).await,
        _ => Ok(()),
    }
}

/// Whether a statement of a migration was refused because what it makes is there already, on an engine
/// that commits each such statement by itself.
pub(crate) fn is_there_already(error: &DbErr) -> bool {
    match error {
        DbErr::Exec(RuntimeErr::SqlxError(error)) => match error.as_ref() {
            sqlx::Error::Database(error) => mysql::is_there_already(error.as_ref()),
            _ => false,
        },
        _ => false,
    }
}

/// Connects once: a pool would go on trying, and then only say that it waited.
async fn knock<C>(options: &C::Options, limit: Duration) -> Result<(), Fault>
where
    C: sqlx::Connection,
{
    let failed = |error: sqlx::Error| Fault::from(DbErr::Conn(RuntimeErr::SqlxError(error.into())));
    let knock = async {
        let connection = C::connect_with(options).await.map_err(failed)?;
        connection.close().await.map_err(failed)
    };
    let answer = tokio::time::timeout(limit, knock).await;
    answer.unwrap_or_else(|_| Err(patience::silent().into()))
}

/// The pool of a server: its connections are looked at whenever they change hands.
fn pool<DB: sqlx::Database>(settings: &Settings, patience: &Patience) -> PoolOptions<DB> {
    let (before, after) = (patience.clone(), patience.clone());
    PoolOptions::new()
        .max_connections(settings.connections.max(1))
        .acquire_timeout(settings.acquire_timeout)
        // The driver's own test has no limit.
        .test_before_acquire(false)
        .before_acquire(move |connection, meta| {
            let patience = before.clone();
            Box::pin(async move { patience.check(connection, meta).await })
        })
        .after_release(move |connection, meta| {
            let patience = after.clone();
            Box::pin(async move { patience.check(connection, meta).await })
        })
}

/// The first column of a query's only row, as text.
async fn value(connection: &Patient, query: Statement) -> Result<String, Fault> {
    let row = connection.query_one_raw(query).await?;
    let row = row.ok_or(Fault::Broken("the engine does not know one of its own settings"))?;
    Ok(row.try_get_by_index(0)?)
}

/// How the engine would run a query, for tests of what it walks through.
#[cfg(test)]
pub(crate) async fn plan(connection: &Patient, query: &sea_orm::sea_query::SelectStatement) -> String {
    sqlite::plan(connection, query).await
}

/// The settings that matter, read back from the connection that writes.
pub(crate) async fn facts(writer: &Patient) -> Result<Vec<(&'static str, String)>, Fault> {
    match writer.get_database_backend() {
        DatabaseBackend::Postgres => postgres::facts(writer).await,
        DatabaseBackend::MySql => mysql::facts(writer).await,
        _ => sqlite::facts(writer).await,
    }
}
