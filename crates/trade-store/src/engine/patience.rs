//! How long a database is waited for, and what becomes of connections that were given up on.
//!
//! The driver waits for ever: for an answer, for a sign of life as a connection goes back to the pool, and
//! over TLS even for a farewell. A line that died without a word would keep its call, and then its place in
//! the pool. So every call has a limit, connections are looked at when they are taken and when they go back,
//! and when something was given up the whole pool is replaced: whatever still waits in the old one harms
//! nobody, and no connection is used again on which an answer may be on its way or a transaction open.

use std::{
    future::Future,
    io,
    pin::pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

use sea_orm::{
    DbErr, RuntimeErr,
    sqlx::{self, Connection, pool::PoolConnectionMetadata},
};
use tokio::time::Instant;

/// How long calls may take, and when last something was heard, and given up.
#[derive(Debug, Clone)]
pub(crate) struct Patience {
    pub(super) call: Duration,
    ping: Duration,
    /// Without a sign of life for this long, every connection is dead.
    pub(super) silence: Duration,
    /// When the pool was made whose calls are waited for; none, where each is of the pool in use.
    made_at: Option<Instant>,
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
            made_at: None,
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

    pub(super) fn heard(&self) {
        self.times().alive_at = Instant::now();
    }

    /// The same for calls of the pool that was made then.
    pub(super) fn of_pool(&self, made_at: Instant) -> Self {
        Self {
            made_at: Some(made_at),
            ..self.clone()
        }
    }

    /// Gives up every connection there is, unless something was heard during that silence. What is left over from
    /// before the last time says nothing of the connections that were made since.
    pub(super) fn give_up(&self, made_at: Instant, silence: Duration, why: &'static str) {
        let mut times = self.times();
        let is_old = times.gave_up_at.is_some_and(|at| at >= made_at);
        if !is_old && times.alive_at.elapsed() >= silence {
            tracing::warn!("{why} in time: the connections to the database are given up");
            times.gave_up_at = Some(Instant::now());
        }
    }

    /// Whether something was given up since then.
    pub(super) fn gave_up_since(&self, then: Instant) -> bool {
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
        let made_at = self.made_at.unwrap_or_else(Instant::now);
        let Ok(answer) = tokio::time::timeout(self.call, call.as_mut()).await else {
            // Before the call is dropped, which gives its connection back.
            self.give_up(made_at, Duration::ZERO, "a call was not answered");
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
        let Some(made_at) = made_at.filter(|made_at| !self.gave_up_since(*made_at)) else {
            return Err(too_late("it is as old as what was given up"));
        };
        match tokio::time::timeout(self.ping, connection.ping()).await {
            Ok(answer) => {
                self.heard();
                answer.map(|()| true)
            }
            Err(_) => {
                // On a busy machine others are heard of meanwhile, and only this one is closed.
                self.give_up(made_at, self.ping, "a connection gave no sign of life");
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
