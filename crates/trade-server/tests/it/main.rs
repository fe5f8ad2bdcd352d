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

mod ages;
mod bad_input;
#[path = "../common/books.rs"]
mod books;
#[path = "../common/broker.rs"]
mod broker;
mod call_log;
mod cancel;
#[path = "../common/clock.rs"]
mod clock;
mod clockwork;
mod close;
mod command;
mod config;
mod crowd;
mod cut_off;
mod docs;
mod events;
mod exactly_once;
mod full;
mod going_down;
mod health;
mod idempotency;
mod instances;
mod locks;
#[path = "../common/merchant.rs"]
mod merchant;
mod metrics;
mod nonsense;
mod notice;
mod operate;
mod outage;
mod outer_jobs;
mod parts;
mod pay;
mod pools;
#[path = "../../../trade-redis/tests/it/private.rs"]
#[allow(dead_code, reason = "the tests of trade-redis use all of it")]
mod private_redis;
mod process;
mod rabbit;
mod race;
mod readme;
mod redis;
mod refund;
#[path = "../../../trade-store/tests/it/server.rs"]
#[allow(dead_code, reason = "the store's own tests use all of it")]
mod server;
mod startup;
mod surplus;
mod switch;
mod tidy;
mod webhook;
mod world;
