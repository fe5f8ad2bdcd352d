//! The server's own implementations of the core's ports.

mod call_log;
mod sink;

pub use call_log::{CallRecorder, CallWriter};
pub use sink::{BrokerSink, LocalSink};
