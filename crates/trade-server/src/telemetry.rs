//! Logging to standard error, so that standard output stays free for what a command shows.

use std::{
    env,
    io::{self, IsTerminal},
    panic,
};

use tracing::{Subscriber, level_filters::LevelFilter};
use tracing_subscriber::{
    EnvFilter, Layer, Registry,
    filter::Targets,
    fmt::{self, MakeWriter},
    layer::SubscriberExt,
    util::SubscriberInitExt,
};

use crate::config::{Log, LogFormat};

/// Libraries that say in a warning what this server says itself, with what it means: a broker's client logs
/// every message that nobody has a queue for, a database's every slow statement.
const QUIET: &str = "lapin=error,sqlx=error";

/// Starts logging, panics included; `RUST_LOG` overrides the level.
pub fn start(log: &Log) {
    let told = env::var(EnvFilter::DEFAULT_ENV)
        .ok()
        .filter(|told| !told.is_empty());
    let wanted = told.map(|told| EnvFilter::builder().parse(told));
    let wrong = matches!(wanted, Some(Err(_)));
    let filter = match wanted {
        Some(Ok(filter)) => filter,
        Some(Err(_)) | None => filter(&log.level),
    };
    let ansi = io::stderr().is_terminal();
    // A second start changes nothing.
    if subscriber(log.format, filter, io::stderr, ansi)
        .try_init()
        .is_ok()
    {
        log_panics();
    }
    if wrong {
        tracing::warn!("RUST_LOG is ignored: it is no filter such as info,trade_core=debug");
    }
}

/// What is let through at a level of the settings. What they say about a quiet library counts.
#[must_use]
pub fn filter(level: &str) -> EnvFilter {
    EnvFilter::new(format!("{QUIET},{level}"))
}

/// Writes what passes `filter` to `writer`.
pub fn subscriber<W>(
    format: LogFormat,
    filter: EnvFilter,
    writer: W,
    ansi: bool,
) -> impl Subscriber + Send + Sync
where
    W: for<'writer> MakeWriter<'writer> + Send + Sync + 'static,
{
    let lines = match format {
        LogFormat::Text => fmt::layer()
            .with_ansi(ansi)
            .with_target(false)
            .with_writer(writer)
            .boxed(),
        LogFormat::Json => fmt::layer()
            .json()
            .flatten_event(true)
            .with_current_span(false)
            .with_writer(writer)
            .boxed(),
    };
    Registry::default().with(filter).with(never()).with(lines)
}

/// What no filter lets through: the broker's client writes its URL, password and all, at the level `trace`.
fn never() -> Targets {
    Targets::new()
        .with_default(LevelFilter::TRACE)
        .with_target("amq_protocol", LevelFilter::DEBUG)
        .with_target("lapin", LevelFilter::DEBUG)
}

/// Logs a panic where it happens, with the ids of what was being done. Of its message only what was written
/// in the program: what was put into it may be anything, a secret too.
pub fn log_panics() {
    panic::set_hook(Box::new(|panic| {
        let at = panic.location().map(ToString::to_string).unwrap_or_default();
        let message = panic.payload().downcast_ref::<&'static str>().copied();
        let message = message.unwrap_or("(left out, since it may hold data)");
        tracing::error!(at, panic = message, "panicked");
    }));
}
