//! The tables and every way they are written. Nothing here talks to another service.

pub(crate) mod connect;
pub(crate) mod dead_letter;
pub(crate) mod inbox;
mod migration;
pub(crate) mod orders;
pub(crate) mod paid;
pub(crate) mod read;
pub(crate) mod refunds;
pub(crate) mod sequence;
#[expect(unreachable_pub, reason = "the derive of an entity wants its items public")]
pub(crate) mod table;

use sea_orm::{
    DatabaseConnection, DatabaseTransaction, DbErr, SqliteTransactionMode, TransactionOptions,
    TransactionTrait,
};

/// The database. Cloning it is cheap.
#[derive(Debug, Clone)]
pub(crate) struct Store {
    db: DatabaseConnection,
}

impl Store {
    /// A transaction that may write from its beginning: one that asked for that right only at its first
    /// write could find on SQLite that somebody else has written since its first read.
    async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        let options = TransactionOptions {
            sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            ..TransactionOptions::default()
        };
        self.db.begin_with_options(options).await
    }
}

/// Whether a unique key refused a row.
pub(crate) fn is_duplicate(error: &DbErr) -> bool {
    matches!(
        error.sql_err(),
        Some(sea_orm::error::SqlErr::UniqueConstraintViolation(_))
    )
}
