//! The order system over HTTP, with the real trade server and the sandbox behind it.
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
mod broker;
mod cancel;
#[path = "../../../../crates/trade-server/tests/common/clock.rs"]
mod clock;
mod dependency;
mod engines;
mod flow;
mod late;
mod numbers;
mod one_command;
mod pages;
mod parts;
#[path = "../../../../crates/trade-store/tests/it/server.rs"]
#[allow(dead_code, reason = "the store's own tests use all of it")]
mod server;
mod steps;
mod stream;
mod switch;
mod tidy;
mod world;
