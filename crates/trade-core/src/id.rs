//! The numbers and names of the domain, each its own type, checked where they are made.

use std::fmt;

use serde::{Deserialize, Serialize};

mod snowflake;

pub use snowflake::{IdError, Snowflake};

/// Why a number or a name cannot be what it claims to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{what}: {rule}")]
pub struct InvalidId {
    /// Which id it was meant to be.
    pub what: &'static str,
    /// The rule it breaks.
    pub rule: &'static str,
}

const POSITIVE: &str = "must be a whole number from 1 to 9223372036854775807";

fn positive(what: &'static str, value: i64) -> Result<i64, InvalidId> {
    if value > 0 {
        Ok(value)
    } else {
        Err(InvalidId { what, rule: POSITIVE })
    }
}

/// A positive 64-bit number with a type of its own. The only macro of the crate: five numbers, one rule.
macro_rules! number {
    ($(#[$doc:meta])* $name:ident, $what:literal) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "i64", into = "i64")]
        pub struct $name(i64);

        impl $name {
            /// Checks and wraps the number.
            ///
            /// # Errors
            /// Zero or negative.
            pub fn new(value: i64) -> Result<Self, InvalidId> {
                positive($what, value).map(Self)
            }

            /// The number.
            #[must_use]
            pub const fn get(self) -> i64 {
                self.0
            }

            /// Reads the digits a channel sends back. Only the exact digits we would write are ours:
            /// `007` or `+7` is a number of somebody else.
            #[must_use]
            pub fn from_digits(text: &str) -> Option<Self> {
                let value: i64 = text.parse().ok()?;
                (value > 0 && value.to_string() == text).then_some(Self(value))
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl TryFrom<i64> for $name {
            type Error = InvalidId;

            fn try_from(value: i64) -> Result<Self, InvalidId> {
                Self::new(value)
            }
        }

        impl From<$name> for i64 {
            fn from(id: $name) -> Self {
                id.0
            }
        }
    };
}

number!(
    /// The merchant: one `enterprise_id` has one configuration per channel (商户).
    EnterpriseId,
    "enterpriseId"
);
number!(
    /// The order system's order number (业务订单号).
    ProductOrderNo,
    "productOrderNo"
);
number!(
    /// The number of a trading (交易单号); the channel knows it as `out_trade_no`, in decimal digits.
    TradingOrderNo,
    "tradingOrderNo"
);
number!(
    /// The number of a refund (退款单号); the channel knows it as `out_refund_no` or `out_request_no`.
    RefundNo,
    "refundNo"
);
number!(
    /// The id of an announced event; a consumer that has seen it may skip it.
    EventId,
    "eventId"
);

/// Which order system an order belongs to, such as `jzo2o.orders`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductAppId(String);

/// The caller's own number of a refund (业务退款单号): repeating a refund under it makes no second one.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ProductRefundNo(String);

/// The channel's own number of a payment (`transaction_id`, `trade_no`).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct TransactionId(String);

impl ProductAppId {
    /// Checks and wraps the name: 1 to 64 visible ASCII characters.
    ///
    /// # Errors
    /// Empty, longer, or with other characters.
    pub fn new(name: impl Into<String>) -> Result<Self, InvalidId> {
        let name = name.into();
        let visible = name.bytes().all(|byte| byte.is_ascii_graphic());
        if name.is_empty() || name.len() > 64 || !visible {
            return Err(InvalidId {
                what: "productAppId",
                rule: "must be 1 to 64 visible ASCII characters",
            });
        }
        Ok(Self(name))
    }

    /// The name.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl ProductRefundNo {
    /// Checks and wraps the number: 1 to 64 letters, digits, `_` or `-`.
    ///
    /// # Errors
    /// Empty, longer, or with other characters.
    pub fn new(number: impl Into<String>) -> Result<Self, InvalidId> {
        let number = number.into();
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
        if number.is_empty() || number.len() > 64 || !number.bytes().all(plain) {
            return Err(InvalidId {
                what: "productRefundNo",
                rule: "must be 1 to 64 letters, digits, `_` or `-`",
            });
        }
        Ok(Self(number))
    }

    /// The number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TransactionId {
    /// Wraps the channel's number as it came.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The channel's number.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ProductAppId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ProductRefundNo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for TransactionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl TryFrom<String> for ProductAppId {
    type Error = InvalidId;

    fn try_from(name: String) -> Result<Self, InvalidId> {
        Self::new(name)
    }
}

impl TryFrom<String> for ProductRefundNo {
    type Error = InvalidId;

    fn try_from(number: String) -> Result<Self, InvalidId> {
        Self::new(number)
    }
}

impl From<ProductRefundNo> for String {
    fn from(id: ProductRefundNo) -> Self {
        id.0
    }
}

impl From<ProductAppId> for String {
    fn from(id: ProductAppId) -> Self {
        id.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_our_own_spelling_of_a_number_is_ours() {
        assert_eq!(TradingOrderNo::from_digits("42"), Some(TradingOrderNo(42)));
        for text in ["", "042", "+42", "-42", "0", "42 ", "4e1", "99999999999999999999"] {
            assert_eq!(TradingOrderNo::from_digits(text), None, "{text}");
        }
    }

    #[test]
    fn numbers_start_at_one() {
        assert!(EnterpriseId::new(0).is_err());
        assert_eq!(
            ProductOrderNo::new(-1).unwrap_err().to_string(),
            format!("productOrderNo: {POSITIVE}")
        );
        assert!(ProductAppId::new("jzo2o.orders").is_ok());
        assert!(ProductAppId::new("").is_err());
        assert!(ProductAppId::new("订单").is_err());
    }
}
