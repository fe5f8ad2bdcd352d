//! Wrappers: behaviour around any handler, each a handler itself.
//!
//! Stack them from the outside in as `Trace` → `Retry` → `Breaker` → `Timeout` → adapter, so that every
//! attempt is timed and counted on its own and the trace tells what the caller got.

mod breaker;
mod retry;
mod timeout;
mod trace;

pub use breaker::Breaker;
pub use retry::{Retry, RetryPolicy};
pub use timeout::Timeout;
pub use trace::Trace;
