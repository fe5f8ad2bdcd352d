//! The sink and the consumer against a real broker: `RABBITMQ_URL`, or the one on this machine.
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

mod alarm;
mod bytes;
mod consume;
mod contract;
mod cut;
mod declare;
mod outbox;
mod publish;
mod recover;
mod restart;
mod support;
mod tls;
