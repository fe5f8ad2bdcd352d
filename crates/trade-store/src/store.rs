//! The store itself: connecting, migrating, being ready.

use std::{fmt, path::Path};

use async_trait::async_trait;
use sea_orm::{DatabaseBackend, DatabaseConnection, DatabaseTransaction};
use trade_core::port::StoreError;

use crate::{
    engine::{self, Connections, Patient},
    fault::Fault,
    mark, migration,
    settings::Settings,
    transaction::{Verdict, Write, execute},
};

/// The connections of a pool at a moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PoolUse {
    /// How many are open.
    pub open: u32,
    /// How many of them have nothing to do.
    pub idle: u32,
}

/// The store on a database. Cloning it is cheap: clones share their connections.
///
/// It implements every port of [`trade_core::port::TradeStore`].
#[derive(Clone)]
pub struct SqlStore {
    connections: Connections,
}

impl SqlStore {
    /// Connects to a database URL (`postgres://user:password@host/database`, `mysql://…`,
    /// `sqlite://path?mode=rwc`, `sqlite::memory:`) or a plain path of a SQLite file. A path is created when
    /// it does not exist; a URL says so itself. A server's database must be there.
    ///
    /// # Errors
    /// An engine that is not supported, a file that cannot be opened, a server that is not there or does not
    /// let us in. No error repeats a password.
    pub async fn connect(target: &str) -> Result<Self, StoreError> {
        Self::connect_with(target, &Settings::default()).await
    }

    /// Connects as [`SqlStore::connect`] does, with settings of your own.
    ///
    /// # Errors
    /// See there.
    pub async fn connect_with(target: &str, settings: &Settings) -> Result<Self, StoreError> {
        Self::of(engine::connect(target, settings).await)
    }

    /// Opens a SQLite file, which is created when it does not exist.
    ///
    /// # Errors
    /// It cannot be opened.
    pub async fn open(path: impl AsRef<Path>) -> Result<Self, StoreError> {
        Self::open_with(path, &Settings::default()).await
    }

    /// Opens as [`SqlStore::open`] does, with settings of your own.
    ///
    /// # Errors
    /// See there.
    pub async fn open_with(path: impl AsRef<Path>, settings: &Settings) -> Result<Self, StoreError> {
        Self::of(engine::open(path.as_ref(), settings).await)
    }

    /// A database in memory, already migrated: gone with the last clone. For tests and for trying out.
    ///
    /// # Errors
    /// Never in practice.
    pub async fn in_memory() -> Result<Self, StoreError> {
        let store = Self::connect("sqlite::memory:").await?;
        store.migrate().await?;
        Ok(store)
    }

    fn of(connections: Result<Connections, Fault>) -> Result<Self, StoreError> {
        connections
            .map(|connections| Self { connections })
            .map_err(|fault| fault.during("connect to the database"))
    }

    /// Applies the migrations that are missing, each in a transaction of its own, and returns their
    /// names in order. Several processes may do so at once. A database that a newer version has
    /// migrated further is left as it is: the schema only ever grows under a running version.
    ///
    /// # Errors
    /// The database failed; what was applied before stays applied. Or it is not ours.
    pub async fn migrate(&self) -> Result<Vec<&'static str>, StoreError> {
        migration::migrate(&self.connections.writer.unhurried()).await
    }

    /// The names of the migrations that [`SqlStore::migrate`] would apply. Nothing is changed, and somebody may ask who
    /// may only read and write rows.
    ///
    /// # Errors
    /// The database failed, or it is not ours.
    pub async fn pending_migrations(&self) -> Result<Vec<&'static str>, StoreError> {
        migration::pending(&self.connections.writer.unhurried()).await
    }

    /// Whether the database takes writes: writes a row that means nothing, and sees whether there is room for more.
    ///
    /// # Errors
    /// It does not: not migrated, locked, read-only, full, or gone.
    pub async fn ping(&self) -> Result<(), StoreError> {
        execute(&self.connections.writer, Probe).await
    }

    /// The engine's settings that durability rests on, as they are in force, by name: for diagnosis.
    ///
    /// # Errors
    /// The database failed.
    pub async fn facts(&self) -> Result<Vec<(&'static str, String)>, StoreError> {
        let facts = engine::facts(&self.connections.writer).await;
        facts.map_err(|fault| fault.during("read its settings"))
    }

    /// Closes the connections after the work that has begun; every clone is closed with it.
    ///
    /// # Errors
    /// The database failed while closing. What was committed stays committed.
    pub async fn close(self) -> Result<(), StoreError> {
        let Connections { writer, reader, .. } = self.connections;
        let closed = async {
            reader.database().close().await?;
            writer.database().close().await?;
            Ok::<(), Fault>(())
        };
        closed.await.map_err(|fault| fault.during("close the database"))
    }

    /// Its pools by name, and how they are used: `all` of a server; `writer` and `reader` of SQLite, which
    /// are one and the same in memory.
    #[must_use]
    pub fn pools(&self) -> Vec<(&'static str, PoolUse)> {
        let Connections { writer, reader, .. } = &self.connections;
        let (writer, reader) = (writer.database(), reader.database());
        match writer.get_database_backend() {
            DatabaseBackend::Sqlite => vec![
                ("writer", engine::pool_use(&writer)),
                ("reader", engine::pool_use(&reader)),
            ],
            _ => vec![("all", engine::pool_use(&writer))],
        }
    }

    pub(crate) fn writer(&self) -> &Patient {
        &self.connections.writer
    }

    pub(crate) fn reader(&self) -> &Patient {
        &self.connections.reader
    }
}

impl fmt::Debug for SqlStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SqlStore")
            .field("place", &self.connections.place)
            .finish_non_exhaustive()
    }
}

/// A write that means nothing.
#[derive(Debug)]
struct Probe;

#[async_trait]
impl Write for Probe {
    type Outcome = ();
    const OPERATION: &'static str = "take a probe write";

    async fn run(&self, tx: &DatabaseTransaction) -> Result<Verdict<()>, Fault> {
        mark::probe(tx).await
    }

    async fn explain(&self, _connection: &DatabaseConnection) -> Result<Option<()>, Fault> {
        Ok(None)
    }
}
