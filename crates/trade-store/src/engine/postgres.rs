//! PostgreSQL: one pool for reads and writes; rows are locked by the statements that need it.

use sea_orm::{
    ConnectionTrait, SqlxPostgresConnector, Statement,
    sqlx::{self, ConnectOptions, Executor, postgres::PgConnectOptions},
};

use super::{Connections, Patience, Patient, Trouble, value};
use crate::{fault::Fault, settings::Settings};

/// Connects to a URL: `postgres://user:password@host/database`.
pub(super) async fn connect(url: &str, settings: &Settings) -> Result<Connections, Fault> {
    let options: PgConnectOptions = url
        .parse()
        .map_err(|error: sqlx::Error| Fault::BadUrl(error.into()))?;
    let place = format!(
        "postgres://{}:{}/{}",
        options.get_host(),
        options.get_port(),
        options.get_database().unwrap_or_default()
    );
    let options = options.disable_statement_logging();
    super::knock::<sqlx::PgConnection>(&options, settings.answer_timeout).await?;
    // A statement that waits for a row longer than this says so instead of holding a request for ever. A
    // transaction keeps rows locked: when its client is heard of no more, be it between two statements or in
    // the middle of one, it is rolled back.
    let limits = format!(
        "SET lock_timeout = {}; SET idle_in_transaction_session_timeout = {}; SET tcp_keepalives_idle = 30; \
         SET tcp_keepalives_interval = 10; SET tcp_keepalives_count = 3",
        settings.busy_timeout.as_millis(),
        settings.answer_timeout.as_millis(),
    );
    let patience = Patience::new(settings.answer_timeout, settings.acquire_timeout);
    let pool = super::pool::<sqlx::Postgres>(settings, &patience).after_connect(move |connection, _| {
        let limits = limits.clone();
        Box::pin(async move {
            connection
                .execute("SET SESSION CHARACTERISTICS AS TRANSACTION ISOLATION LEVEL READ COMMITTED")
                .await?;
            connection.execute(sqlx::AssertSqlSafe(limits)).await?;
            Ok(())
        })
    });
    let make = move || {
        SqlxPostgresConnector::from_sqlx_postgres_pool(pool.clone().connect_lazy_with(options.clone()))
    };
    let writer = Patient::renewable(make, patience);
    Ok(Connections {
        reader: writer.clone(),
        writer,
        place,
    })
}

/// Tells the kinds of trouble apart by SQLSTATE.
pub(super) fn trouble(code: &str) -> Trouble {
    match code {
        "40001" | "40P01" => Trouble::Conflict,
        "55P03" | "53300" | "53400" | "57014" => Trouble::Busy,
        "53100" => Trouble::Full,
        "25006" => Trouble::ReadOnly,
        "XX001" | "XX002" => Trouble::Damaged,
        "28000" | "28P01" | "3D000" | "42501" => Trouble::Denied,
        "25P03" | "57P01" | "57P02" | "57P03" | "57P05" => Trouble::Gone,
        _ if code.starts_with("23") => Trouble::Constraint,
        _ if code.starts_with("08") => Trouble::Gone,
        _ => Trouble::Other,
    }
}

/// The settings that durability and exclusion rest on, as they are in force.
pub(super) async fn facts(connection: &Patient) -> Result<Vec<(&'static str, String)>, Fault> {
    let mut facts = Vec::new();
    for name in [
        "server_version",
        "synchronous_commit",
        "fsync",
        "default_transaction_isolation",
    ] {
        let show = Statement::from_string(connection.get_database_backend(), format!("SHOW {name}"));
        facts.push((name, value(connection, show).await?));
    }
    Ok(facts)
}
