//! The contract suites against the reference implementations, and the suites against themselves: a
//! suite that cannot fail proves nothing.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "a test fails by panicking"
)]

mod clock;
mod ids;
mod lock;
mod mutants;
mod sink;
mod store;
