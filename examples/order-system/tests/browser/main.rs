//! The pages as people see them: headless Chromium on a phone's screen, driven over WebDriver, with the whole shop
//! behind it.
//!
//! `BROWSER_SHOTS=folder` keeps a picture of every page that a test stops at.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a test fails by panicking, and says what it measured"
)]

mod access;
mod chromium;
#[path = "../../../../crates/trade-server/tests/common/clock.rs"]
mod clock;
mod dependency;
#[path = "../it/parts.rs"]
#[allow(dead_code, reason = "the other tests use all of it")]
mod parts;
mod pay;
mod switch;
mod time_out;
#[path = "../it/world.rs"]
#[allow(dead_code, reason = "the other tests use all of it")]
mod world;
