//! The adapter over real sockets: against replies made for it, and against the sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::as_conversions,
    clippy::string_slice,
    clippy::disallowed_methods,
    reason = "a test fails by panicking"
)]

mod certificates;
mod config;
mod errors;
mod failover;
mod forged;
mod known_answers;
mod mutations;
mod notices;
mod properties;
mod replies;
mod requests;
mod sandbox;
mod support;
