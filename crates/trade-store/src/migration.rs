//! Migrations: the tables of each version, one file a step. How to add one: `migration/README.md`.

mod column;
mod m0001_pay_channel;
mod m0002_trading;
mod m0003_trade_journal;
mod m0004_refund_record;
mod m0005_trade_outbox;
mod m0006_notice_inbox;
mod m0007_id_mark;

use async_trait::async_trait;
use sea_orm::{
    ConnectionTrait, DatabaseConnection, DatabaseTransaction, ExprTrait,
    sea_query::{Expr, IndexCreateStatement, Query, Table, TableCreateStatement},
};
use trade_core::port::StoreError;

use crate::{
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

/// Every step, in order. A step that was released never changes.
const ALL: [Migration; 7] = [
    m0001_pay_channel::MIGRATION,
    m0002_trading::MIGRATION,
    m0003_trade_journal::MIGRATION,
    m0004_refund_record::MIGRATION,
    m0005_trade_outbox::MIGRATION,
    m0006_notice_inbox::MIGRATION,
    m0007_id_mark::MIGRATION,
];

/// Applies what is missing.
pub(crate) async fn migrate(writer: &DatabaseConnection) -> Result<Vec<&'static str>, StoreError> {
    execute(writer, Prepare).await?;
    let mut applied = Vec::new();
    for migration in ALL {
        if execute(writer, migration).await? {
            applied.push(migration.name);
        }
    }
    Ok(applied)
}

/// What is missing. Creates the table of the steps when there is none, so that it can be asked.
pub(crate) async fn pending(writer: &DatabaseConnection) -> Result<Vec<&'static str>, StoreError> {
    execute(writer, Prepare).await?;
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
        tx.execute(&table).await?;
        Ok(Verdict::Commit(()))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<()>, Fault> {
        Ok(None)
    }
}

impl Migration {
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
        if self.is_applied(tx).await? {
            return Ok(Verdict::RollBack(false));
        }
        for statement in (self.statements)() {
            match statement {
                Statement::Table(table) => tx.execute(table.as_ref()).await?,
                Statement::Index(index) => tx.execute(index.as_ref()).await?,
            };
        }
        let row = Query::insert()
            .into_table(TABLE)
            .columns(["version", "name"])
            .values_panic([self.version.into(), self.name.into()])
            .take();
        tx.execute(&row).await?;
        Ok(Verdict::Commit(true))
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<bool>, Fault> {
        // Another process applied it at the same time: look again.
        Ok(None)
    }
}
