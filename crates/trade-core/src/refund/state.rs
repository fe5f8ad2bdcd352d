//! The states of a refund, with the codes of the service this one replaces.

use std::fmt;

/// Where a refund stands (退款状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundState {
    /// 发起退款 (0): the intent is committed and the amount reserved; the channel has not answered.
    Applied,
    /// 退款中 (1).
    Sending(RefundStep),
    /// 成功 (2): the money verifiably went back.
    Success,
    /// 失败 (3): it will not happen; the reserve was given back.
    Failed,
}

/// Why a refund is still running.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundStep {
    /// The channel was asked and the outcome is unknown.
    Unknown,
    /// The channel accepted it.
    Accepted,
    /// The merchant's balance is short; it goes on with the same number after a top-up.
    Unfunded,
    /// The payer's account cannot take it; somebody has to act at the channel.
    Abnormal,
}

impl RefundState {
    /// Every state with every step.
    pub const ALL: [Self; 7] = [
        Self::Applied,
        Self::Sending(RefundStep::Unknown),
        Self::Sending(RefundStep::Accepted),
        Self::Sending(RefundStep::Unfunded),
        Self::Sending(RefundStep::Abnormal),
        Self::Success,
        Self::Failed,
    ];

    /// The integer code (0 to 3).
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Applied => 0,
            Self::Sending(_) => 1,
            Self::Success => 2,
            Self::Failed => 3,
        }
    }

    /// The name.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Applied => "APPLY_REFUND",
            Self::Sending(_) => "SENDING",
            Self::Success => "SUCCESS",
            Self::Failed => "FAIL",
        }
    }

    /// The text that stores keep.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Applied => "applied",
            Self::Sending(RefundStep::Unknown) => "sending.unknown",
            Self::Sending(RefundStep::Accepted) => "sending.accepted",
            Self::Sending(RefundStep::Unfunded) => "sending.unfunded",
            Self::Sending(RefundStep::Abnormal) => "sending.abnormal",
            Self::Success => "success",
            Self::Failed => "failed",
        }
    }

    /// Reads what [`RefundState::key`] wrote.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }

    /// Whether nothing more will happen.
    #[must_use]
    pub const fn is_final(self) -> bool {
        match self {
            Self::Success | Self::Failed => true,
            Self::Applied | Self::Sending(_) => false,
        }
    }
}

impl fmt::Display for RefundState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}
