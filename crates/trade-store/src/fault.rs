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
    #[error(
        "`{0}` is not a database this program speaks: give `postgres://…`, `mysql://…`, \
         `sqlite://path?mode=rwc` or a plain path"
    )]
    UnknownEngine(String),
    #[error(
        "the database URL cannot be read: write `postgres://user:password@host/database`, \
         `mysql://user:password@host/database` or `sqlite://path?mode=rwc`"
    )]
    BadUrl(#[source] Box<dyn StdError + Send + Sync>),
    #[error(
        "the database file cannot be opened: its folder must exist and be writable for this user, and a \
         URL without `mode=rwc` creates no file"
    )]
    CannotOpen(#[source] DbErr),
    #[error("the disk is full, or the database has reached its page limit: make room and try again")]
    Full(#[source] DbErr),
    #[error(
        "the disk could not be read or written: it is full, over its quota, or it fails; see what the system says of it"
    )]
    Disk(#[source] DbErr),
    #[error("the database stayed locked: is another process writing without end?")]
    Busy(#[source] DbErr),
    #[error("another instance has been migrating the database for minutes: let it finish, and start again")]
    Migrating(#[source] DbErr),
    #[error(
        "no connection became free in time: all are at work, or the database is away; try again, and allow \
         more connections if it is neither slow nor away"
    )]
    NoConnection(#[source] DbErr),
    #[error(
        "the database did not answer in time: the connection is given up; is the database overloaded, or the \
         line to it dead?"
    )]
    Silent(#[source] DbErr),
    #[error(
        "whether the write was committed is not known, since the database went away at that moment: read \
         before writing it again"
    )]
    Unknown(#[source] DbErr),
    #[error("the database is read-only: check the file's permissions and the URL's `mode`")]
    ReadOnly(#[source] DbErr),
    #[error("the database file is damaged or not a database: restore it from a backup")]
    Damaged(#[source] DbErr),
    #[error("a number or key that must be unique exists already")]
    Unique(#[source] DbErr),
    #[error("the database refused the row: the sums or references in it cannot be right")]
    Constraint(#[source] DbErr),
    #[error("another transaction was in the way again and again: try again")]
    Conflict(#[source] DbErr),
    #[error(
        "the database does not let us in: are user, password and database name right, and may the user \
         use that database?"
    )]
    Denied(#[source] DbErr),
    #[error("the database server cannot be reached, or has gone: are host and port right, and does it run?")]
    Gone(#[source] DbErr),
    #[error("the database reported an error; on a new database, migrate first")]
    Other(#[source] DbErr),
    #[error("a row cannot be read")]
    Row(#[from] BadColumn),
    #[error("an event's message cannot be written as JSON")]
    Message(#[from] serde_json::Error),
    #[error("{0}")]
    Broken(&'static str),
    #[error("migration {version} is `{ours}` here and `{theirs}` in the database: they are not ours")]
    OtherMigration {
        version: i64,
        ours: &'static str,
        theirs: String,
    },
    #[error(
        "a newer version of this program has migrated the database beyond what this version can work on (`{0}`): \
         start that version, or a newer one"
    )]
    NewerSchema(String),
    #[error("the task of the write did not end by itself")]
    Task(#[source] JoinError),
}

impl Fault {
    /// What an error means that came instead of the answer to a commit: a database that says why it did not
    /// commit has not; of any other error one cannot tell.
    pub(crate) fn of_commit(error: DbErr) -> Self {
        match Self::from(error) {
            Self::Gone(error) | Self::Silent(error) | Self::Disk(error) | Self::Other(error) => {
                Self::Unknown(error)
            }
            told => told,
        }
    }

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
            Trouble::Disk => Self::Disk(error),
            Trouble::Busy => Self::Busy(error),
            Trouble::ReadOnly => Self::ReadOnly(error),
            Trouble::Damaged => Self::Damaged(error),
            Trouble::Constraint => Self::Constraint(error),
            Trouble::Conflict => Self::Conflict(error),
            Trouble::Denied => Self::Denied(error),
            Trouble::Gone => Self::Gone(error),
            Trouble::NoConnection => Self::NoConnection(error),
            Trouble::Silent => Self::Silent(error),
            Trouble::Other => Self::Other(error),
        }
    }
}
