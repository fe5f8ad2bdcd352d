//! A database whose answers are waited for only so long, and whose pool is replaced when it was given up.

use std::{
    fmt,
    future::Future,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use async_trait::async_trait;
use sea_orm::{
    ConnAcquireErr, ConnectionTrait, DatabaseBackend, DatabaseConnection, DatabaseTransaction, DbErr,
    ExecResult, QueryResult, Statement, TransactionTrait,
};
use tokio::time::Instant;

use super::Patience;

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

    /// Begins a transaction that reads and then writes; with the patience for what is asked in it.
    ///
    /// # Errors
    /// It did not begin.
    pub(crate) async fn begin(&self) -> Result<(DatabaseTransaction, Patience), DbErr> {
        let (tx, made_at) = self
            .ask_a_pool(|database: DatabaseConnection| async move {
                database.begin_with_options(super::write_transaction()).await
            })
            .await?;
        Ok((tx, self.patience.of_pool(made_at)))
    }

    async fn ask<T, F>(&self, call: impl Fn(DatabaseConnection) -> F) -> Result<T, DbErr>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        self.ask_a_pool(call).await.map(|(answer, _)| answer)
    }

    /// Asks the pool for a connection, and the database for an answer; when the pool turns out to be lost,
    /// another one, since nobody was asked anything. With the answer, when the pool was made that gave it.
    async fn ask_a_pool<T, F>(&self, call: impl Fn(DatabaseConnection) -> F) -> Result<(T, Instant), DbErr>
    where
        F: Future<Output = Result<T, DbErr>>,
    {
        let mut pool = self.pool();
        let mut answer = self.of(&pool).wait(call(pool.connections.clone())).await;
        if let Err(DbErr::ConnectionAcquire(why)) = &answer
            && self.is_lost(why, pool.made_at)
        {
            pool = self.pool();
            answer = self.of(&pool).wait(call(pool.connections.clone())).await;
        }
        if answer.is_ok() {
            self.patience.heard();
        }
        Ok((answer?, pool.made_at))
    }

    fn of(&self, pool: &Pool) -> Patience {
        self.patience.of_pool(pool.made_at)
    }

    /// Whether a pool that gave us no connection gives nobody any.
    fn is_lost(&self, why: &ConnAcquireErr, made_at: Instant) -> bool {
        if self.make.is_none() {
            return false;
        }
        if matches!(why, ConnAcquireErr::Timeout) {
            self.patience
                .give_up(made_at, self.patience.silence, "no connection became free");
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

#[cfg(test)]
mod tests {
    use std::{
        future::pending,
        sync::atomic::{AtomicUsize, Ordering},
    };

    use sea_orm::{SqlxSqliteConnector, sqlx::sqlite::SqlitePoolOptions};

    use super::*;

    const CALL: Duration = Duration::from_secs(10);

    /// A call that is never answered.
    async fn unanswered(patient: &Patient) {
        let asked = patient.ask(|_| pending::<Result<(), DbErr>>()).await;
        assert!(asked.is_err());
    }

    /// Several wait for a server that has fallen silent, each since another moment. The first who gives up has the
    /// pool replaced, and those who give up later say nothing against the new one.
    #[tokio::test(start_paused = true)]
    async fn what_is_left_of_an_old_pool_costs_no_new_one() {
        let made = Arc::new(AtomicUsize::new(0));
        let count = Arc::clone(&made);
        let make = move || {
            count.fetch_add(1, Ordering::SeqCst);
            let pool = SqlitePoolOptions::new().connect_lazy("sqlite::memory:");
            SqlxSqliteConnector::from_sqlx_sqlite_pool(pool.unwrap())
        };
        let patient = Patient::renewable(make, Patience::new(CALL, CALL));
        let pools = || {
            patient.pool();
            made.load(Ordering::SeqCst)
        };
        let in_a_transaction = patient.of(&patient.pool());
        let late = async {
            tokio::time::sleep(CALL / 2).await;
            unanswered(&patient).await;
        };
        let first = async {
            unanswered(&patient).await;
            tokio::time::sleep(Duration::from_millis(1)).await;
            assert_eq!(pools(), 2, "the first who gave up");
        };
        tokio::join!(first, late);
        assert_eq!(pools(), 2, "one that had waited with it");
        let statement = in_a_transaction.wait(pending::<Result<(), DbErr>>());
        assert!(statement.await.is_err());
        assert_eq!(
            pools(),
            2,
            "the next statement of a transaction that had begun before"
        );
        unanswered(&patient).await;
        assert_eq!(pools(), 3, "the new one is silent, too");
    }
}
