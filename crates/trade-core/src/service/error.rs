//! What callers are told when something does not go.

use super::MessageCode;
use crate::{
    Certainty, Channel, ChannelError, EnterpriseId, ErrorKind, EventId, IdError, ProductRefundNo, RefundNo,
    TradingOrderNo, TradingState, port::StoreError,
};

/// Why the service did not do what it was asked.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum TradeError {
    /// A value breaks a rule. Nothing was stored, nothing was sent.
    #[error("{field}: {rule}")]
    Invalid {
        /// The field, as the caller wrote it.
        field: &'static str,
        /// The rule it breaks.
        rule: String,
    },
    /// The merchant is unknown or does not use the channel.
    #[error("merchant {enterprise_id} has no configuration for {channel}: add it, or pay at another channel")]
    NoConfiguration {
        /// The merchant.
        enterprise_id: EnterpriseId,
        /// The channel.
        channel: Channel,
    },
    /// The order is paid.
    #[error("the order is already paid by trading {0}: query that trading")]
    OrderPaid(TradingOrderNo),
    /// The order is being paid at another channel.
    #[error(
        "the order is being paid at {channel} by trading {trading_order_no}: send changeChannel=true to switch"
    )]
    PayingElsewhere {
        /// The live trading.
        trading_order_no: TradingOrderNo,
        /// Its channel.
        channel: Channel,
    },
    /// The order is being paid with other terms, which are frozen.
    #[error("the order is being paid by trading {trading_order_no} with another {field}: close it first")]
    PayingOtherwise {
        /// The live trading.
        trading_order_no: TradingOrderNo,
        /// What differs.
        field: &'static str,
    },
    /// Another request on the same order is at work.
    #[error("another request is working on trading {0}: try again in a moment")]
    Busy(TradingOrderNo),
    /// There is no such trading.
    #[error("there is no trading {0}")]
    TradingNotFound(TradingOrderNo),
    /// The trading is past being closed.
    #[error("trading {trading_order_no} cannot be closed: it is {state}")]
    NotClosable {
        /// The trading.
        trading_order_no: TradingOrderNo,
        /// Its state.
        state: TradingState,
    },
    /// Only a settled trading can be refunded.
    #[error("trading {trading_order_no} cannot be refunded: it is {state}, not settled")]
    NotRefundable {
        /// The trading.
        trading_order_no: TradingOrderNo,
        /// Its state.
        state: TradingState,
    },
    /// The refund exceeds what is left.
    #[error("the refund exceeds what is left of trading {0}: look at its refunds")]
    RefundTooLarge(TradingOrderNo),
    /// The channel refunds no payment as old as this.
    #[error(
        "trading {trading_order_no} was paid more than {days} days ago: the channel refunds it no more; pay the customer in another way"
    )]
    RefundTooLate {
        /// The trading.
        trading_order_no: TradingOrderNo,
        /// The channel's limit.
        days: u64,
    },
    /// The channel makes no more refunds of one payment.
    #[error(
        "trading {trading_order_no} has {most} refunds, the most its channel makes of one payment; pay the customer in another way"
    )]
    TooManyRefunds {
        /// The trading.
        trading_order_no: TradingOrderNo,
        /// The channel's limit.
        most: u32,
    },
    /// The trading is a second payment of its order, which goes back without being asked for.
    #[error("trading {0} is a second payment of its order and is refunded by itself: look at its refunds")]
    RefundedByItself(TradingOrderNo),
    /// The caller's refund number was used with other content.
    #[error(
        "refund number {product_refund_no} was used for another amount or trading, as refund {refund_no}: use a new number for a new refund"
    )]
    RefundNumberUsed {
        /// The number.
        product_refund_no: ProductRefundNo,
        /// What it was used for.
        refund_no: RefundNo,
    },
    /// There is no such refund.
    #[error("there is no refund {0}")]
    RefundNotFound(RefundNo),
    /// The order system has no such refund.
    #[error("there is no refund with the number {0}")]
    ProductRefundNotFound(ProductRefundNo),
    /// There is no such event.
    #[error("there is no event {0}")]
    EventNotFound(EventId),
    /// The channel refused, failed, or left the outcome open.
    #[error("the channel did not do it")]
    Channel {
        /// Which message callers know for it.
        code: MessageCode,
        /// What happened.
        #[source]
        source: ChannelError,
    },
    /// The store failed.
    #[error("the store failed: nothing is lost, try again")]
    Store(#[from] StoreError),
    /// No number could be made.
    #[error("no new number could be made")]
    Id(#[from] IdError),
    /// The row kept changing under the request.
    #[error("trading {0} kept changing: try again")]
    Contended(TradingOrderNo),
}

/// What kind of answer an error is, whatever the protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// The request is wrong (HTTP 400).
    Invalid,
    /// What it names does not exist (404).
    NotFound,
    /// It does not fit the present state (409).
    Conflict,
    /// It is understood and refused, by the channel or by a number used twice (422).
    Refused,
    /// It may work in a moment (503).
    Unavailable,
    /// A fault of ours (500).
    Internal,
}

impl TradeError {
    /// A value that breaks a rule.
    pub fn invalid(field: &'static str, rule: impl Into<String>) -> Self {
        Self::Invalid {
            field,
            rule: rule.into(),
        }
    }

    /// The message callers know.
    #[must_use]
    pub fn code(&self) -> MessageCode {
        match self {
            Self::Invalid { .. } => MessageCode::CheckTradingFail,
            Self::NoConfiguration { .. } => MessageCode::ConfigEmpty,
            Self::OrderPaid(_) => MessageCode::TradingStateSucceed,
            Self::PayingElsewhere { .. } | Self::PayingOtherwise { .. } => MessageCode::TradingStatePaying,
            Self::Busy(_) | Self::Contended(_) => MessageCode::TryLockTradingFail,
            Self::TradingNotFound(_) | Self::EventNotFound(_) => MessageCode::NotFound,
            Self::NotClosable { .. } => MessageCode::CloseFail,
            Self::NotRefundable { .. }
            | Self::RefundTooLate { .. }
            | Self::TooManyRefunds { .. }
            | Self::RefundedByItself(_)
            | Self::RefundNumberUsed { .. } => MessageCode::NativeRefundFail,
            Self::RefundTooLarge(_) => MessageCode::BasicRefundOutFail,
            Self::RefundNotFound(_) | Self::ProductRefundNotFound(_) => MessageCode::RefundNotFound,
            Self::Channel { code, .. } => *code,
            Self::Store(_) | Self::Id(_) => MessageCode::SaveOrUpdateFail,
        }
    }

    /// What kind of answer it is.
    #[must_use]
    pub fn class(&self) -> ErrorClass {
        match self {
            Self::Invalid { .. } | Self::NoConfiguration { .. } => ErrorClass::Invalid,
            Self::TradingNotFound(_)
            | Self::RefundNotFound(_)
            | Self::ProductRefundNotFound(_)
            | Self::EventNotFound(_) => ErrorClass::NotFound,
            Self::RefundNumberUsed { .. } => ErrorClass::Refused,
            Self::OrderPaid(_)
            | Self::PayingElsewhere { .. }
            | Self::PayingOtherwise { .. }
            | Self::NotClosable { .. }
            | Self::NotRefundable { .. }
            | Self::RefundTooLate { .. }
            | Self::TooManyRefunds { .. }
            | Self::RefundedByItself(_)
            | Self::RefundTooLarge(_) => ErrorClass::Conflict,
            Self::Busy(_) | Self::Contended(_) => ErrorClass::Unavailable,
            Self::Channel { source, .. } => match (source.certainty(), source.kind()) {
                (Certainty::Rejected, ErrorKind::InvalidRequest) => ErrorClass::Invalid,
                (Certainty::Rejected, _) => ErrorClass::Refused,
                (Certainty::NotSent | Certainty::Unknown, _) => ErrorClass::Unavailable,
            },
            Self::Store(_) | Self::Id(IdError::NoNode(_)) => ErrorClass::Unavailable,
            Self::Id(_) => ErrorClass::Internal,
        }
    }

    /// Whether the same request may be sent again and may then succeed. It can never do harm.
    #[must_use]
    pub fn retry_may_help(&self) -> bool {
        match self.class() {
            ErrorClass::Unavailable | ErrorClass::Internal => true,
            ErrorClass::Invalid | ErrorClass::NotFound | ErrorClass::Conflict | ErrorClass::Refused => false,
        }
    }

    /// The channel's part in it, if it had one.
    #[must_use]
    pub fn channel_error(&self) -> Option<&ChannelError> {
        match self {
            Self::Channel { source, .. } => Some(source),
            Self::Invalid { .. }
            | Self::NoConfiguration { .. }
            | Self::OrderPaid(_)
            | Self::PayingElsewhere { .. }
            | Self::PayingOtherwise { .. }
            | Self::Busy(_)
            | Self::TradingNotFound(_)
            | Self::NotClosable { .. }
            | Self::NotRefundable { .. }
            | Self::RefundTooLarge(_)
            | Self::RefundNotFound(_)
            | Self::ProductRefundNotFound(_)
            | Self::RefundTooLate { .. }
            | Self::TooManyRefunds { .. }
            | Self::RefundedByItself(_)
            | Self::RefundNumberUsed { .. }
            | Self::Store(_)
            | Self::Id(_)
            | Self::EventNotFound(_)
            | Self::Contended(_) => None,
        }
    }

    pub(super) fn channel(code: MessageCode) -> impl FnOnce(ChannelError) -> Self {
        move |source| Self::Channel { code, source }
    }
}
