//! How long a trade and its code live: `time_expire`, `timeout_express`, `qr_code_timeout_express`.

use crate::beijing::{DAY_MS, day_start};

/// A trade paid face to face lives three hours unless the request says otherwise.
pub(super) const TRADE_MS: i64 = 3 * HOUR_MS;

/// A code lives two hours unless the request says otherwise.
pub(super) const CODE_MS: i64 = 2 * HOUR_MS;

const MINUTE_MS: i64 = 60_000;
const HOUR_MS: i64 = 60 * MINUTE_MS;
const LONGEST_MS: i64 = 15 * DAY_MS;

/// When a duration such as `90m`, `2h`, `15d` or `1c` (until midnight in Beijing) ends, Unix ms. `None`
/// when it is written otherwise, is shorter than a minute or longer than fifteen days.
pub(super) fn end_ms(text: &str, now_ms: i64) -> Option<i64> {
    if text == "1c" {
        return Some(day_start(now_ms).saturating_add(DAY_MS));
    }
    let unit_ms = match text.bytes().last()? {
        b'm' => MINUTE_MS,
        b'h' => HOUR_MS,
        b'd' => DAY_MS,
        _ => return None,
    };
    let digits = text.get(..text.len().checked_sub(1)?)?;
    if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let length_ms = digits.parse::<i64>().ok()?.checked_mul(unit_ms)?;
    let allowed = (MINUTE_MS..=LONGEST_MS).contains(&length_ms);
    allowed.then(|| now_ms.saturating_add(length_ms))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_integers_with_a_unit() {
        assert_eq!(end_ms("90m", 0), Some(5_400_000));
        assert_eq!(end_ms("2h", 1), Some(7_200_001));
        assert_eq!(end_ms("15d", 0), Some(15 * DAY_MS));
        for text in ["", "m", "0m", "1.5h", "16d", "-1m", "1s", "1", "2c", "１m"] {
            assert_eq!(end_ms(text, 0), None, "{text}");
        }
        // 1970-01-01 00:00 UTC is 08:00 in Beijing.
        assert_eq!(end_ms("1c", 0), Some(16 * HOUR_MS));
    }
}
