//! What can go wrong with a receiver, in words for the person who has to mend it.

use std::time::Duration;

use trade_core::port::{SinkError, SinkFault};

/// An event was not taken, or never will be. The texts say what happened, the likely cause and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum WebhookError {
    /// The settings cannot work, whatever the receiver does.
    #[error("{field}: {rule}")]
    Settings {
        /// The setting.
        field: &'static str,
        /// Its rule, or why it is broken.
        rule: String,
    },
    /// The last request was in vain and the next is not due yet; nothing was sent.
    #[error(
        "{endpoint} is left alone for {} s more; the last request said: {reason}",
        .wait.as_secs().saturating_add(1)
    )]
    Resting {
        /// The receiver.
        endpoint: String,
        /// How much longer.
        wait: Duration,
        /// What the last request said.
        reason: String,
    },
    /// There is no line to it: nothing was sent.
    #[error(
        "no connection to {endpoint}: {}; check that the order system runs, the host and the port of the URL, and for \
         https that its certificate is for that host, in date, and of an authority this machine trusts (or `ca_file` \
         names)",
        chain(.source)
    )]
    Unreachable {
        /// The receiver.
        endpoint: String,
        /// What the HTTP library said.
        source: reqwest::Error,
    },
    /// It has the request and says nothing.
    #[error(
        "{endpoint} did not answer within {} s: it must answer 2xx as soon as the event is stored, and work on it \
         afterwards",
        .after.as_secs()
    )]
    Silent {
        /// The receiver.
        endpoint: String,
        /// How long it had.
        after: Duration,
    },
    /// It ended the connection, or answered something that is not HTTP.
    #[error("{endpoint} broke off without an answer: {}; look at its log", chain(.source))]
    Broken {
        /// The receiver.
        endpoint: String,
        /// What the HTTP library said.
        source: reqwest::Error,
    },
    /// It answered something else than 2xx.
    #[error("{endpoint} answered {status}{}; {hint}", quoted(.said))]
    Answered {
        /// The receiver.
        endpoint: String,
        /// The status.
        status: u16,
        /// What to do.
        hint: &'static str,
        /// How its answer begins.
        said: String,
    },
    /// The message could not be written as JSON.
    #[error("the event could not be written as JSON: {0}")]
    Body(#[from] serde_json::Error),
}

impl WebhookError {
    pub(crate) fn answered(endpoint: String, status: reqwest::StatusCode, said: String) -> Self {
        Self::Answered {
            endpoint,
            status: status.as_u16(),
            hint: hint(status),
            said,
        }
    }

    pub(crate) fn of(endpoint: String, after: Duration, error: reqwest::Error) -> Self {
        let source = error.without_url();
        if source.is_connect() {
            Self::Unreachable { endpoint, source }
        } else if source.is_timeout() {
            Self::Silent { endpoint, after }
        } else {
            Self::Broken { endpoint, source }
        }
    }

    /// Whether it took time and said nothing about the event, so that the next request can wait.
    pub(crate) const fn costs_time(&self) -> bool {
        matches!(self, Self::Unreachable { .. } | Self::Silent { .. })
    }

    /// Away is what cannot be reached. Whatever has the request and does not take it refuses the event, be it by
    /// silence: nothing will change by itself.
    const fn fault(&self) -> SinkFault {
        match self {
            Self::Settings { .. } | Self::Resting { .. } | Self::Unreachable { .. } => SinkFault::Away,
            Self::Silent { .. } | Self::Broken { .. } | Self::Answered { .. } | Self::Body(_) => {
                SinkFault::Refused
            }
        }
    }
}

impl From<WebhookError> for SinkError {
    fn from(error: WebhookError) -> Self {
        Self {
            source: None,
            ..Self::new(error.fault(), error.to_string())
        }
    }
}

fn hint(status: reqwest::StatusCode) -> &'static str {
    match status.as_u16() {
        300..=399 => "redirects are not followed: set `url` to where it really is",
        401 | 403 => {
            "it refuses the signature or the sender: compare the secret on both sides, and its clock with this one"
        }
        404 | 405 | 410 => "nothing takes POST there: compare `url` with the order system's route",
        413 => "an event is about 1 KiB: raise the limit of the order system or of the proxy before it",
        429 => "it is asked too often: raise its limit",
        502..=504 => "the proxy before it answers for it: look whether the order system runs",
        _ => "look at its log",
    }
}

fn quoted(text: &str) -> String {
    if text.is_empty() {
        String::new()
    } else {
        format!(" ({text:?})")
    }
}

/// An error of the HTTP library with its causes: alone it says little.
fn chain(error: &reqwest::Error) -> String {
    let mut text = error.to_string();
    let mut source = std::error::Error::source(error);
    while let Some(cause) = source {
        text = format!("{text}: {cause}");
        source = cause.source();
    }
    text
}
