//! What can go wrong with Redis, in words for the person who has to mend it.

use std::time::Duration;

/// Something with Redis did not work.
#[derive(Debug, Clone, thiserror::Error)]
#[non_exhaustive]
pub enum RedisError {
    /// The settings cannot work, whatever Redis does.
    #[error("{field}: {rule}")]
    Settings {
        /// Which setting.
        field: &'static str,
        /// What it must be.
        rule: String,
    },
    /// There is no connection; one is tried for in the background. Nothing was sent.
    #[error("Redis is away: {reason}")]
    Away {
        /// What the last attempt said.
        reason: String,
    },
    /// There was no answer in time. What was asked may or may not have been done.
    #[error(
        "Redis at {place} did not answer within {} ms: check that it runs, that host and port of the URL are right, \
         and that nothing drops packets on the way",
        .after.as_millis()
    )]
    Silent {
        /// Its URL, without the password.
        place: String,
        /// How long it was waited for.
        after: Duration,
    },
    /// Redis refused what was asked, or the connection broke.
    #[error("Redis at {place} failed: {source}; {hint}")]
    Failed {
        /// Its URL, without the password.
        place: String,
        /// What to do.
        hint: &'static str,
        /// What the client library said.
        source: redis::RedisError,
    },
}

impl RedisError {
    pub(crate) fn failed(place: String, source: redis::RedisError) -> Self {
        Self::Failed {
            place,
            hint: hint(&source),
            source,
        }
    }
}

fn hint(error: &redis::RedisError) -> &'static str {
    match error.code() {
        Some("NOAUTH" | "WRONGPASS") => "check user and password in the URL",
        Some("NOPERM") => {
            "the user needs the commands EVAL, GET, SET, DEL, PEXPIRE and INFO on keys of the prefix"
        }
        Some("READONLY") => "this is a replica: the URL must name the primary",
        Some("OOM" | "MISCONF") => "it takes no writes: see its log, its memory limit and its disk",
        Some("LOADING" | "BUSY") => "it is busy and will answer later",
        _ if error.kind() == redis::ErrorKind::AuthenticationFailed => "check user and password in the URL",
        _ => "check that it runs, and that host and port of the URL are right",
    }
}
