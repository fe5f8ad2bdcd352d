//! Money: whole fen in a newtype, checked arithmetic, yuan only as text at the edges.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A sum of money in fen (分, 1/100 yuan), never negative.
///
/// Sums such as "already refunded" may be zero; what a payer is asked for is an [`Amount`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Fen(i64);

/// An amount a payer can be asked for or refunded: at least 1 fen, at most [`Amount::MAX`].
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "i64", into = "i64")]
pub struct Amount(i64);

/// Why a number or a text is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a plain decimal number.
    #[error("`{0}` is not an amount: write yuan as digits with at most two decimals, such as 12.30")]
    NotANumber(String),
    /// More than two decimals: a fen cannot be split.
    #[error("`{0}` has more than two decimals: the smallest amount is one fen, 0.01 yuan")]
    TooManyDecimals(String),
    /// Below zero.
    #[error("an amount cannot be negative")]
    Negative,
    /// Zero, where something must be paid or refunded.
    #[error("the amount must be greater than zero")]
    Zero,
    /// Above [`Amount::MAX`], or a sum that does not fit.
    #[error("the amount is above the limit of 100000000.00 yuan")]
    TooLarge,
}

impl Fen {
    /// Nothing.
    pub const ZERO: Self = Self(0);

    /// A sum in fen; refuses negative numbers.
    ///
    /// # Errors
    /// [`MoneyError::Negative`].
    pub const fn new(fen: i64) -> Result<Self, MoneyError> {
        if fen < 0 {
            Err(MoneyError::Negative)
        } else {
            Ok(Self(fen))
        }
    }

    /// The number of fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// Reads yuan text with at most two decimals (`"1"`, `"1.5"`, `"1.50"`).
    ///
    /// # Errors
    /// What is wrong with the text, in words for the caller.
    ///
    /// ```
    /// use trade_core::Fen;
    /// assert_eq!(Fen::from_yuan("19.90")?.get(), 1990);
    /// assert!(Fen::from_yuan("0.001").is_err());
    /// # Ok::<(), trade_core::MoneyError>(())
    /// ```
    pub fn from_yuan(text: &str) -> Result<Self, MoneyError> {
        let text = text.trim();
        if text
            .strip_prefix('-')
            .is_some_and(|rest| parse_yuan(rest).is_ok())
        {
            return Err(MoneyError::Negative);
        }
        parse_yuan(text).map(Self)
    }

    /// Yuan text with two decimals, as every wire form of this project writes it.
    #[must_use]
    pub fn to_yuan(self) -> String {
        format!("{}.{:02}", self.0 / 100, self.0 % 100)
    }

    /// The sum, or `None` when it does not fit.
    #[must_use]
    pub const fn checked_add(self, other: Self) -> Option<Self> {
        match self.0.checked_add(other.0) {
            Some(sum) => Some(Self(sum)),
            None => None,
        }
    }

    /// The difference, or `None` when it would be negative.
    #[must_use]
    pub const fn checked_sub(self, other: Self) -> Option<Self> {
        if other.0 > self.0 {
            None
        } else {
            Some(Self(self.0 - other.0))
        }
    }
}

impl Amount {
    /// 100,000,000.00 yuan: the larger of what the two channels accept in one trading.
    pub const MAX: Self = Self(10_000_000_000);

    /// An amount in fen.
    ///
    /// # Errors
    /// Zero, negative, or above [`Amount::MAX`].
    pub const fn new(fen: i64) -> Result<Self, MoneyError> {
        match fen {
            0 => Err(MoneyError::Zero),
            i64::MIN..0 => Err(MoneyError::Negative),
            _ if fen > Self::MAX.0 => Err(MoneyError::TooLarge),
            _ => Ok(Self(fen)),
        }
    }

    /// Reads yuan text, see [`Fen::from_yuan`].
    ///
    /// # Errors
    /// What is wrong with the text, in words for the caller.
    pub fn from_yuan(text: &str) -> Result<Self, MoneyError> {
        Self::new(Fen::from_yuan(text)?.get())
    }

    /// The number of fen.
    #[must_use]
    pub const fn get(self) -> i64 {
        self.0
    }

    /// The same sum as [`Fen`].
    #[must_use]
    pub const fn fen(self) -> Fen {
        Fen(self.0)
    }

    /// Yuan text with two decimals.
    #[must_use]
    pub fn to_yuan(self) -> String {
        self.fen().to_yuan()
    }
}

/// Digits, optionally a point and one or two more digits; no sign, no exponent, no grouping.
fn parse_yuan(text: &str) -> Result<i64, MoneyError> {
    let not_a_number = || MoneyError::NotANumber(text.chars().take(32).collect());
    let (whole, decimals) = text.split_once('.').unwrap_or((text, "0"));
    let digits = |part: &str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_digit());
    if !digits(whole) || !digits(decimals) {
        return Err(not_a_number());
    }
    // Zeros beyond the second decimal change nothing: 1.500 is 1.50, 1.505 is refused.
    let decimals = decimals.trim_end_matches('0');
    if decimals.len() > 2 {
        return Err(MoneyError::TooManyDecimals(text.chars().take(32).collect()));
    }
    let cents: i64 = format!("{decimals:0<2}").parse().map_err(|_| not_a_number())?;
    let yuan: i64 = whole.parse().map_err(|_| MoneyError::TooLarge)?;
    yuan.checked_mul(100)
        .and_then(|fen| fen.checked_add(cents))
        .ok_or(MoneyError::TooLarge)
}

impl fmt::Display for Fen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} yuan", self.to_yuan())
    }
}

impl fmt::Display for Amount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.fen().fmt(f)
    }
}

impl TryFrom<i64> for Fen {
    type Error = MoneyError;

    fn try_from(fen: i64) -> Result<Self, MoneyError> {
        Self::new(fen)
    }
}

impl From<Fen> for i64 {
    fn from(fen: Fen) -> Self {
        fen.0
    }
}

impl TryFrom<i64> for Amount {
    type Error = MoneyError;

    fn try_from(fen: i64) -> Result<Self, MoneyError> {
        Self::new(fen)
    }
}

impl From<Amount> for i64 {
    fn from(amount: Amount) -> Self {
        amount.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_text_is_read_exactly() {
        for (text, fen) in [
            ("0", 0),
            ("0.01", 1),
            ("1", 100),
            ("1.5", 150),
            ("1.50", 150),
            ("19.90", 1990),
        ] {
            assert_eq!(Fen::from_yuan(text), Ok(Fen(fen)), "{text}");
        }
        assert_eq!(
            Fen::from_yuan("90071992547409.93"),
            Ok(Fen(9_007_199_254_740_993))
        );
        assert_eq!(Fen::from_yuan(" 2.500 "), Ok(Fen(250)));
    }

    #[test]
    fn what_is_not_money_is_refused_in_words() {
        for text in [
            "", ".", "1.", ".5", "1e2", "1,000", "+1", "１", "0x10", "NaN", "1.0.0",
        ] {
            assert!(
                matches!(Fen::from_yuan(text), Err(MoneyError::NotANumber(_))),
                "{text}"
            );
        }
        assert_eq!(Fen::from_yuan("-1.00"), Err(MoneyError::Negative));
        assert!(matches!(
            Fen::from_yuan("1.005"),
            Err(MoneyError::TooManyDecimals(_))
        ));
        assert_eq!(Fen::from_yuan("99999999999999999999"), Err(MoneyError::TooLarge));
        assert_eq!(Amount::from_yuan("0.00"), Err(MoneyError::Zero));
        assert_eq!(Amount::from_yuan("100000000.01"), Err(MoneyError::TooLarge));
        assert_eq!(Amount::from_yuan("100000000.00"), Ok(Amount::MAX));
    }

    #[test]
    fn sums_are_checked() {
        assert_eq!(Fen(1).checked_add(Fen(i64::MAX)), None);
        assert_eq!(Fen(1).checked_sub(Fen(2)), None);
        assert_eq!(Fen(3).checked_sub(Fen(2)), Some(Fen(1)));
        assert!(serde_json::from_str::<Amount>("-3").is_err());
    }
}
