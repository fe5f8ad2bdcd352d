//! The real server ends at every point at which it waits, and is started again: nothing is lost, nothing is
//! taken or given twice.
//!
//! The test program starts itself again as the server, a process of its own on a SQLite file; the channels
//! live in the parent, so that their books survive. The server's ports are decorated: before every call of
//! a port, and after every call that changes something, there is a fail point with the name of the call.
//! `CRASH_ONLY=TradingStore::commit_trading:after#2` runs one of them.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and its processes talk over their standard streams"
)]

#[path = "../common/books.rs"]
mod books;
mod child;
#[path = "../common/clock.rs"]
mod clock;
mod complete;
#[path = "../../../trade-store/tests/it/server.rs"]
#[allow(dead_code, reason = "the store's own tests use all of it")]
mod engines;
#[path = "../common/merchant.rs"]
#[allow(dead_code, reason = "the other tests use all of it")]
mod merchant;
mod points;
mod ports;
mod rest;
mod scenario;
mod server;
mod sweep;
