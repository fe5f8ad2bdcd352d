//! The trade store on SQL: tradings and refunds with their journals, outbox, notice inbox, calls to the
//! channels and idempotency keys on SQLite, PostgreSQL, and MySQL or MariaDB.
//!
//! ```
//! use trade_core::port::{Page, TradingFilter, TradingStore};
//! use trade_store::SqlStore;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("trade.db");
//! let store = SqlStore::open(&path).await?; // or SqlStore::connect("postgres://user:password@host/trade")
//! let applied = store.migrate().await?;
//! assert!(!applied.is_empty());
//! store.ping().await?; // ready: the tables are there and can be written
//!
//! let page = Page { before: None, limit: 20 };
//! let tradings = store.list_tradings(&TradingFilter::default(), page).await?;
//! assert!(tradings.is_empty());
//! # Ok(())
//! # }
//! ```
//!
//! # What it promises
//! All that the traits in [`trade_core::port`] ask for, held to it by the suites of `trade-testkit`:
//! - Every write is one transaction, durable when it returns: on SQLite by a write-ahead log with
//!   `synchronous=FULL`, on a server by its own settings ([`SqlStore::facts`] shows them).
//! - The tables themselves refuse what must not be (unique slots, numbers and keys; checks on sums), so
//!   that it is refused whoever writes, be it two processes at once.
//! - [`SqlStore::audit`] reads whether the tables still say what they must.
//! - A write runs in a task of its own: a caller that goes away in the middle changes nothing about it.
//!   So a write needs a tokio runtime.
//!
//! # Engines
//! Rows, queries and migrations are the same on all of them; what only one of them knows is in the module
//! `engine`. On servers every transaction sees what was committed before each of its statements; rows are
//! locked where one decides on what it read, the unique indexes decide between racers, and what an engine
//! rolled back for the sake of another is done again. Texts compare byte by byte, times are epoch
//! milliseconds. An error of a commit leaves the outcome unknown, and says nothing else: read before doing
//! it again. MySQL commits each statement of a migration by itself, so that one that was cut off is taken
//! up where it stood.

mod audit;
mod call;
mod census;
mod claim;
mod ends;
mod engine;
mod fault;
mod idempotency;
mod inbox;
mod legible;
mod mark;
mod migration;
mod outbox;
mod prune;
mod refund;
mod settings;
mod store;
#[expect(unreachable_pub, reason = "the derive of an entity wants its items public")]
mod table;
mod trading;
mod transaction;

pub use audit::{Audit, Violation};
pub use settings::Settings;
pub use store::{PoolUse, SqlStore};
