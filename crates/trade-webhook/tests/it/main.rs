//! The sink against receivers on this machine, good and bad ones, and the receiver's half.
#![allow(
    clippy::unwrap_used,
    clippy::unwrap_in_result,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

mod answers;
mod contract;
mod receiver;
mod relay;
mod request;
mod tls;
mod verify;
