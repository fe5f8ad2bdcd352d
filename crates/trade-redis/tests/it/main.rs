//! A lock and leased nodes in a real Redis: the one at `REDIS_URL`, else on its standard port; and private ones that
//! are stopped and started.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test fails by panicking, and asks for the time to see that nothing takes long"
)]

mod bytes;
mod lease;
mod link;
mod lock;
mod private;
mod support;
mod tls;
