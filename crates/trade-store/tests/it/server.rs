//! Database servers under test: a database of its own on each, gone with the test.
//!
//! `TRADE_TEST_POSTGRES` and `TRADE_TEST_MYSQL` say where they are, as URLs without a database.

use std::{
    env,
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
};

use sea_orm::{ConnectOptions, ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, Statement};
use trade_store::SqlStore;

/// A server on which databases can be made.
#[derive(Debug, Clone)]
pub(crate) struct Server {
    url: String,
    /// A database that is always there.
    home: &'static str,
}

/// Every server that the tests use: one that is not there fails them. None, when only what is embedded was
/// asked for.
pub(crate) fn all() -> Vec<Server> {
    if env::var_os("TRADE_TEST_EMBEDDED").is_some() {
        return Vec::new();
    }
    let url = |name: &str, default: &str| env::var(name).unwrap_or_else(|_| default.to_owned());
    vec![
        Server {
            url: url("TRADE_TEST_POSTGRES", "postgres://postgres@127.0.0.1:5432"),
            home: "postgres",
        },
        Server {
            url: url("TRADE_TEST_MYSQL", "mysql://root@127.0.0.1:3306"),
            home: "mysql",
        },
    ]
}

/// An empty database.
pub(crate) struct Empty {
    server: Server,
    name: String,
}

/// A migrated store on a database of its own.
pub(crate) struct Fresh {
    database: Empty,
    pub(crate) store: Arc<SqlStore>,
}

impl Server {
    async fn outsider(&self, database: &str) -> DatabaseConnection {
        let mut options = ConnectOptions::new(format!("{}/{database}", self.url));
        options.max_connections(1).sqlx_logging(false);
        let connected = Database::connect(options).await;
        connected.unwrap_or_else(|error| panic!("there is no server at {}: {error}", self.url))
    }

    /// The URL of a database.
    pub(crate) fn on(&self, database: &str) -> String {
        format!("{}/{database}", self.url)
    }

    /// The URL for somebody whom the server does not know.
    pub(crate) fn as_stranger(&self) -> String {
        let (scheme, rest) = self.url.split_once("://").unwrap();
        let host = rest.rsplit('@').next().unwrap();
        format!("{scheme}://nobody_at_all:hunter2@{host}/{}", self.home)
    }

    /// Host and port.
    pub(crate) fn host(&self) -> &str {
        self.url.rsplit(['@', '/']).next().unwrap()
    }

    pub(crate) async fn empty(&self) -> Empty {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let count = COUNT.fetch_add(1, Ordering::SeqCst);
        let name = format!("trade_test_{}_{count}", std::process::id());
        let home = self.outsider(self.home).await;
        home.execute_unprepared(&format!("CREATE DATABASE {name}"))
            .await
            .unwrap();
        home.close().await.unwrap();
        Empty {
            server: self.clone(),
            name,
        }
    }

    pub(crate) async fn fresh(&self) -> Fresh {
        let database = self.empty().await;
        let store = SqlStore::connect(&database.url()).await.unwrap();
        store.migrate().await.unwrap();
        Fresh {
            database,
            store: Arc::new(store),
        }
    }
}

impl Empty {
    pub(crate) fn url(&self) -> String {
        self.server.on(&self.name)
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Another on the same server.
    pub(crate) async fn another(&self) -> Self {
        self.server.empty().await
    }

    /// The URL of the database by way of somebody who stands before its server.
    pub(crate) fn by_way_of(&self, address: SocketAddr) -> String {
        let host = self.server.host();
        self.url().replacen(host, &address.to_string(), 1)
    }

    /// Somebody else's connection to the database.
    pub(crate) async fn outsider(&self) -> DatabaseConnection {
        self.server.outsider(&self.name).await
    }

    /// The transactions that are open in the database, those of this connection aside.
    pub(crate) async fn open_transactions(&self, raw: &DatabaseConnection) -> Vec<String> {
        let name = &self.name;
        let backend = raw.get_database_backend();
        let open = match backend {
            DatabaseBackend::Postgres => format!(
                "SELECT CONCAT_WS(' ', pid, state, wait_event, query) FROM pg_stat_activity \
                 WHERE datname = '{name}' AND xact_start IS NOT NULL AND pid <> pg_backend_pid() \
                 AND backend_type = 'client backend'"
            ),
            _ => format!(
                "SELECT CONCAT_WS(' ', p.ID, p.COMMAND, p.STATE, p.INFO) FROM information_schema.INNODB_TRX t \
                 JOIN information_schema.PROCESSLIST p ON p.ID = t.trx_mysql_thread_id \
                 WHERE p.DB = '{name}' AND p.ID <> CONNECTION_ID()"
            ),
        };
        let rows = raw
            .query_all_raw(Statement::from_string(backend, open))
            .await
            .unwrap();
        rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
    }

    pub(crate) async fn end(self) {
        let home = self.server.outsider(self.server.home).await;
        // Connections may still be on their way out.
        let force = match home.get_database_backend() {
            DatabaseBackend::Postgres => " WITH (FORCE)",
            _ => "",
        };
        let drop = format!("DROP DATABASE {}{force}", self.name);
        home.execute_unprepared(&drop).await.unwrap();
        home.close().await.unwrap();
    }
}

/// The tables with rows of their own, children first.
const TABLES: [&str; 9] = [
    "channel_call",
    "idempotency_key",
    "notice_inbox",
    "id_mark",
    "trade_outbox",
    "refund_journal",
    "refund_record",
    "trade_journal",
    "trading",
];

/// Empties every table.
pub(crate) async fn wipe(raw: &DatabaseConnection) {
    for table in TABLES {
        raw.execute_unprepared(&format!("DELETE FROM {table}"))
            .await
            .unwrap();
    }
    raw.execute_unprepared("UPDATE trade_position SET last_position = 0")
        .await
        .unwrap();
}

impl Fresh {
    pub(crate) fn url(&self) -> String {
        self.database.url()
    }

    /// The URL for another user, who has no password.
    pub(crate) fn url_of(&self, user: &str) -> String {
        let url = self.url();
        let (scheme, rest) = url.split_once("://").unwrap();
        let host = rest.rsplit('@').next().unwrap();
        format!("{scheme}://{user}@{host}")
    }

    pub(crate) fn name(&self) -> &str {
        &self.database.name
    }

    /// Somebody else's connection to the database.
    pub(crate) async fn outsider(&self) -> DatabaseConnection {
        self.database.outsider().await
    }

    /// The URL of the database by way of somebody who stands before its server.
    pub(crate) fn by_way_of(&self, address: SocketAddr) -> String {
        self.database.by_way_of(address)
    }

    /// The transactions that are open in the database, those of this connection aside.
    pub(crate) async fn open_transactions(&self, raw: &DatabaseConnection) -> Vec<String> {
        self.database.open_transactions(raw).await
    }

    /// Has the server end every connection to the database but this one.
    pub(crate) async fn end_connections(&self, raw: &DatabaseConnection) {
        let name = &self.database.name;
        let backend = raw.get_database_backend();
        if backend == DatabaseBackend::Postgres {
            let end = format!(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity \
                 WHERE datname = '{name}' AND pid <> pg_backend_pid()"
            );
            raw.query_all_raw(Statement::from_string(backend, end))
                .await
                .unwrap();
            return;
        }
        let ids = format!(
            "SELECT CAST(ID AS SIGNED) FROM information_schema.PROCESSLIST \
             WHERE DB = '{name}' AND ID <> CONNECTION_ID()"
        );
        for row in raw
            .query_all_raw(Statement::from_string(backend, ids))
            .await
            .unwrap()
        {
            let id: i64 = row.try_get_by_index(0).unwrap();
            // It may have gone by itself.
            let _gone = raw.execute_unprepared(&format!("KILL {id}")).await;
        }
    }

    pub(crate) async fn end(self) {
        let Ok(store) = Arc::try_unwrap(self.store) else {
            panic!("somebody still holds the store");
        };
        store.close().await.unwrap();
        self.database.end().await;
    }
}
