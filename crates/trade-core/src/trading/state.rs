//! The states of a trading, with the codes of the service this one replaces.

use std::fmt;

/// Where a trading stands (交易状态).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum TradingState {
    /// FKZ 付款中: not paid yet, may be.
    Paying(Step),
    /// FKSB 付款失败: the channel refused it for good.
    Failed,
    /// YJS 已结算: paid. Nothing un-pays it but refunds.
    Settled,
    /// QXDD 取消订单: closed unpaid.
    Cancelled,
    /// MD 免单: waived.
    Free,
    /// GZ 挂账: put on account.
    OnAccount,
}

/// How far a trading that is not paid yet has come. A crash between two steps is finished from here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Step {
    /// The intent is committed; the channel has not answered. It may or may not have been asked.
    Intended,
    /// The channel was asked and the outcome is unknown.
    Unknown,
    /// The channel gave a QR code.
    Placed,
    /// It is being closed; paid still wins.
    Closing,
}

/// What a paid trading is to its order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Role {
    /// It settles the order. An order has at most one.
    Winner,
    /// The order was settled by another: this money goes back.
    Surplus,
}

impl TradingState {
    /// Every state with every step.
    pub const ALL: [Self; 9] = [
        Self::Paying(Step::Intended),
        Self::Paying(Step::Unknown),
        Self::Paying(Step::Placed),
        Self::Paying(Step::Closing),
        Self::Failed,
        Self::Settled,
        Self::Cancelled,
        Self::Free,
        Self::OnAccount,
    ];

    /// The integer code (2 to 7).
    #[must_use]
    pub const fn code(self) -> u8 {
        match self {
            Self::Paying(_) => 2,
            Self::Failed => 3,
            Self::Settled => 4,
            Self::Cancelled => 5,
            Self::Free => 6,
            Self::OnAccount => 7,
        }
    }

    /// The name (`FKZ` to `GZ`).
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Paying(_) => "FKZ",
            Self::Failed => "FKSB",
            Self::Settled => "YJS",
            Self::Cancelled => "QXDD",
            Self::Free => "MD",
            Self::OnAccount => "GZ",
        }
    }

    /// The text that stores keep: the state, and the step of one that is paying.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Paying(Step::Intended) => "paying.intended",
            Self::Paying(Step::Unknown) => "paying.unknown",
            Self::Paying(Step::Placed) => "paying.placed",
            Self::Paying(Step::Closing) => "paying.closing",
            Self::Failed => "failed",
            Self::Settled => "settled",
            Self::Cancelled => "cancelled",
            Self::Free => "free",
            Self::OnAccount => "on_account",
        }
    }

    /// Reads what [`TradingState::key`] wrote.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.key() == key)
    }

    /// Whether it may still be paid and holds the order's one live slot.
    #[must_use]
    pub const fn is_live(self) -> bool {
        match self {
            Self::Paying(_) => true,
            Self::Failed | Self::Settled | Self::Cancelled | Self::Free | Self::OnAccount => false,
        }
    }
}

impl fmt::Display for TradingState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.key())
    }
}

impl Role {
    /// The text that stores keep.
    #[must_use]
    pub const fn key(self) -> &'static str {
        match self {
            Self::Winner => "winner",
            Self::Surplus => "surplus",
        }
    }

    /// Reads what [`Role::key`] wrote.
    #[must_use]
    pub fn from_key(key: &str) -> Option<Self> {
        [Self::Winner, Self::Surplus]
            .into_iter()
            .find(|role| role.key() == key)
    }
}
