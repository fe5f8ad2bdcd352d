//! Faults as people order them, in Rust or in JSON.
#![expect(
    clippy::disallowed_types,
    reason = "the derived reader of flattened fields can read floats; no field takes one"
)]

use serde::{Deserialize, Serialize};

use crate::{Channel, ledger::RefundOutcome};

/// One thing that can go wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum FaultKind {
    /// The connection closes without an answer and nothing has happened. A notice is not sent.
    DropBefore,
    /// Everything happens, then the connection closes without an answer. A notice's answer is ignored.
    DropAfter,
    /// The answer, or the notice, comes later by this many real milliseconds.
    Delay {
        /// How much later.
        delay_ms: u32,
    },
    /// Answered with this HTTP status and a body that says so. Alipay's own errors have HTTP status 200: there
    /// 500 stands for code 20000 and 429 for code 40005.
    Status {
        /// The status, such as 500 or 502.
        status: u16,
        /// Whether the request takes effect all the same.
        #[serde(default)]
        effect: bool,
    },
    /// Answered with the channel's "too many requests"; no effect.
    RateLimit,
    /// Everything happens, but the answer is an HTML page with status 200.
    Garbage,
    /// The signature is one of other content.
    BadSignature,
    /// WeChat Pay's signature probe: `WECHATPAY/SIGNTEST/...`. At Alipay the same as `BadSignature`.
    ProbeSignature,
    /// There is no signature.
    Unsigned,
    /// The signature is right, but by a stranger's key.
    WrongKey,
    /// The amount in the message differs from the order's by this many fen.
    WrongAmount {
        /// Added to the true amount.
        by_fen: i64,
    },
    /// Alipay: the message is encoded as GBK.
    Gbk,
    /// A notice is sent this many times more than needed.
    Duplicate {
        /// How many times more.
        copies: u8,
    },
    /// A notice waits until the next one of its channel was sent, or for a minute.
    Reorder,
    /// The next refund ends like this.
    Refund {
        /// How it ends.
        outcome: RefundOutcome,
    },
}

/// A fault, and when it strikes.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fault {
    /// What goes wrong.
    #[serde(flatten)]
    pub kind: FaultKind,
    /// Only at this channel.
    #[serde(default)]
    pub channel: Option<Channel>,
    /// Only at this operation; without it, at every request (or every notice or refund, by its kind).
    #[serde(default)]
    pub operation: Option<String>,
    /// How often. 1 unless given.
    #[serde(default = "once")]
    pub times: u32,
}

fn once() -> u32 {
    1
}

impl Fault {
    /// A fault that strikes once, at any request (or notice, or refund, by its kind).
    #[must_use]
    pub fn new(kind: FaultKind) -> Self {
        Self {
            kind,
            channel: None,
            operation: None,
            times: 1,
        }
    }

    /// Only at this channel.
    #[must_use]
    pub fn at(mut self, channel: Channel) -> Self {
        self.channel = Some(channel);
        self
    }

    /// Only at this operation; see the module for their names.
    #[must_use]
    pub fn on(mut self, operation: &str) -> Self {
        self.operation = Some(operation.to_owned());
        self
    }

    /// This often.
    #[must_use]
    pub fn times(mut self, times: u32) -> Self {
        self.times = times;
        self
    }

    pub(super) fn strikes(&self, channel: Channel, operation: &str) -> bool {
        if self.channel.is_some_and(|only| only != channel) {
            return false;
        }
        let is_notice = operation.starts_with("notice");
        match &self.operation {
            Some(only) => {
                operation == only
                    || operation
                        .strip_prefix(only.as_str())
                        .is_some_and(|rest| rest.starts_with('.'))
            }
            None => match self.kind.class() {
                Class::Refund => operation == "refund",
                Class::Copies | Class::Order => is_notice,
                Class::Delay | Class::Outcome | Class::Signature | Class::Amount | Class::Encoding => {
                    !is_notice
                }
            },
        }
    }
}

/// Of each class one fault can strike at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Class {
    Delay,
    Outcome,
    Signature,
    Amount,
    Encoding,
    Copies,
    Order,
    Refund,
}

impl FaultKind {
    pub(super) fn class(self) -> Class {
        match self {
            Self::Delay { .. } => Class::Delay,
            Self::DropBefore | Self::DropAfter | Self::Status { .. } | Self::RateLimit | Self::Garbage => {
                Class::Outcome
            }
            Self::BadSignature | Self::ProbeSignature | Self::Unsigned | Self::WrongKey => Class::Signature,
            Self::WrongAmount { .. } => Class::Amount,
            Self::Gbk => Class::Encoding,
            Self::Duplicate { .. } => Class::Copies,
            Self::Reorder => Class::Order,
            Self::Refund { .. } => Class::Refund,
        }
    }
}
