//! What the crate does with keys, signatures and ciphers that other programs made (see
//! `tests/vectors/make.sh`).
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::needless_pass_by_value,
    reason = "a test fails by panicking"
)]

mod aes;
#[cfg(all(feature = "aws-lc", feature = "rustcrypto"))]
mod backends;
mod certificate;
mod chain;
mod file;
mod oaep;
mod paste;
mod property;
mod refuse;
mod secret;
mod sign;
mod vector;
