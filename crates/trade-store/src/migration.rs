//! Migrations: the tables of each version, one file a step. How to add one: `migration/README.md`.

mod column;
mod m0001_pay_channel;
mod m0002_trading;
mod m0003_trade_journal;
mod m0004_refund_record;
mod m0005_trade_outbox;
mod m0006_notice_inbox;
mod m0007_id_mark;
mod m0008_trading_withdrawn;
mod m0009_refund_numbers;
mod m0010_refund_journal;
mod m0011_notice_trading;
mod m0012_channel_call;
mod m0013_idempotency_key;
mod m0014_event_time;
mod m0015_event_position;
mod m0016_event_refused;
mod m0017_trading_close_at;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, ExprTrait,
    sea_query::{
        CaseStatement, ColumnDef, Expr, IndexCreateStatement, Query, SelectStatement, Table,
        TableAlterStatement, TableCreateStatement, UpdateStatement,
    },
};
use trade_core::port::StoreError;

use crate::{
    engine::{self, Patient},
    fault::Fault,
    transaction::{Verdict, Write, execute},
};

/// One step of the schema.
#[derive(Debug, Clone, Copy)]
struct Migration {
    version: i64,
    name: &'static str,
    statements: fn() -> Vec<Statement>,
}

/// What a step does. A variant is added when a step needs another kind of statement.
#[derive(Debug)]
enum Statement {
    Table(Box<TableCreateStatement>),
    Index(Box<IndexCreateStatement>),
    Alter(Box<TableAlterStatement>),
    Update(Box<UpdateStatement>),
    /// A column more that the database computes from others of the row: right whichever program wrote it.
    Computed {
        table: &'static str,
        column: Box<ColumnDef>,
        value: Box<CaseStatement>,
    },
    /// Rows made of those of another table.
    Fill {
        table: &'static str,
        columns: &'static [&'static str],
        from: Box<SelectStatement>,
    },
}

impl From<TableCreateStatement> for Statement {
    fn from(table: TableCreateStatement) -> Self {
        Self::Table(Box::new(table))
    }
}

impl From<IndexCreateStatement> for Statement {
    fn from(index: IndexCreateStatement) -> Self {
        Self::Index(Box::new(index))
    }
}

impl From<TableAlterStatement> for Statement {
    fn from(alter: TableAlterStatement) -> Self {
        Self::Alter(Box::new(alter))
    }
}

impl From<UpdateStatement> for Statement {
    fn from(update: UpdateStatement) -> Self {
        Self::Update(Box::new(update))
    }
}

impl Statement {
    async fn run(&self, tx: &DatabaseTransaction) -> Result<(), Fault> {
        let done = match self {
            Self::Table(table) => engine::define(tx, table.as_ref()).await,
            Self::Index(index) => engine::define(tx, index.as_ref()).await,
            Self::Alter(alter) => engine::define(tx, alter.as_ref()).await,
            Self::Update(update) => tx.execute(update.as_ref()).await.map(drop),
            Self::Computed { table, column, value } => {
                let column = engine::computed(tx, column, value);
                let alter = Table::alter().table(*table).add_column(column).take();
                engine::define(tx, &alter).await
            }
            Self::Fill { table, columns, from } => {
                let mut insert = Query::insert();
                insert.into_table(*table).columns(columns.iter().copied());
                let filled = insert.select_from(from.as_ref().clone());
                let filled =
                    filled.map_err(|_| Fault::Broken("a migration fills another number of columns"))?;
                tx.execute(&*filled).await.map(drop)
            }
        };
        match done {
            Ok(()) => Ok(()),
            Err(error) if engine::is_there_already(&error) => Ok(()),
            Err(error) => Err(error.into()),
        }
    }
}

/// Every step, in order. A step that was released never changes.
const ALL: [Migration; 17] = [
    m0001_pay_channel::MIGRATION,
    m0002_trading::MIGRATION,
    m0003_trade_journal::MIGRATION,
    m0004_refund_record::MIGRATION,
    m0005_trade_outbox::MIGRATION,
    m0006_notice_inbox::MIGRATION,
    m0007_id_mark::MIGRATION,
    m0008_trading_withdrawn::MIGRATION,
    m0009_refund_numbers::MIGRATION,
    m0010_refund_journal::MIGRATION,
    m0011_notice_trading::MIGRATION,
    m0012_channel_call::MIGRATION,
    m0013_idempotency_key::MIGRATION,
    m0014_event_time::MIGRATION,
    m0015_event_position::MIGRATION,
    m0016_event_refused::MIGRATION,
    m0017_trading_close_at::MIGRATION,
];

/// How the name of a step ends that takes away what older programs need.
const CONTRACT: &str = "_contract";

/// Refuses a database that a newer program has taken something away from.
async fn refuse_contracted(connection: &Patient) -> Result<(), StoreError> {
    let newest = ALL.iter().map(|migration| migration.version).max().unwrap_or(0);
    let query = Query::select()
        .column("name")
        .from(TABLE)
        .and_where(Expr::col("version").gt(newest))
        .and_where(Expr::col("name").like(format!("%{CONTRACT}")))
        .take();
    let fault = match connection.query_one(&query).await {
        Ok(None) => return Ok(()),
        Ok(Some(row)) => match row.try_get_by_index(0) {
            Ok(name) => Fault::NewerSchema(name),
            Err(error) => error.into(),
        },
        Err(error) => error.into(),
    };
    Err(fault.during("read which migrations are applied"))
}

/// Applies what is missing.
pub(crate) async fn migrate(writer: &Patient) -> Result<Vec<&'static str>, StoreError> {
    execute(writer, Prepare).await?;
    refuse_contracted(writer).await?;
    let mut applied = Vec::new();
    for migration in ALL {
        if execute(writer, migration).await? {
            applied.push(migration.name);
        }
    }
    Ok(applied)
}

/// What is missing. It is only read: whoever asks may be somebody who may make no tables.
pub(crate) async fn pending(writer: &Patient) -> Result<Vec<&'static str>, StoreError> {
    let is_begun = engine::has_table(writer, TABLE).await;
    if !is_begun.map_err(|fault| fault.during("look for the table of the migrations"))? {
        return Ok(ALL.iter().map(|migration| migration.name).collect());
    }
    refuse_contracted(writer).await?;
    let mut names = Vec::new();
    for migration in ALL {
        let applied = migration.is_applied(writer).await;
        if !applied.map_err(|fault| fault.during("read which migrations are applied"))? {
            names.push(migration.name);
        }
    }
    Ok(names)
}

/// The table that says which steps were applied.
const TABLE: &str = "trade_migration";

/// Creates the table of the steps.
#[derive(Debug)]
struct Prepare;

#[async_trait]
impl Write for Prepare {
    type Outcome = ();
    const OPERATION: &'static str = "prepare the database for migrations";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<()>, Fault> {
        let table = Table::create()
            .table(TABLE)
            .if_not_exists()
            .col(column::number("version").primary_key())
            .col(column::word("name", 64))
            .take();
        // "If it does not exist" is no promise where several make it at once.
        engine::lock_migrations(tx).await?;
        let defined = engine::define(tx, &table).await;
        engine::unlock_migrations(tx).await?;
        defined?;
        Ok(Verdict::Commit(()))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<()>, Fault> {
        Ok(None)
    }
}

impl Migration {
    /// Applies it, unless it was before.
    async fn apply(&self, tx: &DatabaseTransaction) -> Result<bool, Fault> {
        if self.is_applied(tx).await? {
            return Ok(false);
        }
        for statement in (self.statements)() {
            statement.run(tx).await?;
        }
        let row = Query::insert()
            .into_table(TABLE)
            .columns(["version", "name"])
            .values_panic([self.version.into(), self.name.into()])
            .take();
        tx.execute(&row).await?;
        Ok(true)
    }

    /// Whether it was applied before.
    async fn is_applied(&self, connection: &impl ConnectionTrait) -> Result<bool, Fault> {
        let query = Query::select()
            .column("name")
            .from(TABLE)
            .and_where(Expr::col("version").eq(self.version))
            .take();
        let Some(row) = connection.query_one(&query).await? else {
            return Ok(false);
        };
        let theirs: String = row.try_get_by_index(0)?;
        if theirs != self.name {
            let (version, ours) = (self.version, self.name);
            return Err(Fault::OtherMigration {
                version,
                ours,
                theirs,
            });
        }
        Ok(true)
    }
}

#[async_trait]
impl Write for Migration {
    /// Whether it had to be applied.
    type Outcome = bool;
    const OPERATION: &'static str = "apply a migration";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<bool>, Fault> {
        // One process at a time, also where each statement commits by itself.
        engine::lock_migrations(tx).await?;
        let applied = self.apply(tx).await;
        engine::unlock_migrations(tx).await?;
        Ok(match applied? {
            true => Verdict::Commit(true),
            false => Verdict::RollBack(false),
        })
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<bool>, Fault> {
        // Another process applied it at the same time: look again.
        Ok(None)
    }
}
