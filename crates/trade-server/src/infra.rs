//! The server's own implementations of the core's ports.

mod call_log;
mod measured;
mod sink;

pub use call_log::{CallRecorder, CallWriter};
pub use measured::Measured;
pub use sink::{Fan, LocalSink};
