//! The connection to Redis, kept in the background.

use std::{fmt, sync::Arc, time::Duration};

use redis::{AsyncConnectionConfig, Cmd, FromRedisValue, aio::MultiplexedConnection};
use tokio::{sync::watch, task::JoinSet, time::timeout};
use trade_core::port::Clock;

use crate::{RedisError, RedisSettings};

/// A probe writes, and by a script, so that what cannot do either is not taken for a working Redis.
const PROBE: &str = "return redis.call('SET', KEYS[1], '1', 'PX', 1000)";

/// A connection to Redis that comes back by itself.
///
/// A task in the background connects, asks now and then whether Redis still takes writes, and connects again
/// with a growing pause once it does not. While there is no connection every command fails at once, so nobody
/// waits for a Redis that is away. The task ends with the last clone.
#[derive(Clone)]
pub struct Redis {
    shared: Arc<Shared>,
    _keeper: Arc<JoinSet<()>>,
}

struct Shared {
    settings: RedisSettings,
    client: redis::Client,
    clock: Arc<dyn Clock>,
    line: watch::Sender<Line>,
}

#[derive(Clone)]
enum Line {
    Up(Connection),
    Away(String),
}

/// One connection; commands that must go to the same process of Redis go over the same one.
#[derive(Clone)]
pub(crate) struct Connection {
    /// Which of the connections so far it is.
    number: u64,
    commands: MultiplexedConnection,
}

impl Redis {
    /// Starts to keep a connection, and waits for the outcome of the first attempt, whatever it is.
    ///
    /// # Errors
    /// [`RedisError::Settings`]: the settings cannot work. A Redis that is away is no error.
    pub async fn start(settings: RedisSettings, clock: Arc<dyn Clock>) -> Result<Self, RedisError> {
        settings.check()?;
        let (line, mut first) = watch::channel(Line::Away("not tried yet".into()));
        let shared = Arc::new(Shared {
            client: settings.client()?,
            settings,
            clock,
            line,
        });
        let mut keeper = JoinSet::new();
        keeper.spawn(keep(Arc::clone(&shared)));
        // It cannot be closed: the sender is in `shared`.
        let _tried = first.changed().await;
        Ok(Self {
            shared,
            _keeper: Arc::new(keeper),
        })
    }

    /// Why there is no connection just now; `None` when there is one.
    #[must_use]
    pub fn away(&self) -> Option<String> {
        self.shared.away()
    }

    pub(crate) fn key(&self, kind: &str, name: &str) -> String {
        self.shared.settings.key(kind, name)
    }

    pub(crate) fn connection(&self) -> Result<Connection, RedisError> {
        match &*self.shared.line.borrow() {
            Line::Up(connection) => Ok(connection.clone()),
            Line::Away(reason) => Err(RedisError::Away {
                reason: reason.clone(),
            }),
        }
    }

    /// Asks over whatever connection there is.
    pub(crate) async fn ask<T: FromRedisValue>(&self, command: &Cmd) -> Result<T, RedisError> {
        self.ask_on(&self.connection()?, command).await
    }

    /// Asks over that connection.
    pub(crate) async fn ask_on<T: FromRedisValue>(
        &self,
        connection: &Connection,
        command: &Cmd,
    ) -> Result<T, RedisError> {
        self.shared.ask(connection, command).await
    }
}

impl Shared {
    fn away(&self) -> Option<String> {
        match &*self.line.borrow() {
            Line::Up(_) => None,
            Line::Away(reason) => Some(reason.clone()),
        }
    }

    /// An answer, or an error that ends the connection: whatever Redis says to commands as plain as ours, it is
    /// not fit for work until a probe says otherwise.
    async fn ask<T: FromRedisValue>(&self, connection: &Connection, command: &Cmd) -> Result<T, RedisError> {
        let mut commands = connection.commands.clone();
        let after = self.settings.response_timeout;
        let error = match timeout(after, command.query_async(&mut commands)).await {
            Ok(Ok(answer)) => return Ok(answer),
            Ok(Err(source)) => RedisError::failed(self.settings.place(), source),
            Err(_elapsed) => self.silent(after),
        };
        self.line.send_if_modified(|line| {
            // A late answer over a connection that is given up says nothing about the next one.
            let is_this = matches!(line, Line::Up(now) if now.number == connection.number);
            if is_this {
                *line = Line::Away(error.to_string());
            }
            is_this
        });
        Err(error)
    }

    async fn connect(&self, number: u64) -> Result<Connection, RedisError> {
        let after = self.settings.connect_timeout;
        let config = AsyncConnectionConfig::new()
            .set_connection_timeout(None)
            .set_response_timeout(None);
        let connected = async {
            let commands = self
                .client
                .get_multiplexed_async_connection_with_config(&config)
                .await
                .map_err(|source| RedisError::failed(self.settings.place(), source))?;
            let connection = Connection { number, commands };
            self.probe(&connection).await?;
            Ok(connection)
        };
        timeout(after, connected)
            .await
            .unwrap_or_else(|_elapsed| Err(self.silent(after)))
    }

    async fn probe(&self, connection: &Connection) -> Result<(), RedisError> {
        let mut probe = redis::cmd("EVAL");
        probe.arg(PROBE).arg(1).arg(self.settings.key("probe", "write"));
        self.ask(connection, &probe).await
    }

    /// Returns once the connection is of no use any more.
    async fn guard(&self, connection: &Connection) {
        let mut line = self.line.subscribe();
        let probing = async {
            loop {
                self.clock.sleep(self.settings.probe_every).await;
                // What it says is in `line`.
                let _answer = self.probe(connection).await;
            }
        };
        tokio::select! {
            () = probing => {}
            _given_up = line.wait_for(|line| matches!(line, Line::Away(_))) => {}
        }
    }

    fn silent(&self, after: Duration) -> RedisError {
        RedisError::Silent {
            place: self.settings.place(),
            after,
        }
    }
}

/// Keeps the connection until it is aborted.
async fn keep(shared: Arc<Shared>) {
    let place = shared.settings.place();
    let first = shared.settings.backoff_first;
    let mut pause = first;
    let mut is_told = false;
    for number in 0.. {
        match shared.connect(number).await {
            Ok(connection) => {
                tracing::info!(place, "connected to Redis");
                pause = first;
                shared.line.send_replace(Line::Up(connection.clone()));
                shared.guard(&connection).await;
                is_told = false;
            }
            Err(error) => {
                shared.line.send_replace(Line::Away(error.to_string()));
            }
        }
        if !std::mem::replace(&mut is_told, true) {
            tracing::warn!(reason = shared.away(), "Redis is away: work goes on without it");
        }
        shared.clock.sleep(pause).await;
        pause = pause
            .saturating_mul(2)
            .min(shared.settings.backoff_longest.max(first));
    }
}

impl fmt::Debug for Redis {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Redis")
            .field("settings", &self.shared.settings)
            .field("away", &self.away())
            .finish_non_exhaustive()
    }
}
