//! The message codes of the service this one replaces; its callers know them.

/// A message with its code and text (交易枚举).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum MessageCode {
    /// 1003: the request breaks a rule.
    CheckTradingFail,
    /// 1004: another request on the same order is at work.
    TryLockTradingFail,
    /// 1006: the order is paid.
    TradingStateSucceed,
    /// 1007: the order is being paid.
    TradingStatePaying,
    /// 1008: the merchant has no configuration for the channel.
    ConfigEmpty,
    /// 1009: the configuration is wrong.
    ConfigError,
    /// 1010: placing failed.
    NativePayFail,
    /// 1011: no QR code could be made.
    NativeQrcodeFail,
    /// 1013: the store failed.
    SaveOrUpdateFail,
    /// 1015: the query failed.
    NativeQueryFail,
    /// 1016: the refund failed.
    NativeRefundFail,
    /// 1017: the query of the refund failed.
    NativeQueryRefundFail,
    /// 1022: there is no such trading.
    NotFound,
    /// 1023: the trading cannot be closed.
    CloseFail,
    /// 1024: the refund exceeds what was paid.
    BasicRefundOutFail,
    /// 1025: there is no such refund.
    RefundNotFound,
    /// 1028: neither an order nor a trading number was given.
    TradingQueryParamError,
    /// 1029: neither an order nor a trading number was given for refunds.
    RefundQueryParamError,
}

impl MessageCode {
    /// The number.
    #[must_use]
    pub const fn number(self) -> u16 {
        match self {
            Self::CheckTradingFail => 1003,
            Self::TryLockTradingFail => 1004,
            Self::TradingStateSucceed => 1006,
            Self::TradingStatePaying => 1007,
            Self::ConfigEmpty => 1008,
            Self::ConfigError => 1009,
            Self::NativePayFail => 1010,
            Self::NativeQrcodeFail => 1011,
            Self::SaveOrUpdateFail => 1013,
            Self::NativeQueryFail => 1015,
            Self::NativeRefundFail => 1016,
            Self::NativeQueryRefundFail => 1017,
            Self::NotFound => 1022,
            Self::CloseFail => 1023,
            Self::BasicRefundOutFail => 1024,
            Self::RefundNotFound => 1025,
            Self::TradingQueryParamError => 1028,
            Self::RefundQueryParamError => 1029,
        }
    }

    /// The text.
    #[must_use]
    pub const fn text(self) -> &'static str {
        match self {
            Self::CheckTradingFail => "交易单校验失败",
            Self::TryLockTradingFail => "交易单加锁失败",
            Self::TradingStateSucceed => "交易单已完成",
            Self::TradingStatePaying => "交易单交易中",
            Self::ConfigEmpty => "支付配置为空",
            Self::ConfigError => "支付配置错误",
            Self::NativePayFail => "统一下单交易失败",
            Self::NativeQrcodeFail => "生成二维码失败",
            Self::SaveOrUpdateFail => "交易单保存或修改失败",
            Self::NativeQueryFail => "查询统一下单交易失败",
            Self::NativeRefundFail => "统一下单退款交易失败",
            Self::NativeQueryRefundFail => "统一下单查询退款失败",
            Self::NotFound => "交易单不存在",
            Self::CloseFail => "关闭交易单失败",
            Self::BasicRefundOutFail => "退款金额超过订单总金额",
            Self::RefundNotFound => "退款记录不存在",
            Self::TradingQueryParamError => "查询交易单错误,交易单号为空",
            Self::RefundQueryParamError => "查询退款单错误,订单号或交易单号至少传递一个",
        }
    }
}
