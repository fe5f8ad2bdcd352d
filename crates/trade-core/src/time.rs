//! Points in time, as everything here keeps them: milliseconds since the epoch, shown in Beijing time.

use std::{fmt, time::Duration};

use jiff::tz::{self, TimeZone};
use serde::{Deserialize, Serialize};

/// A point in time in milliseconds since 1970-01-01T00:00:00Z.
///
/// Both channels and the callers speak Beijing wall-clock time (+08:00, no daylight saving); the
/// conversion happens only in the methods here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Timestamp(i64);

impl Timestamp {
    /// From milliseconds since the epoch.
    #[must_use]
    pub const fn from_ms(ms: i64) -> Self {
        Self(ms)
    }

    /// Milliseconds since the epoch.
    #[must_use]
    pub const fn ms(self) -> i64 {
        self.0
    }

    /// Whole seconds since the epoch, as both channels sign them.
    #[must_use]
    pub const fn secs(self) -> i64 {
        self.0.div_euclid(1000)
    }

    /// Later by `duration`; stays at the last representable point rather than wrapping.
    #[must_use]
    pub fn plus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_add(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// Earlier by `duration`.
    #[must_use]
    pub fn minus(self, duration: Duration) -> Self {
        Self(
            self.0
                .saturating_sub(i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)),
        )
    }

    /// How long it has been since `earlier`; zero when `earlier` is not earlier.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(u64::try_from(self.0.saturating_sub(earlier.0)).unwrap_or(0))
    }

    /// `yyyy-MM-dd HH:mm:ss` in Beijing time: Alipay's wire form and this service's JSON form.
    #[must_use]
    pub fn to_beijing_text(self) -> String {
        self.zoned().strftime("%Y-%m-%d %H:%M:%S").to_string()
    }

    /// RFC 3339 with offset, whole seconds (`2018-06-08T10:34:56+08:00`): WeChat Pay's wire form.
    #[must_use]
    pub fn to_rfc3339(self) -> String {
        self.zoned().strftime("%Y-%m-%dT%H:%M:%S%:z").to_string()
    }

    /// Reads `yyyy-MM-dd HH:mm:ss` (with or without `.SSS`) as Beijing time; `None` when it is something else.
    #[must_use]
    pub fn from_beijing_text(text: &str) -> Option<Self> {
        let civil: jiff::civil::DateTime = text.trim().replacen(' ', "T", 1).parse().ok()?;
        let zoned = civil.to_zoned(beijing()).ok()?;
        Some(Self(zoned.timestamp().as_millisecond()))
    }

    /// Reads RFC 3339 with any offset, with or without fractions; `None` when it is something else.
    #[must_use]
    pub fn from_rfc3339(text: &str) -> Option<Self> {
        let timestamp: jiff::Timestamp = text.trim().parse().ok()?;
        Some(Self(timestamp.as_millisecond()))
    }

    fn zoned(self) -> jiff::Zoned {
        jiff::Timestamp::from_millisecond(self.0)
            .unwrap_or(jiff::Timestamp::MAX)
            .to_zoned(beijing())
    }
}

fn beijing() -> TimeZone {
    TimeZone::fixed(tz::offset(8))
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.to_rfc3339())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_forms_are_beijing_time() {
        let time = Timestamp::from_ms(1_528_425_296_000);
        assert_eq!(time.to_rfc3339(), "2018-06-08T10:34:56+08:00");
        assert_eq!(time.to_beijing_text(), "2018-06-08 10:34:56");
        assert_eq!(Timestamp::from_beijing_text("2018-06-08 10:34:56"), Some(time));
        assert_eq!(
            Timestamp::from_beijing_text("2018-06-08 10:34:56.500").map(Timestamp::ms),
            Some(1_528_425_296_500)
        );
        assert_eq!(Timestamp::from_rfc3339("2018-06-08T02:34:56Z"), Some(time));
        assert_eq!(Timestamp::from_rfc3339("yesterday"), None);
        assert_eq!(Timestamp::from_beijing_text("2018-13-08 10:34:56"), None);
    }

    #[test]
    fn arithmetic_does_not_wrap() {
        let last = Timestamp::from_ms(i64::MAX);
        assert_eq!(last.plus(Duration::from_secs(1)), last);
        assert_eq!(Timestamp::from_ms(5).since(Timestamp::from_ms(9)), Duration::ZERO);
        assert!(!last.to_rfc3339().is_empty());
    }
}
