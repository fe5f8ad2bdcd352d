//! The core against a fake channel, an in-memory store and a clock that moves when told.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::as_conversions,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_possible_wrap,
    reason = "a test fails by panicking"
)]

mod close;
mod create;
mod dependencies;
mod notice;
mod refund;
mod refunds_by_number;
mod relay;
mod snowflake;
mod support;
mod wrap;
