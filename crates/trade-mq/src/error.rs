//! What can go wrong with the broker, in words for the person who has to mend it.

use std::time::Duration;

use trade_core::port::{SinkError, SinkFault};

/// Something with the broker did not work. The texts say what happened, the likely cause and what to do.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum MqError {
    /// The settings cannot work, whatever the broker does.
    #[error("the RabbitMQ settings cannot be used: {0}")]
    Settings(String),
    /// The last attempt failed and the next one is not due yet; nothing was sent.
    #[error(
        "the broker is not reachable, next try in {} s; the last try said: {reason}",
        seconds(.wait)
    )]
    Waiting {
        /// Until the next attempt.
        wait: Duration,
        /// What the last attempt said.
        reason: String,
    },
    /// There is no connection.
    #[error("no connection to the broker at {broker}: {source}; {hint}")]
    Connect {
        /// The broker's URL, without the password.
        broker: String,
        /// What to do.
        hint: &'static str,
        /// What the client library said.
        source: lapin::Error,
    },
    /// There was no connection in time.
    #[error(
        "no connection to the broker at {broker} within {} s; check that the broker runs, that host and port of the \
         URL are right and no firewall drops packets on the way",
        seconds(.after)
    )]
    ConnectTimedOut {
        /// The broker's URL, without the password.
        broker: String,
        /// How long it was tried.
        after: Duration,
    },
    /// The broker did not answer in time; what was sent may or may not have arrived.
    #[error(
        "the broker did not answer within {} s while we {doing}; it may be overloaded, out of disk or memory (see \
         `rabbitmqctl status`), or the network drops packets. The connection was given up",
        seconds(.after)
    )]
    TimedOut {
        /// What was waited for.
        doing: &'static str,
        /// How long.
        after: Duration,
    },
    /// The broker has said that it takes no messages for now.
    #[error(
        "the broker takes no messages: it is short of memory or disk (see `rabbitmqctl status`, alarms); events go out \
         once it has room again"
    )]
    Blocked,
    /// The connection or channel broke, or the broker refused what was asked of it.
    #[error("the broker broke off while we {doing}: {source}; {hint}")]
    Broken {
        /// What was being done.
        doing: &'static str,
        /// What to do.
        hint: &'static str,
        /// What the client library said.
        source: lapin::Error,
    },
    /// The broker has the message in no queue and gave it back.
    #[error(
        "the broker returned the message ({reply}): no queue is bound to the exchange {exchange} with the key {key}. \
         Start the order system once so that it declares its queue, or bind a queue to {exchange} with that key; the \
         event is kept and offered again"
    )]
    Unroutable {
        /// The exchange.
        exchange: String,
        /// The routing key.
        key: &'static str,
        /// What the broker said.
        reply: String,
    },
    /// The broker said no to the message.
    #[error(
        "the broker refused the message (nack): a queue is full and set to reject, or the broker failed inside. Look \
         at the queue's length and the broker's log; the event is kept and offered again"
    )]
    Nack,
    /// The broker took the message without a confirm, so nothing is known.
    #[error("the broker did not confirm the message: publisher confirms are off on this channel")]
    Unconfirmed,
    /// The consumer was cancelled by the broker.
    #[error("the broker ended the subscription to {queue}: the queue was deleted, or its node went down")]
    Cancelled {
        /// The queue.
        queue: String,
    },
    /// The message could not be written as JSON.
    #[error("the event could not be written as JSON: {0}")]
    Body(#[from] serde_json::Error),
}

impl MqError {
    pub(crate) fn connect(broker: String, source: lapin::Error) -> Self {
        Self::Connect {
            broker,
            hint: hint_of_connect(&source),
            source,
        }
    }

    pub(crate) fn broken(doing: &'static str, source: lapin::Error) -> Self {
        Self::Broken {
            doing,
            hint: hint_of_reply(&source),
            source,
        }
    }

    /// Whether the broker is there and does not let us in: user, password, virtual host or permissions are wrong, and
    /// nothing changes by itself.
    #[must_use]
    pub fn is_access_refused(&self) -> bool {
        match self {
            Self::Connect { source, .. } | Self::Broken { source, .. } => {
                matches!(reply_code(source), Some(403 | 530))
            }
            _ => false,
        }
    }

    /// Whether the connection can still be used after this.
    pub(crate) const fn is_of_the_message(&self) -> bool {
        matches!(self, Self::Unroutable { .. } | Self::Nack | Self::Body(_))
    }
}

impl From<MqError> for SinkError {
    fn from(error: MqError) -> Self {
        // A broker that is blocked (disk, memory) says nothing, so silence is no word about the event.
        let fault = if error.is_of_the_message() {
            SinkFault::Refused
        } else {
            SinkFault::Away
        };
        let reason = error.to_string();
        let source: Option<Box<dyn std::error::Error + Send + Sync>> = match error {
            MqError::Connect { source, .. } | MqError::Broken { source, .. } => Some(Box::new(source)),
            MqError::Body(source) => Some(Box::new(source)),
            MqError::Settings(_)
            | MqError::Waiting { .. }
            | MqError::ConnectTimedOut { .. }
            | MqError::TimedOut { .. }
            | MqError::Blocked
            | MqError::Unroutable { .. }
            | MqError::Nack
            | MqError::Unconfirmed
            | MqError::Cancelled { .. } => None,
        };
        Self {
            fault,
            reason,
            source,
        }
    }
}

/// Whole seconds, rounded up: "next try in 0 s" helps nobody.
fn seconds(duration: &Duration) -> u64 {
    duration.as_secs() + u64::from(duration.subsec_nanos() > 0)
}

fn reply_code(error: &lapin::Error) -> Option<u16> {
    match error.kind() {
        lapin::ErrorKind::ProtocolError(error) => Some(error.get_id()),
        _ => None,
    }
}

fn hint_of_connect(error: &lapin::Error) -> &'static str {
    match reply_code(error) {
        Some(403) => {
            "check user and password in the URL (guest may only connect from the broker's own machine)"
        }
        Some(530) => {
            "check the virtual host at the end of the URL (`/%2f` is the default one) and its permissions"
        }
        _ => "check that the broker runs, and host, port and scheme of the URL (amqps for TLS)",
    }
}

fn hint_of_reply(error: &lapin::Error) -> &'static str {
    match reply_code(error) {
        Some(403) => "the user lacks the permission; see `rabbitmqctl list_permissions`",
        Some(404) => {
            "the exchange or queue does not exist: declare it, by the `declare` setting or in the order system"
        }
        Some(405) => "another connection holds the queue exclusively",
        Some(406) => {
            "it exists with other arguments: delete it or declare it as it is; dead-lettering can be set by a policy"
        }
        _ => {
            "the connection was lost: look at the network and the broker's log; it is built up again by itself"
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_word_about_the_message_is_a_refusal() {
        let no_queue = MqError::Unroutable {
            exchange: "x".into(),
            key: "UPDATE_STATUS",
            reply: "312 NO_ROUTE".into(),
        };
        let (broker, after) = (String::from("amqp://broker"), Duration::from_secs(5));
        let blocked = MqError::TimedOut {
            doing: "waited for a confirm",
            after,
        };
        for (error, fault) in [
            (no_queue, SinkFault::Refused),
            (MqError::Nack, SinkFault::Refused),
            (blocked, SinkFault::Away),
            (MqError::Blocked, SinkFault::Away),
            (MqError::ConnectTimedOut { broker, after }, SinkFault::Away),
        ] {
            let text = error.to_string();
            assert_eq!(SinkError::from(error).fault, fault, "{text}");
        }
    }

    #[test]
    fn waiting_never_says_zero_seconds() {
        for (ms, text) in [(1, "in 1 s"), (1000, "in 1 s"), (1001, "in 2 s")] {
            let wait = Duration::from_millis(ms);
            let error = MqError::Waiting {
                wait,
                reason: "refused".into(),
            };
            assert!(error.to_string().contains(text), "{error}");
        }
    }
}
