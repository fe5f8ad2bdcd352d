//! Notices: raw bytes in, verified facts or a refusal out.

use std::{error::Error as StdError, fmt};

use super::{ChannelAnswer, Payment, PaymentStatus, RefundStatus};
use crate::{Channel, EnterpriseId, Fen, RefundNo, TradingOrderNo};

/// The headers of a notice; names are matched without regard to case.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Headers(Vec<(String, String)>);

impl Headers {
    /// Takes name and value pairs as they came.
    pub fn new(pairs: impl IntoIterator<Item = (String, String)>) -> Self {
        Self(pairs.into_iter().collect())
    }

    /// The value of a header. A header that came twice has no value: whoever checks a signature
    /// must not choose between two.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&str> {
        let mut values = self.0.iter().filter(|(key, _)| key.eq_ignore_ascii_case(name));
        match (values.next(), values.next()) {
            (Some((_, value)), None) => Some(value),
            (Some(_), Some(_)) | (None, _) => None,
        }
    }
}

/// A notice as it came in: nothing in it is believed yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RawNotice {
    /// The headers.
    pub headers: Headers,
    /// The body, byte for byte.
    pub body: Vec<u8>,
}

/// A notice that an adapter has verified.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedNotice {
    /// The channel it came from.
    pub channel: Channel,
    /// The merchant it names, and whose keys verified it.
    pub enterprise_id: EnterpriseId,
    /// The channel's id of the event, the same on every delivery (WeChat `id`, Alipay `notify_id`).
    pub notice_id: String,
    /// What it says.
    pub fact: NoticeFact,
    /// The verified, decrypted text for the record.
    pub answer: ChannelAnswer,
}

/// What a notice says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NoticeFact {
    /// About a payment.
    Payment(PaymentNotice),
    /// About a refund, be it of ours or made in the merchant console.
    Refund(RefundNotice),
    /// Something this service does not act on; acknowledged and recorded.
    Other(String),
}

/// What a notice says about a payment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PaymentNotice {
    /// The channel's text of our number, which may not be one of ours at all.
    pub out_trade_no: String,
    /// What has become of the payment.
    pub status: PaymentStatus,
}

/// What a notice says about a refund.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RefundNotice {
    /// The channel's text of our trading number.
    pub out_trade_no: String,
    /// The channel's text of the refund number, when it names one.
    pub out_refund_no: Option<String>,
    /// The channel's own number of the refund.
    pub refund_id: Option<String>,
    /// What has become of the refund.
    pub status: RefundStatus,
    /// The amount of this refund, when told.
    pub amount: Option<Fen>,
    /// All that was refunded of the trading so far, when told (Alipay `refund_fee`).
    pub cumulative: Option<Fen>,
    /// The payment behind it, when the notice proves it (Alipay sends both in one).
    pub payment: Option<Payment>,
}

impl PaymentNotice {
    /// Our number, if it is one of ours.
    #[must_use]
    pub fn trading_order_no(&self) -> Option<TradingOrderNo> {
        TradingOrderNo::from_digits(&self.out_trade_no)
    }
}

impl RefundNotice {
    /// Our trading number, if it is one of ours.
    #[must_use]
    pub fn trading_order_no(&self) -> Option<TradingOrderNo> {
        TradingOrderNo::from_digits(&self.out_trade_no)
    }

    /// Our refund number, if it is one of ours.
    #[must_use]
    pub fn refund_no(&self) -> Option<RefundNo> {
        self.out_refund_no.as_deref().and_then(RefundNo::from_digits)
    }
}

/// Why a notice is not believed.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum NoticeError {
    /// It has not the form of this channel's notices.
    #[error("the notice is malformed: {0}")]
    Malformed(String),
    /// The signature is absent or wrong.
    #[error("the notice is not signed by the channel: {0}")]
    BadSignature(String),
    /// It names a key that is not configured. Answered so that the channel sends it again, since
    /// during a key change the next delivery may verify.
    #[error("the notice is signed by the unknown key `{0}`: add it to the merchant's configuration")]
    UnknownKey(String),
    /// It was signed too long ago, or too far in the future.
    #[error("the notice was signed {0} seconds away from our clock: it is a replay, or a clock is wrong")]
    Stale(u64),
    /// It is signed and encrypted for somebody else.
    #[error("the notice is for another merchant: {0}")]
    WrongMerchant(String),
    /// It cannot be decrypted with the configured key.
    #[error("the notice cannot be decrypted: {hint}")]
    Undecryptable {
        /// The likely cause and what to do.
        hint: String,
        /// The cause.
        #[source]
        source: Box<dyn StdError + Send + Sync>,
    },
    /// The keys to verify it could not be fetched just now.
    #[error("the notice cannot be verified just now")]
    KeysUnavailable(#[source] Box<dyn StdError + Send + Sync>),
}

impl NoticeError {
    /// Whether the next delivery of the same notice may well be believed.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::UnknownKey(_) | Self::KeysUnavailable(_) => true,
            Self::Malformed(_)
            | Self::BadSignature(_)
            | Self::Stale(_)
            | Self::WrongMerchant(_)
            | Self::Undecryptable { .. } => false,
        }
    }

    /// A word for the record and for metrics.
    #[must_use]
    pub fn label(&self) -> &'static str {
        match self {
            Self::Malformed(_) => "malformed",
            Self::BadSignature(_) => "bad_signature",
            Self::UnknownKey(_) => "unknown_key",
            Self::Stale(_) => "stale",
            Self::WrongMerchant(_) => "wrong_merchant",
            Self::Undecryptable { .. } => "undecryptable",
            Self::KeysUnavailable(_) => "keys_unavailable",
        }
    }
}

/// What we made of a notice.
#[derive(Clone, Copy)]
#[expect(missing_debug_implementations, reason = "holds a text to display, not data")]
pub enum Verdict<'a> {
    /// Durably taken, now or before: the channel may stop.
    Taken,
    /// Not believed; the reason is for the channel's own records.
    Refused(&'a dyn fmt::Display),
    /// Ours to blame: the channel shall send it again.
    Later(&'a dyn fmt::Display),
}

/// The HTTP answer a channel expects.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Acknowledgement {
    /// The status.
    pub status: u16,
    /// The content type, when there is a body.
    pub content_type: Option<&'static str>,
    /// The exact body.
    pub body: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_are_matched_without_case_and_never_chosen_between() {
        let headers = Headers::new([
            ("Wechatpay-Nonce".into(), "n".into()),
            ("WECHATPAY-SERIAL".into(), "a".into()),
            ("wechatpay-serial".into(), "b".into()),
        ]);
        assert_eq!(headers.get("wechatpay-nonce"), Some("n"));
        assert_eq!(headers.get("Wechatpay-Serial"), None);
        assert_eq!(headers.get("Wechatpay-Signature"), None);
    }
}
