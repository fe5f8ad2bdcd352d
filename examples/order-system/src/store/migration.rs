//! The steps of the schema. One that was released never changes; a new one is added at the end.

mod m0001_orders;
mod m0002_events;

use sea_orm::{
    ConnectionTrait, DatabaseBackend, DatabaseTransaction, DbErr, ExprTrait, Statement,
    sea_query::{ColumnDef, Expr, Index, IndexCreateStatement, Query, Table, TableCreateStatement, TableRef},
};

use super::Store;

const TABLE: &str = "order_migration";

/// One step: tables, then indexes.
struct Step {
    version: i64,
    tables: fn() -> Vec<TableCreateStatement>,
    indexes: fn() -> Vec<IndexCreateStatement>,
    /// Rows that are there from the beginning: table, column, value.
    seeds: &'static [(&'static str, &'static [&'static str], &'static [Seed])],
}

/// A value of a seed.
#[derive(Clone, Copy)]
enum Seed {
    Text(&'static str),
    Number(i64),
}

const ALL: [Step; 2] = [m0001_orders::STEP, m0002_events::STEP];

/// Applies what is missing. Several processes may do so at once.
pub(super) async fn migrate(store: &Store) -> Result<(), DbErr> {
    let tx = store.begin().await?;
    let locked = lock(&tx).await;
    let done = match locked {
        Ok(()) => apply_all(&tx).await,
        Err(error) => Err(error),
    };
    // MySQL's lock belongs to the connection, not to the transaction.
    let unlocked = unlock(&tx).await;
    done?;
    unlocked?;
    tx.commit().await
}

async fn apply_all(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    let mut versions = Table::create();
    versions
        .table(TABLE)
        .if_not_exists()
        .col(number("version").primary_key());
    tx.execute(&versions).await?;
    for step in ALL {
        let mut asked = Query::select();
        asked
            .column("version")
            .from(TABLE)
            .and_where(Expr::col("version").eq(step.version));
        if tx.query_one(&asked).await?.is_none() {
            apply(tx, &step).await?;
        }
    }
    Ok(())
}

async fn apply(tx: &DatabaseTransaction, step: &Step) -> Result<(), DbErr> {
    let on_mysql = tx.get_database_backend() == DatabaseBackend::MySql;
    for mut table in (step.tables)() {
        // MySQL commits every definition by itself, so a step that was cut off finds its first half done.
        table.if_not_exists();
        if on_mysql {
            table
                .engine("InnoDB")
                .character_set("utf8mb4")
                .collate("utf8mb4_bin");
        }
        tx.execute(&table).await?;
    }
    for index in (step.indexes)() {
        match tx.execute(&index).await {
            Ok(_) => {}
            Err(error) if on_mysql && error.to_string().contains("1061") => {}
            Err(error) => return Err(error),
        }
    }
    for (table, columns, values) in step.seeds {
        let values = values.iter().map(|value| match value {
            Seed::Text(text) => Expr::val(*text),
            Seed::Number(number) => Expr::val(*number),
        });
        insert(tx, TableRef::from(*table), columns, values.collect()).await?;
    }
    insert(
        tx,
        TableRef::from(TABLE),
        &["version"],
        vec![Expr::val(step.version)],
    )
    .await
}

async fn insert(
    tx: &DatabaseTransaction,
    table: TableRef,
    columns: &[&'static str],
    values: Vec<Expr>,
) -> Result<(), DbErr> {
    let mut insert = Query::insert();
    insert
        .into_table(table)
        .columns(columns.iter().copied())
        .values_panic(values);
    tx.execute(&insert).await.map(drop)
}

async fn lock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    let lock = match tx.get_database_backend() {
        DatabaseBackend::Postgres => "SELECT pg_advisory_xact_lock(7823311)",
        DatabaseBackend::MySql => "SELECT GET_LOCK('order_migration', 120)",
        // The transaction began with the right to write, which only one has.
        _ => return Ok(()),
    };
    say(tx, lock).await
}

async fn unlock(tx: &DatabaseTransaction) -> Result<(), DbErr> {
    if tx.get_database_backend() == DatabaseBackend::MySql {
        return say(tx, "SELECT RELEASE_LOCK('order_migration')").await;
    }
    Ok(())
}

async fn say(tx: &DatabaseTransaction, sql: &str) -> Result<(), DbErr> {
    let statement = Statement::from_string(tx.get_database_backend(), sql);
    tx.query_one_raw(statement).await.map(drop)
}

/// A 64-bit integer: a number, an amount in fen, a time in epoch milliseconds.
fn number(name: &'static str) -> ColumnDef {
    maybe_number(name).not_null().take()
}

/// The same, which may be absent.
fn maybe_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// A code of the platform.
fn code(name: &'static str) -> ColumnDef {
    maybe_code(name).not_null().take()
}

/// The same, which may be absent.
fn maybe_code(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().take()
}

/// A text with a limit.
fn word(name: &'static str, length: u32) -> ColumnDef {
    maybe_word(name, length).not_null().take()
}

/// The same, which may be absent.
fn maybe_word(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(length).take()
}

/// A row's own number, counted by the database.
fn counted() -> ColumnDef {
    number("id").auto_increment().primary_key().take()
}

fn table(name: &'static str, columns: impl IntoIterator<Item = ColumnDef>) -> TableCreateStatement {
    let mut table = Table::create();
    table.table(name);
    for column in columns {
        table.col(column);
    }
    table
}

fn index(table: &'static str, columns: &[&'static str]) -> IndexCreateStatement {
    let mut index = Index::create();
    index
        .name(format!("ix_{table}_{}", columns.join("_")))
        .table(table);
    for column in columns {
        index.col(*column);
    }
    index
}
