//! The payment channels and what each of them can and cannot do.

use std::{fmt, str::FromStr, time::Duration};

use serde::{Deserialize, Serialize};

/// A payment channel (支付渠道).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Channel {
    /// 微信支付, APIv3 Native.
    #[serde(rename = "WECHAT_PAY")]
    WechatPay,
    /// 支付宝, `alipay.trade.precreate`.
    #[serde(rename = "ALI_PAY")]
    AliPay,
}

/// The text names no channel.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("unknown channel `{0}`: it is WECHAT_PAY or ALI_PAY")]
pub struct UnknownChannel(pub String);

impl Channel {
    /// Every channel.
    pub const ALL: [Self; 2] = [Self::WechatPay, Self::AliPay];

    /// The name on the wire and in the tables.
    #[must_use]
    pub const fn code(self) -> &'static str {
        match self {
            Self::WechatPay => "WECHAT_PAY",
            Self::AliPay => "ALI_PAY",
        }
    }

    /// The name people know it by.
    #[must_use]
    pub const fn label(self) -> &'static str {
        match self {
            Self::WechatPay => "微信支付",
            Self::AliPay => "支付宝",
        }
    }
}

impl fmt::Display for Channel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.code())
    }
}

impl FromStr for Channel {
    type Err = UnknownChannel;

    fn from_str(text: &str) -> Result<Self, UnknownChannel> {
        Self::ALL
            .into_iter()
            .find(|channel| channel.code() == text)
            .ok_or_else(|| UnknownChannel(text.chars().take(32).collect()))
    }
}

/// What a channel can do, told once so that the logic above never asks which channel it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Capability {
    /// The longest memo (WeChat `description`, Alipay `subject`), in characters.
    pub memo_max_chars: usize,
    /// Characters a memo must not contain.
    pub memo_forbidden: &'static str,
    /// Whether a code nobody has scanned can still be paid after a successful close call. Then a
    /// closed trading is watched until its code is dead (Alipay).
    pub close_leaves_code_payable: bool,
    /// How long a QR code lives at most.
    pub code_life: Duration,
    /// How long after the payment a refund is possible.
    pub refund_window: Duration,
    /// The most refunds of one trading.
    pub refund_max_count: u32,
    /// The shortest time between two refunds of one trading.
    pub refund_min_gap: Duration,
    /// Whether the channel sends a notice for a refund on a route of its own.
    pub refund_notice: bool,
}
