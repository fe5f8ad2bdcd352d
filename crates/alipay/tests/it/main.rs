//! The Alipay adapter against vectors of other programs, a mock for exact bytes, and the sandbox.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod certificates;
mod codes;
mod config;
mod errors;
mod facts;
mod faults;
mod known_answers;
mod notices;
mod properties;
mod replies;
mod requests;
mod rotation;
mod sandbox;
mod support;
