//! `trade`: the payment server and its tools in one binary.

use std::process::ExitCode;

use clap::Parser;
use trade_server::{cmd, config::Log, telemetry};

#[tokio::main]
async fn main() -> ExitCode {
    let arguments = cmd::Arguments::parse();
    if let Some(level) = arguments.default_log() {
        telemetry::start(&Log::text(level));
    }
    match arguments.run().await {
        Ok(code) => code,
        Err(failure) => {
            cmd::show_failure(&failure);
            ExitCode::FAILURE
        }
    }
}
