//! What tests of this workspace share: contract suites that hold every implementation of a port to
//! the same promises, and fixtures that are valid until a test says otherwise.
//!
//! ```
//! use std::sync::Arc;
//! use trade_core::memory::MemoryStore;
//! use trade_testkit::contract;
//!
//! # #[tokio::main]
//! # async fn main() {
//! // Every promise gets a store of its own; broken ones are listed together.
//! contract::store::holds(contract::store::inbox::promises(), async || Arc::new(MemoryStore::default())).await;
//! # }
//! ```
//!
//! A new implementation of a port is done when it passes the suite of that port: [`contract::store`],
//! [`contract::lock`], [`contract::sink`], [`contract::clock`], [`contract::ids`].
//!
//! What must hold of a whole world, rows and channels together, is in [`oracle`]. Lines that break are in [`proxy`].
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "the suites are tests: they fail by panicking"
)]

pub mod contract;
pub mod fixture;
pub mod gated;
pub mod oracle;
pub mod outbox;
pub mod proxy;
pub mod sim;
mod wait;

pub use wait::{PATIENCE, until};
