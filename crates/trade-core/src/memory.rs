//! Reference implementations of the ports in memory: for tests, and for trying things out.
//!
//! They keep the same promises as the durable ones, except to survive the process.

mod clock;
mod inbox;
mod lock;
mod outbox;
mod records;
mod refunds;
mod sink;
mod store;

pub use clock::ManualClock;
pub use lock::MemoryLock;
pub use sink::MemorySink;
pub use store::MemoryStore;

/// Keeps so many of the rows: when there are more, half of them from the end.
fn from_both_ends<T>(rows: &mut Vec<T>, limit: u32) {
    let limit = usize::try_from(limit).unwrap_or(usize::MAX);
    if rows.len() > limit {
        let last = limit / 2;
        rows.drain(limit - last..rows.len() - last);
    }
}
