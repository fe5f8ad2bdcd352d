//! Times as the channels write them: Beijing time, fixed +08:00.

use jiff::{
    Timestamp,
    civil::{Date, Time},
    tz::{Offset, TimeZone},
};

/// A day in milliseconds.
pub(crate) const DAY_MS: i64 = 86_400_000;

fn zone() -> TimeZone {
    Offset::from_hours(8).map_or(TimeZone::UTC, TimeZone::fixed)
}

fn format(at_ms: i64, pattern: &str) -> String {
    let timestamp = Timestamp::from_millisecond(at_ms).unwrap_or(Timestamp::UNIX_EPOCH);
    timestamp.to_zoned(zone()).strftime(pattern).to_string()
}

/// `2018-06-08T10:34:56+08:00`, as WeChat Pay writes times.
pub(crate) fn rfc3339(at_ms: i64) -> String {
    format(at_ms, "%Y-%m-%dT%H:%M:%S%:z")
}

/// `2018-06-08 10:34:56`, as Alipay and the bills of both channels write times.
pub(crate) fn wall(at_ms: i64) -> String {
    format(at_ms, "%Y-%m-%d %H:%M:%S")
}

/// `20180608`.
pub(crate) fn compact_date(at_ms: i64) -> String {
    format(at_ms, "%Y%m%d")
}

/// Unix milliseconds of an RFC 3339 time with an offset.
pub(crate) fn parse_rfc3339(text: &str) -> Option<i64> {
    text.parse::<Timestamp>().ok().map(Timestamp::as_millisecond)
}

/// Unix milliseconds of a wall time `2018-06-08 10:34:56`; nothing else is accepted.
pub(crate) fn parse_wall(text: &str) -> Option<i64> {
    let (date, time) = text.split_once(' ')?;
    let exact = date.len() == 10 && time.len() == 8;
    let date: Date = date.parse().ok()?;
    let time: Time = time.parse().ok()?;
    let zoned = date.to_datetime(time).to_zoned(zone()).ok()?;
    exact.then(|| zoned.timestamp().as_millisecond())
}

/// Unix milliseconds of the start of the day `2018-06-08`; nothing else is accepted.
pub(crate) fn parse_date(text: &str) -> Option<i64> {
    if text.len() != 10 {
        return None;
    }
    let date: Date = text.parse().ok()?;
    let zoned = date.to_zoned(zone()).ok()?;
    Some(zoned.timestamp().as_millisecond())
}

/// Unix milliseconds of the start of the day that contains `at_ms`.
pub(crate) fn day_start(at_ms: i64) -> i64 {
    const OFFSET_MS: i64 = 8 * 3_600_000;
    at_ms.saturating_sub(at_ms.saturating_add(OFFSET_MS).rem_euclid(DAY_MS))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_written_and_read_in_beijing_time() {
        let at_ms = 1_528_425_296_000;
        assert_eq!(rfc3339(at_ms), "2018-06-08T10:34:56+08:00");
        assert_eq!(wall(at_ms), "2018-06-08 10:34:56");
        assert_eq!(parse_rfc3339("2018-06-08T02:34:56Z"), Some(at_ms));
        assert_eq!(parse_wall("2018-06-08 10:34:56"), Some(at_ms));
        assert_eq!(parse_wall("2018-06-08T10:34:56"), None);
        assert_eq!(parse_date("2018-06-08"), Some(day_start(at_ms)));
        assert_eq!(parse_date("20180608"), None);
        assert_eq!(compact_date(day_start(at_ms) - 1), "20180607");
    }
}
