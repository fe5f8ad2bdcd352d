//! The labels of the metrics. Every value is one of a set whose size is known beforehand: whoever sends us
//! requests, notices or replies cannot make it grow.

use prometheus_client::encoding::EncodeLabelSet;
use trade_core::Channel;

/// Which channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfChannel {
    pub(super) channel: &'static str,
}

/// Which channel, and why a notice was not taken.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRefusal {
    pub(super) channel: &'static str,
    pub(super) reason: &'static str,
}

/// Which call to a channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfOperation {
    pub(super) channel: &'static str,
    pub(super) operation: &'static str,
}

/// How a call to a channel ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfCall {
    pub(super) channel: &'static str,
    pub(super) operation: &'static str,
    pub(super) outcome: &'static str,
}

/// Which error of a channel; see `Codes` for what keeps it small.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfError {
    pub(super) channel: &'static str,
    pub(super) code: String,
}

/// Which route: its template, never a path as it came.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRoute {
    pub(super) method: &'static str,
    pub(super) route: String,
}

/// How a request was answered.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfRequest {
    pub(super) method: &'static str,
    pub(super) route: String,
    pub(super) status: u16,
}

/// Which job.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfJob {
    pub(super) job: &'static str,
}

/// What a job did, or how its ticks ended.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfJobOutcome {
    pub(super) job: &'static str,
    pub(super) outcome: &'static str,
}

/// What is stuck.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfKind {
    pub(super) kind: &'static str,
}

/// Whose calls to which channel.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfMerchant {
    pub(super) enterprise_id: i64,
    pub(super) channel: &'static str,
}

/// Connections of which pool, in which state.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfPool {
    pub(super) pool: String,
    pub(super) state: &'static str,
}

/// What is running.
#[derive(Debug, Clone, PartialEq, Eq, Hash, EncodeLabelSet)]
pub(super) struct OfBuild {
    pub(super) version: &'static str,
}

impl From<Channel> for OfChannel {
    fn from(channel: Channel) -> Self {
        Self {
            channel: channel.code(),
        }
    }
}
