//! What is logged, and how.

use serde::Deserialize;
use tracing_subscriber::{EnvFilter, filter::LevelFilter};

/// `[log]`: to standard error. `RUST_LOG` overrides the level.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How a line looks.
    pub format: LogFormat,
    /// `error`, `warn`, `info`, `debug` or `trace`; or by module, such as `info,trade_core=debug`.
    pub level: String,
}

/// How a log line looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object a line, for programs.
    Json,
}

impl Default for Log {
    fn default() -> Self {
        Self::text("info")
    }
}

impl Log {
    /// For people, from a level on.
    pub fn text(level: impl Into<String>) -> Self {
        Self {
            format: LogFormat::Text,
            level: level.into(),
        }
    }

    pub(super) fn check(&self, wrong: &mut Vec<String>) {
        // A word alone would be taken for a module of which everything is logged.
        let level = |part: &str| !part.is_empty() && part.parse::<LevelFilter>().is_ok();
        let told = |part: &str| part.contains('=') || level(part.trim());
        let parsed = EnvFilter::builder().parse(&self.level).is_ok();
        if !parsed || !self.level.split(',').all(told) {
            wrong.push(format!(
                "log.level: `{}` is neither a level (error, warn, info, debug, trace) nor a list such as info,trade_core=debug",
                self.level
            ));
        }
    }
}
