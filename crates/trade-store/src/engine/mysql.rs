//! MySQL and MariaDB: one pool for reads and writes; rows are locked by the statements that need it.

use sea_orm::{
    ConnectionTrait, DatabaseTransaction, DbErr, SqlxMySqlConnector, Statement, StatementBuilder,
    sqlx::{
        self, ConnectOptions, Executor,
        error::DatabaseError,
        mysql::{MySqlConnectOptions, MySqlDatabaseError},
    },
};

use super::{Connections, Patience, Patient, Trouble, value};
use crate::{fault::Fault, settings::Settings};

/// What each connection is told first. A statement sees what was committed before it, as on the other
/// engines; nothing is cut short or turned into something else without an error.
const SESSION: &str = "SET SESSION transaction_isolation = 'READ-COMMITTED', \
     sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";
/// The same for MariaDB before 11.1, which has another name for it.
const SESSION_MARIADB: &str = "SET SESSION tx_isolation = 'READ-COMMITTED', \
     sql_mode = 'STRICT_ALL_TABLES,NO_ZERO_DATE,NO_ZERO_IN_DATE,ERROR_FOR_DIVISION_BY_ZERO,NO_ENGINE_SUBSTITUTION'";

/// Connects to a URL: `mysql://user:password@host/database`; `mariadb://` means the same.
pub(super) async fn connect(url: &str, settings: &Settings) -> Result<Connections, Fault> {
    let url = url.replacen("mariadb:", "mysql:", 1);
    let options: MySqlConnectOptions = url
        .parse()
        .map_err(|error: sqlx::Error| Fault::BadUrl(error.into()))?;
    let options = options
        .charset("utf8mb4")
        .collation("utf8mb4_bin")
        .timezone(Some("+00:00".to_owned()))
        .disable_statement_logging();
    let place = format!(
        "mysql://{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default()
    );
    super::knock::<sqlx::MySqlConnection>(&options, settings.answer_timeout).await?;
    let busy_s = settings.busy_timeout.as_secs().max(1);
    let idle_s = settings.answer_timeout.as_secs().max(1);
    // Waiting for a row, for a table that somebody alters, and for the rest of a statement.
    let wait = format!(
        "SET SESSION innodb_lock_wait_timeout = {busy_s}, lock_wait_timeout = {busy_s}, \
         net_read_timeout = {idle_s}"
    );
    let patience = Patience::new(settings.answer_timeout, settings.acquire_timeout);
    let pool = super::pool::<sqlx::MySql>(settings, &patience).after_connect(move |connection, _| {
        let wait = wait.clone();
        Box::pin(async move {
            if connection.execute(SESSION).await.is_err() {
                connection.execute(SESSION_MARIADB).await?;
            }
            connection.execute(sqlx::AssertSqlSafe(wait)).await?;
            // A transaction whose client is heard of no more is rolled back, since it keeps rows locked.
            let idle = format!("SET SESSION idle_transaction_timeout = {idle_s}");
            if connection.execute(sqlx::AssertSqlSafe(idle)).await.is_err() {
                // MySQL knows no such thing of transactions, only of connections.
                let idle = format!("SET SESSION wait_timeout = {idle_s}");
                connection.execute(sqlx::AssertSqlSafe(idle)).await?;
            }
            Ok(())
        })
    });
    let make =
        move || SqlxMySqlConnector::from_sqlx_mysql_pool(pool.clone().connect_lazy_with(options.clone()));
    let writer = Patient::renewable(make, patience);
    Ok(Connections {
        reader: writer.clone(),
        writer,
        place,
    })
}

/// Tells the kinds of trouble apart by the server's error number.
pub(super) fn trouble(error: &dyn DatabaseError) -> Trouble {
    let number = error
        .try_downcast_ref::<MySqlDatabaseError>()
        .map(MySqlDatabaseError::number);
    match number {
        Some(1213 | 1020) => Trouble::Conflict,
        Some(1205 | 1040 | 1203) => Trouble::Busy,
        Some(1021 | 1114) => Trouble::Full,
        Some(1290 | 1792 | 1836) => Trouble::ReadOnly,
        Some(1044 | 1045 | 1049 | 1142) => Trouble::Denied,
        Some(1053 | 1077 | 1927 | 4031) => Trouble::Gone,
        Some(1048 | 1216 | 1217 | 1364 | 1406 | 1451 | 1452 | 3819 | 4025) => Trouble::Constraint,
        Some(_) | None => Trouble::Other,
    }
}

/// Whether a statement of a migration was refused because what it makes is there: this engine commits
/// each of them by itself, so that a migration that was cut off finds its first half done.
pub(super) fn is_there_already(error: &dyn DatabaseError) -> bool {
    let number = error
        .try_downcast_ref::<MySqlDatabaseError>()
        .map(MySqlDatabaseError::number);
    matches!(number, Some(1050 | 1060 | 1061 | 1062 | 1826))
}

/// A definition in this engine's words. A text holds 64 KiB unless it is called long; and of the collations
/// that compare byte by byte the common one takes no notice of blanks at the end, so another is used, which
/// MySQL and MariaDB each call by a name of their own.
pub(super) async fn definition(
    tx: &DatabaseTransaction,
    definition: &impl StatementBuilder,
) -> Result<Statement, DbErr> {
    let backend = tx.get_database_backend();
    let mut statement = backend.build(definition);
    statement.sql = statement.sql.replace("` text", "` longtext");
    if statement.sql.starts_with("CREATE TABLE") {
        let names = "SELECT COLLATION_NAME FROM information_schema.COLLATIONS \
                     WHERE COLLATION_NAME IN ('utf8mb4_nopad_bin', 'utf8mb4_0900_bin')";
        let name = tx.query_one_raw(Statement::from_string(backend, names)).await?;
        let name: String = match name {
            Some(row) => row.try_get_by_index(0)?,
            None => "utf8mb4_bin".to_owned(),
        };
        statement
            .sql
            .push_str(" ENGINE=InnoDB DEFAULT CHARSET=utf8mb4 COLLATE=");
        statement.sql.push_str(&name);
    }
    Ok(statement)
}

/// The settings that durability and exclusion rest on, as they are in force.
pub(super) async fn facts(connection: &Patient) -> Result<Vec<(&'static str, String)>, Fault> {
    let mut facts = Vec::new();
    for name in ["version", "innodb_flush_log_at_trx_commit", "sql_mode"] {
        let select = format!("SELECT CAST(@@{name} AS CHAR)");
        let select = Statement::from_string(connection.get_database_backend(), select);
        facts.push((name, value(connection, select).await?));
    }
    Ok(facts)
}
