//! The server's own implementations of the core's ports.

mod sink;

pub use sink::LocalSink;
