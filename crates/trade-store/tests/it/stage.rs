//! A database of a test's own on every engine: a file of SQLite, and one on each server.

use sea_orm::{ConnectOptions, Database, DatabaseConnection};
use tempfile::TempDir;
use trade_store::{Settings, SqlStore};

use super::server::{self, Empty};

/// An empty database.
pub(crate) enum Stage {
    File(TempDir),
    Server(Empty),
}

/// Runs a test on every engine, each time on a database of its own that is gone afterwards.
pub(crate) async fn on_every_engine(test: impl AsyncFn(&Stage)) {
    let file = Stage::File(TempDir::new().unwrap());
    test(&file).await;
    for server in server::all() {
        let stage = Stage::Server(server.empty().await);
        test(&stage).await;
        if let Stage::Server(empty) = stage {
            empty.end().await;
        }
    }
}

impl Stage {
    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(folder) => format!("sqlite://{}?mode=rwc", folder.path().join("t.db").display()),
            Self::Server(empty) => empty.url(),
        }
    }

    /// The store, migrated.
    pub(crate) async fn store(&self) -> SqlStore {
        let store = self.store_with(&Settings::default()).await;
        store.migrate().await.unwrap();
        store
    }

    /// The store as it is.
    pub(crate) async fn store_with(&self, settings: &Settings) -> SqlStore {
        SqlStore::connect_with(&self.url(), settings).await.unwrap()
    }

    /// Somebody else's connection to the database, which knows nothing of the store.
    pub(crate) async fn outsider(&self) -> DatabaseConnection {
        let mut options = ConnectOptions::new(self.url());
        options.max_connections(1).sqlx_logging(false);
        Database::connect(options).await.unwrap()
    }
}
