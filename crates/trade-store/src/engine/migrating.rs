//! One process migrates at a time, and whether there is anything to migrate is asked without changing anything.

use std::time::Duration;

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, Statement};

use crate::fault::Fault;

/// How long an instance that starts waits for another that migrates: longer than for anything else, since a large
/// table takes its time.
const WAIT: Duration = Duration::from_secs(120);

/// Keeps other processes from migrating until this one is done.
pub(crate) async fn lock_migrations(tx: &DatabaseTransaction) -> Result<(), Fault> {
    lock_within(tx, WAIT).await
}

async fn lock_within(tx: &DatabaseTransaction, wait: Duration) -> Result<(), Fault> {
    match tx.get_database_backend() {
        DatabaseBackend::Postgres => lock_postgres(tx, wait).await,
        DatabaseBackend::MySql => lock_mysql(tx, wait).await,
        _ => Ok(()),
    }
}

/// The lock ends with the transaction. The limit of every other wait is in force again once it is held.
async fn lock_postgres(tx: &DatabaseTransaction, wait: Duration) -> Result<(), Fault> {
    let backend = tx.get_database_backend();
    let usual = Statement::from_string(backend, "SHOW lock_timeout");
    let usual: String = match tx.query_one_raw(usual).await? {
        Some(row) => row.try_get_by_index(0)?,
        None => return Err(Fault::Broken("the engine does not know one of its own settings")),
    };
    let limit = format!("SET LOCAL lock_timeout = {}", wait.as_millis());
    tx.execute_unprepared(&limit).await?;
    let lock = Statement::from_string(backend, "SELECT pg_advisory_xact_lock(7823310)");
    tx.query_one_raw(lock).await.map_err(of_the_lock)?;
    tx.execute_unprepared(&format!("SET LOCAL lock_timeout = '{usual}'"))
        .await?;
    Ok(())
}

/// The transaction ends with the first statement that makes something; this lock does not.
async fn lock_mysql(tx: &DatabaseTransaction, wait: Duration) -> Result<(), Fault> {
    let lock = format!(
        "SELECT CAST(GET_LOCK('trade_migration', {}) AS SIGNED)",
        wait.as_secs()
    );
    let lock = Statement::from_string(tx.get_database_backend(), lock);
    let row = tx.query_one_raw(lock).await?;
    let answer: Option<i64> = row.map(|row| row.try_get_by_index(0)).transpose()?.flatten();
    match answer {
        Some(1) => Ok(()),
        Some(0) => Err(Fault::Migrating(DbErr::Custom(
            "the lock did not become free".to_owned(),
        ))),
        Some(_) | None => Err(Fault::Migrating(DbErr::Custom(
            "the lock was not given".to_owned(),
        ))),
    }
}

fn of_the_lock(error: DbErr) -> Fault {
    match Fault::from(error) {
        Fault::Busy(error) => Fault::Migrating(error),
        other => other,
    }
}

/// Lets other processes migrate.
pub(crate) async fn unlock_migrations(tx: &DatabaseTransaction) -> Result<(), Fault> {
    if tx.get_database_backend() == DatabaseBackend::MySql {
        let unlock = "SELECT RELEASE_LOCK('trade_migration')";
        tx.query_one_raw(Statement::from_string(DatabaseBackend::MySql, unlock))
            .await?;
    }
    Ok(())
}

/// Whether there is a table of that name where ours are.
pub(crate) async fn has_table(connection: &impl ConnectionTrait, name: &str) -> Result<bool, Fault> {
    let backend = connection.get_database_backend();
    let query = match backend {
        DatabaseBackend::Postgres => "SELECT 1 WHERE to_regclass($1) IS NOT NULL",
        DatabaseBackend::MySql => {
            "SELECT 1 FROM information_schema.TABLES WHERE TABLE_SCHEMA = DATABASE() AND TABLE_NAME = ?"
        }
        _ => "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = ?",
    };
    let query = Statement::from_sql_and_values(backend, query, [name.into()]);
    Ok(connection.query_one_raw(query).await?.is_some())
}

#[cfg(test)]
mod tests {
    use sea_orm::{ConnectOptions, Database, DatabaseConnection, TransactionTrait};

    use super::*;

    async fn connection(url: &str) -> DatabaseConnection {
        let mut options = ConnectOptions::new(url);
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.unwrap()
    }

    /// Nobody migrates who has not got the lock, and whoever waited in vain is told why.
    #[tokio::test(flavor = "multi_thread")]
    async fn a_lock_that_does_not_come_is_an_error() {
        if std::env::var_os("TRADE_TEST_EMBEDDED").is_some() {
            return;
        }
        let url = |name, default: &str| std::env::var(name).unwrap_or_else(|_| default.to_owned());
        let urls = [
            url("TRADE_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432") + "/postgres",
            url("TRADE_TEST_MYSQL", "mysql://root@127.0.0.1:3306") + "/mysql",
        ];
        for url in urls {
            let (holder, waiter) = (connection(&url).await, connection(&url).await);
            let holds = holder.begin().await.unwrap();
            lock_migrations(&holds).await.unwrap();
            let waits = waiter.begin().await.unwrap();
            let fault = lock_within(&waits, Duration::from_secs(1))
                .await
                .expect_err("it is held");
            assert!(
                fault.to_string().contains("another instance has been migrating"),
                "{fault}"
            );
            waits.rollback().await.unwrap();
            unlock_migrations(&holds).await.unwrap();
            holds.rollback().await.unwrap();
            let has = waiter.begin().await.unwrap();
            lock_within(&has, Duration::from_secs(1)).await.unwrap();
            unlock_migrations(&has).await.unwrap();
            has.rollback().await.unwrap();
        }
    }
}
