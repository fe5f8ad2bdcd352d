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
