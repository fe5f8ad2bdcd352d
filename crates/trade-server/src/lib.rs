//! The payment server, as a library: everything the `trade` binary does, for tests and for embedding.
//!
//! `http` parses and shows, the service of `trade-core` decides, `infra` holds this server's own
//! implementations of the core's ports, and `wire` alone puts them together.

mod causes;

pub mod advice;
pub mod cmd;
pub mod config;
pub mod http;
pub mod infra;
pub mod jobs;
pub mod metrics;
pub mod qr;
pub mod serve;
pub mod shutdown;
pub mod telemetry;
pub mod timeline;
pub mod wire;
