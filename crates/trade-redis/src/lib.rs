//! What instances of a payment service share in Redis: a lock, and node numbers on lease.
//!
//! Neither is needed for anything to be right. [`RedisLock`] is a [`Lock`](trade_core::port::Lock): it saves work.
//! [`LeasedIds`] is an [`IdSource`](trade_core::port::IdSource): it saves giving each instance a node by hand, and
//! the unique indexes of the store stand below it. While [`Redis`] is away, every call fails at once, and the
//! connection comes back by itself.
//!
//! ```no_run
//! use std::{sync::Arc, time::Duration};
//!
//! use trade_core::{SystemClock, SystemRandom, memory::MemoryStore, port::{Clock, IdSource, Random}};
//! use trade_redis::{LeaseSettings, LeasedIds, Redis, RedisLock, RedisSettings};
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! let clock: Arc<dyn Clock> = Arc::new(SystemClock::new());
//! let random: Arc<dyn Random> = Arc::new(SystemRandom);
//! let redis = Redis::start(RedisSettings::new("redis://127.0.0.1:6379/0"), clock.clone()).await?;
//! let lock = RedisLock::new(redis.clone(), Duration::from_secs(30), clock.clone(), random.clone());
//! let marks = Arc::new(MemoryStore::default());
//! let ids = LeasedIds::start(redis, LeaseSettings::default(), Some(0), (clock, random), marks).await?;
//! println!("{} under node {}, {lock:?}", ids.next().await?, ids.node()?);
//! # Ok(())
//! # }
//! ```

mod error;
mod ids;
mod lease;
mod link;
mod lock;
mod settings;

// Chosen for the whole program, never here; it only must be there.
use rustls as _;

pub use error::RedisError;
pub use ids::LeasedIds;
pub use lease::LeaseSettings;
pub use link::Redis;
pub use lock::RedisLock;
pub use settings::RedisSettings;
