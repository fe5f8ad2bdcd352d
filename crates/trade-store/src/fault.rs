//! Why the store failed, in words for an operator.

use std::error::Error as StdError;

use sea_orm::{DbErr, error::SqlErr};
use tokio::task::JoinError;
use trade_core::port::StoreError;

use crate::{
    engine::{self, Trouble},
    table::BadColumn,
};

/// What is behind a [`StoreError`].
#[derive(Debug, thiserror::Error)]
pub(crate) enum Fault {
    /// The scheme of a URL; never the URL, which may hold a password.
    #[error("`{0}` is not a database this program speaks: give `sqlite://path?mode=rwc` or a plain path")]
    UnknownEngine(String),
    #[error("the database URL cannot be read: write `sqlite://path?mode=rwc`")]
    BadUrl(#[source] Box<dyn StdError + Send + Sync>),
    #[error(
        "the database file cannot be opened: its folder must exist and be writable for this user, and a \
         URL without `mode=rwc` creates no file"
    )]
    CannotOpen(#[source] DbErr),
    #[error("the disk is full, or the database has reached its page limit: make room and try again")]
    Full(#[source] DbErr),
    #[error(
        "the database stayed locked or no connection became free in time: is another process writing \
         without end?"
    )]
    Busy(#[source] DbErr),
    #[error("the database is read-only: check the file's permissions and the URL's `mode`")]
    ReadOnly(#[source] DbErr),
    #[error("the database file is damaged or not a database: restore it from a backup")]
    Damaged(#[source] DbErr),
    #[error("a number or key that must be unique exists already")]
    Unique(#[source] DbErr),
    #[error("the database refused the row: the sums or references in it cannot be right")]
    Constraint(#[source] DbErr),
    #[error("the database reported an error; on a new database, migrate first")]
    Other(#[source] DbErr),
    #[error("a row cannot be read")]
    Row(#[from] BadColumn),
    #[error("an event's message cannot be written as JSON")]
    Message(#[from] serde_json::Error),
    #[error("{0}")]
    Missing(&'static str),
    #[error("migration {version} is `{ours}` here and `{theirs}` in the database: they are not ours")]
    OtherMigration {
        version: i64,
        ours: &'static str,
        theirs: String,
    },
    #[error("the task of the write did not end by itself")]
    Task(#[source] JoinError),
}

impl Fault {
    /// The error of the port.
    pub(crate) fn during(self, operation: &'static str) -> StoreError {
        StoreError {
            operation,
            source: Box::new(self),
        }
    }
}

impl From<DbErr> for Fault {
    fn from(error: DbErr) -> Self {
        if let Some(SqlErr::UniqueConstraintViolation(_)) = error.sql_err() {
            return Self::Unique(error);
        }
        match engine::trouble(&error) {
            Trouble::CannotOpen => Self::CannotOpen(error),
            Trouble::Full => Self::Full(error),
            Trouble::Busy => Self::Busy(error),
            Trouble::ReadOnly => Self::ReadOnly(error),
            Trouble::Damaged => Self::Damaged(error),
            Trouble::Constraint => Self::Constraint(error),
            Trouble::Other => Self::Other(error),
        }
    }
}
