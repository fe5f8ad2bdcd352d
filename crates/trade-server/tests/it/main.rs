//! The whole server against the sandbox, over real sockets.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_in_result,
    clippy::as_conversions,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod bad_input;
mod close;
mod config;
mod events;
mod health;
mod nonsense;
mod notice;
mod pay;
mod refund;
mod tidy;
mod world;
