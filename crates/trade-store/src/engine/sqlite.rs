//! SQLite: one connection writes, a few only read; a write-ahead log that is synchronised at each commit.

use std::{path::Path, time::Duration};

use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, DbErr, RuntimeErr, SqlxSqliteConnector,
    Statement,
    sqlx::{
        self, ConnectOptions, Connection, SqliteConnection,
        sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
    },
};

use super::{Connections, Patience, Patient, Trouble};
use crate::{fault::Fault, settings::Settings};

/// How long to wait before a file is tried again that somebody uses: the switch to the write-ahead log
/// needs it alone, and the engine does not wait for that by itself.
const SWITCH_PAUSE: Duration = Duration::from_millis(20);

/// Connects to a URL: `sqlite://path?mode=rwc`, `sqlite::memory:`.
pub(super) async fn connect_url(url: &str, settings: &Settings) -> Result<Connections, Fault> {
    let options: SqliteConnectOptions = url
        .parse()
        .map_err(|error: sqlx::Error| Fault::BadUrl(error.into()))?;
    let in_memory = url.contains(":memory:") || url.contains("mode=memory");
    connect(options, in_memory, settings).await
}

/// Connects to a file, which is created when it does not exist.
pub(super) async fn connect_path(path: &Path, settings: &Settings) -> Result<Connections, Fault> {
    let options = SqliteConnectOptions::new().filename(path).create_if_missing(true);
    connect(options, false, settings).await
}

async fn connect(
    options: SqliteConnectOptions,
    in_memory: bool,
    settings: &Settings,
) -> Result<Connections, Fault> {
    let place = options.get_filename().display().to_string();
    let options = options
        .foreign_keys(true)
        .synchronous(SqliteSynchronous::Full)
        .busy_timeout(settings.busy_timeout)
        .disable_statement_logging();
    let mut to_write = options.clone().journal_mode(SqliteJournalMode::Wal);
    if let Some(pages) = settings.max_pages {
        to_write = to_write.pragma("max_page_count", pages.to_string());
    }
    let writer = writer(to_write, settings).await?;
    let reader = if in_memory {
        // Another connection would see another database, or wait for the locks of this one.
        writer.clone()
    } else {
        reader(options, settings)
    };
    Ok(Connections {
        writer: Patient::lasting(writer, Patience::endless()),
        reader: Patient::lasting(reader, Patience::endless()),
        place,
    })
}

async fn writer(options: SqliteConnectOptions, settings: &Settings) -> Result<DatabaseConnection, Fault> {
    // A database in memory lives as long as its connection, so this one is never given up for its age.
    let pool = pool(1, settings)
        .min_connections(1)
        .before_acquire(|connection, _| Box::pin(is_clean(connection)));
    let mut waited = Duration::ZERO;
    loop {
        match pool.clone().connect_with(options.clone()).await {
            Ok(pool) => return Ok(SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)),
            Err(error) => {
                let error = DbErr::Conn(RuntimeErr::SqlxError(error.into()));
                if waited >= settings.busy_timeout || super::trouble(&error) != Trouble::Busy {
                    return Err(error.into());
                }
                tokio::time::sleep(SWITCH_PAUSE).await;
                waited = waited.saturating_add(SWITCH_PAUSE);
            }
        }
    }
}

fn reader(options: SqliteConnectOptions, settings: &Settings) -> DatabaseConnection {
    // Should a write ever be sent to a reader, it fails instead of going round the one writer.
    let options = options.pragma("query_only", "ON");
    let pool = pool(settings.readers.max(1), settings).connect_lazy_with(options);
    SqlxSqliteConnector::from_sqlx_sqlite_pool(pool)
}

fn pool(connections: u32, settings: &Settings) -> SqlitePoolOptions {
    SqlitePoolOptions::new()
        .max_connections(connections)
        .acquire_timeout(settings.acquire_timeout)
        .idle_timeout(None)
        .max_lifetime(None)
}

/// Whether no transaction is left on a connection. After a full disk SQLite rolls back by itself, the
/// driver's own rollback then fails, and its next transaction would be a mere savepoint: such a
/// connection is closed. The ping waits for a rollback that is still under way.
async fn is_clean(connection: &mut SqliteConnection) -> Result<bool, sqlx::Error> {
    connection.ping().await?;
    let clean = !connection.is_in_transaction();
    if !clean {
        tracing::warn!("a transaction was left on a connection: it is closed");
    }
    Ok(clean)
}

/// A database with less room than this may refuse any write: a payment takes a few pages.
const ROOM: i64 = 16;

/// Whether the page limit leaves room. The limit of the disk shows itself when something is committed.
pub(super) async fn has_room(tx: &DatabaseTransaction) -> Result<(), Fault> {
    let pages = async |name: &str| {
        let pragma = Statement::from_string(tx.get_database_backend(), format!("PRAGMA {name}"));
        let row = tx.query_one_raw(pragma).await?;
        let row = row.ok_or(Fault::Broken("the engine does not know one of its own settings"))?;
        Ok::<i64, Fault>(row.try_get_by_index(0)?)
    };
    let (most, used, free) = (
        pages("max_page_count").await?,
        pages("page_count").await?,
        pages("freelist_count").await?,
    );
    if most.saturating_sub(used).saturating_add(free) < ROOM {
        let text = format!("{} of {most} pages are in use", used.saturating_sub(free));
        return Err(Fault::Full(DbErr::Custom(text)));
    }
    Ok(())
}

/// IOERR_SHMSIZE: the file that the connections to a database share could not be made as large as it must be.
const NO_ROOM_TO_SHARE: u32 = 10 | (19 << 8);

/// Tells the kinds of trouble apart by SQLite's result codes, of which the low byte is the kind.
pub(super) fn trouble(code: &str) -> Trouble {
    let code: Option<u32> = code.parse().ok();
    if code == Some(NO_ROOM_TO_SHARE) {
        return Trouble::Full;
    }
    match code.map(|code| code & 0xff) {
        // BUSY, LOCKED
        Some(5 | 6) => Trouble::Busy,
        Some(8) => Trouble::ReadOnly,
        Some(10) => Trouble::Disk,
        // CORRUPT, NOTADB
        Some(11 | 26) => Trouble::Damaged,
        Some(13) => Trouble::Full,
        Some(14) => Trouble::CannotOpen,
        Some(19) => Trouble::Constraint,
        Some(_) | None => Trouble::Other,
    }
}

/// The pragmas that durability and exclusion rest on, as they are in force.
pub(super) async fn facts(writer: &Patient) -> Result<Vec<(&'static str, String)>, Fault> {
    let mut facts = Vec::new();
    for name in [
        "journal_mode",
        "synchronous",
        "foreign_keys",
        "busy_timeout",
        "max_page_count",
    ] {
        let pragma = Statement::from_string(writer.get_database_backend(), format!("PRAGMA {name}"));
        let row = writer.query_one_raw(pragma).await?;
        let row = row.ok_or(Fault::Broken("the engine does not know one of its own settings"))?;
        let value = match row.try_get_by_index::<i64>(0) {
            Ok(number) => number.to_string(),
            Err(_) => row.try_get_by_index::<String>(0)?,
        };
        facts.push((name, value));
    }
    let version = Statement::from_string(writer.get_database_backend(), "SELECT sqlite_version()");
    if let Some(row) = writer.query_one_raw(version).await? {
        facts.push(("sqlite", row.try_get_by_index(0)?));
    }
    Ok(facts)
}

/// How SQLite would run a query.
#[cfg(test)]
pub(super) async fn plan(connection: &Patient, query: &sea_orm::sea_query::SelectStatement) -> String {
    let mut statement = connection.get_database_backend().build(query);
    statement.sql.insert_str(0, "EXPLAIN QUERY PLAN ");
    let rows = connection.query_all_raw(statement).await.unwrap();
    let steps: Result<Vec<String>, _> = rows.iter().map(|row| row.try_get_by_index(3)).collect();
    steps.unwrap().join("\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_are_kinds_of_trouble() {
        let cases = [
            ("5", Trouble::Busy),
            ("517", Trouble::Busy),
            ("13", Trouble::Full),
            ("4874", Trouble::Full),
            ("778", Trouble::Disk),
            ("1034", Trouble::Disk),
            ("2067", Trouble::Constraint),
            ("1", Trouble::Other),
            ("", Trouble::Other),
        ];
        for (code, kind) in cases {
            assert_eq!(trouble(code), kind, "{code}");
        }
    }
}
