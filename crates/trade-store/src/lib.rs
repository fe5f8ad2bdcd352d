//! The trade store on SQL: tradings, refunds, journal, outbox and notice inbox on SQLite.
//!
//! ```
//! use trade_core::port::{Page, TradingFilter, TradingStore};
//! use trade_store::SqlStore;
//!
//! # #[tokio::main]
//! # async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! # let folder = tempfile::tempdir()?;
//! # let path = folder.path().join("trade.db");
//! let store = SqlStore::open(&path).await?; // or SqlStore::connect("sqlite://trade.db?mode=rwc")
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
//! - Every write is one transaction, durable when it returns: write-ahead log, `synchronous=FULL`.
//! - The tables themselves refuse what must not be (unique slots, numbers and keys; checks on sums), so
//!   that it is refused whoever writes, be it two processes at once.
//! - A write runs in a task of its own: a caller that goes away in the middle changes nothing about it.
//!   So a write needs a tokio runtime.
//!
//! # Engines
//! SQLite today. Rows, queries and migrations are written for three engines; what only one of them
//! knows is in the module `engine`.

mod engine;
mod fault;
mod inbox;
mod mark;
mod migration;
mod outbox;
mod refund;
mod settings;
mod store;
#[expect(unreachable_pub, reason = "the derive of an entity wants its items public")]
mod table;
mod trading;
mod transaction;

pub use settings::Settings;
pub use store::SqlStore;
