//! A database of a test's own on every engine: a file of SQLite, and one on each server.

use sea_orm::{ConnectOptions, Database, DatabaseBackend, DatabaseConnection};
use tempfile::TempDir;
use trade_store::{Settings, SqlStore};

use super::{
    column,
    server::{self, Empty},
};

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
        stage.end().await;
    }
}

/// The columns of a table in their order, but for its own number and what the database computes.
pub(crate) async fn columns(raw: &DatabaseConnection, table: &str) -> Vec<String> {
    let columns = match raw.get_database_backend() {
        DatabaseBackend::Sqlite => {
            format!("SELECT name FROM pragma_table_info('{table}') WHERE name <> 'id'")
        }
        DatabaseBackend::Postgres => format!(
            "SELECT CAST(column_name AS text) FROM information_schema.columns WHERE table_name = '{table}' \
             AND table_schema = 'public' AND is_generated = 'NEVER' AND column_name <> 'id' ORDER BY ordinal_position"
        ),
        _ => format!(
            "SELECT CONCAT('`', COLUMN_NAME, '`') FROM information_schema.COLUMNS WHERE TABLE_NAME = '{table}' \
             AND TABLE_SCHEMA = DATABASE() AND EXTRA NOT LIKE '%GENERATED%' AND COLUMN_NAME <> 'id' \
             ORDER BY ORDINAL_POSITION"
        ),
    };
    column(raw, &columns).await.unwrap()
}

impl Stage {
    pub(crate) fn url(&self) -> String {
        match self {
            Self::File(folder) => format!("sqlite://{}?mode=rwc", folder.path().join("t.db").display()),
            Self::Server(empty) => empty.url(),
        }
    }

    /// Another on the same engine.
    pub(crate) async fn another(&self) -> Self {
        match self {
            Self::File(_) => Self::File(TempDir::new().unwrap()),
            Self::Server(empty) => Self::Server(empty.another().await),
        }
    }

    /// It is gone.
    pub(crate) async fn end(self) {
        if let Self::Server(empty) = self {
            empty.end().await;
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
