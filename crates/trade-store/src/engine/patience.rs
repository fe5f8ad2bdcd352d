//! How long a database is waited for, and what becomes of connections that were given up on.
//!
//! The driver waits for ever: for an answer, for a sign of life as a connection goes back to the pool, and
//! over TLS even for a farewell. A line that died without a word would keep its call, and then its place in
//! the pool. So every call has a limit, connections are looked at when they are taken and when they go back,
//! and when something was given up the whole pool is replaced: whatever still waits in the old one harms
//! nobody, and no connection is used again on which an answer may be on its way or a transaction open.

use std::{
    fmt,
    future::Future,
    io,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use tokio::time::Instant;

use async_trait::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    ExecResult, QueryResult, RuntimeErr, Statement, TransactionTrait,
    sqlx::{self, Connection, pool::PoolConnectionMetadata},
};

/// How long calls may take, and when last something was heard, and given up.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    call: Duration,
    ping: Duration,
    /// Without a sign of life for this long, every connection is dead.
    silence: Duration,
    times: Arc<Mutex<Times>>,
}

#[derive(Debug)]
struct Times {
    alive_at: Instant,
    gave_up_at: Option<Instant>,
}

impl Patience {
    /// Of a server, as the settings say.
    pub(super) fn new(call: Duration, acquire: Duration) -> Self {
        Self {
            call,
            // There must be time left to make another connection.
            ping: acquire.min(call) / 2,
            silence: call,
            times: Arc::new(Mutex::new(Times {
                alive_at: Instant::now(),
                gave_up_at: None,
            })),
        }
    }

    /// What is in this process cannot go away.
    pub(super) fn endless() -> Self {
        Self::new(Duration::MAX, Duration::MAX)
    }

    fn times(&self) -> MutexGuard<'_, Times> {
        self.times.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn heard(&self) {
        self.times().alive_at = Instant::now();
    }

    /// Gives up every connection there is, unless something was heard during that silence.
    fn give_up(&self, silence: Duration, why: &'static str) {
        let mut times = self.times();
        if times.alive_at.elapsed() >= silence {
            tracing::warn!("{why} in time: the connections to the database are given up");
            times.gave_up_at = Some(Instant::now());
        }
    }

    /// Whether something was given up since then.
    fn gave_up_since(&self, then: Instant) -> bool {
        self.times().gave_up_at.is_some_and(|at| at >= then)
    }

    /// Waits for a call, and gives it up with its connection when it takes too long.
    ///
    /// # Errors
    /// Those of the call, or that it was given up.
    pub(crate) async fn wait<T, E: From<DbErr>>(
        &self,
        call: impl Future<Output = Result<T, E>>,
    ) -> Result<T, E> {
        let mut call = pin!(call);
        let Ok(answer) = tokio::time::timeout(self.call, call.as_mut()).await else {
            // Before the call is dropped, which gives its connection back.
            self.give_up(Duration::ZERO, "a call was not answered");
            return Err(silent().into());
        };
        answer
    }

    /// Whether a connection of a pool may go on being used.
    ///
    /// # Errors
    /// It may not: something was given up since it was made, or it is dead.
    pub(super) async fn check<C: Connection>(
        &self,
        connection: &mut C,
        meta: PoolConnectionMetadata,
    ) -> Result<bool, sqlx::Error> {
        let made_at = Instant::now().checked_sub(meta.age);
        if made_at.is_none_or(|made_at| self.gave_up_since(made_at)) {
            return Err(too_late("it is as old as what was given up"));
        }
        match tokio::time::timeout(self.ping, connection.ping()).await {
            Ok(answer) => {
                self.heard();
                answer.map(|()| true)
            }
            Err(_) => {
                // On a busy machine others are heard of meanwhile, and only this one is closed.
                self.give_up(self.ping, "a connection gave no sign of life");
                Err(too_late("it does not answer"))
            }
        }
    }
}

fn too_late(why: &'static str) -> sqlx::Error {
    sqlx::Error::Io(io::Error::new(io::ErrorKind::TimedOut, why))
}

/// The database said nothing in time.
pub(super) fn silent() -> DbErr {
    DbErr::Conn(RuntimeErr::SqlxError(too_late("no answer in time").into()))
}

/// Makes a pool without waiting for anybody.
type Make = Arc<dyn Fn() -> DatabaseConnection + Send + Sync>;

/// The pool in use.
#[derive(Debug, Clone)]
struct Pool {
    connections: DatabaseConnection,
    made_at: Instant,
}

impl Pool {
    fn new(connections: DatabaseConnection) -> Self {
        Self {
            connections,
            made_at: Instant::now(),
        }
    }
}

/// A database whose answers are waited for only so long.
#[derive(Clone)]
pub(crate) struct Patient {
    pool: Arc<Mutex<Pool>>,
    make: Option<Make>,
    pub(crate) patience: Patience,
}

impl Patient {
    /// A database whose pool cannot be replaced.
    pub(super) fn lasting(connections: DatabaseConnection, patience: Patience) -> Self {
        Self {
            pool: Arc::new(Mutex::new(Pool::new(connections))),
            make: None,
            patience,
        }
    }

    /// A database with pools as `make` makes them.
    pub(super) fn renewable(
        make: impl Fn() -> DatabaseConnection + Send + Sync + 'static,
        patience: Patience,
    ) -> Self {
        let first = make();
        Self {
            make: Some(Arc::new(make)),
            ..Self::lasting(first, patience)
        }
    }

    fn lock(&self) -> MutexGuard<'_, Pool> {
        self.pool.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The pool in use; another one, when something was given up since it was made.
    fn pool(&self) -> Pool {
        let mut pool = self.lock();
        if let Some(make) = &self.make
            && self.patience.gave_up_since(pool.made_at)
        {
            let old = std::mem::replace(&mut *pool, Pool::new(make()));
            // What is at work there is not disturbed; what comes back is closed.
            tokio::spawn(old.connections.close());
        }
        pool.clone()
    }

    /// The database itself, which is waited for as long as it takes.
    pub(crate) fn database(&self) -> DatabaseConnection {
        self.pool().connections
    }

    /// The same, for work that may take long.
    pub(crate) fn unhurried(&self) -> Self {
        let mut unhurried = self.clone();
        unhurried.patience.call = Duration::MAX;
        unhurried
    }

    /// Begins a transaction that reads and then writes.
    ///
    /// # Errors
    /// It did not begin.
    pub(crate) async fn begin(&self) -> Result<DatabaseTransaction, DbErr> {
        self.ask(|database: DatabaseConnection| async move {
            database.begin_with_options(super::write_transaction()).await
        })
        .await
    }

    /// Asks the pool for a connection, and the database for an answer; when the pool turns out to be lost,
    /// another one, since nobody was asked anything.
    async fn ask<T, F>(&self, call: impl Fn(DatabaseConnection) -> F) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        let pool = self.pool();
        let answer = self.patience.wait(call(pool.connections)).await;
        match answer {
            Err(DbErr::ConnectionAcquire(why)) if self.is_lost(&why, pool.made_at) => {
                self.patience.wait(call(self.database())).await
            }
            Ok(answer) => {
                self.patience.heard();
                Ok(answer)
            }
            Err(error) => Err(error),
        }
    }

    /// Whether a pool that gave us no connection gives nobody any.
    fn is_lost(&self, why: &ConnAcquireErr, made_at: Instant) -> bool {
        if self.make.is_none() {
            return false;
        }
        if matches!(why, ConnAcquireErr::Timeout) {
            self.patience
                .give_up(self.patience.silence, "no connection became free");
        }
        self.patience.gave_up_since(made_at)
    }
}

impl fmt::Debug for Patient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Patient")
            .field("patience", &self.patience)
            .finish_non_exhaustive()
    }
}

#[async_trait]
impl ConnectionTrait for Patient {
    fn get_database_backend(&self) -> DatabaseBackend {
        self.lock().connections.get_database_backend()
    }

    async fn execute_raw(&self, statement: Statement) -> Result<ExecResult, DbErr> {
        self.ask(|database: DatabaseConnection| {
            let statement = statement.clone();
            async move { database.execute_raw(statement).await }
        })
        .await
    }

    async fn execute_unprepared(&self, sql: &str) -> Result<ExecResult, DbErr> {
        self.ask(|database: DatabaseConnection| async move { database.execute_unprepared(sql).await })
            .await
    }

    async fn query_one_raw(&self, statement: Statement) -> Result<Option<QueryResult>, DbErr> {
        self.ask(|database: DatabaseConnection| {
            let statement = statement.clone();
            async move { database.query_one_raw(statement).await }
        })
        .await
    }

    async fn query_all_raw(&self, statement: Statement) -> Result<Vec<QueryResult>, DbErr> {
        self.ask(|database: DatabaseConnection| {
            let statement = statement.clone();
            async move { database.query_all_raw(statement).await }
        })
        .await
    }
}
