//! Amounts and times for people.

/// `1,234.05`: fen as yuan.
pub(crate) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    let digits = (fen / 100).to_string();
    let mut grouped = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && digits.len().saturating_sub(index).is_multiple_of(3) {
            grouped.push(',');
        }
        grouped.push(digit);
    }
    format!("{sign}{grouped}.{:02}", fen % 100)
}

/// `6 天 23 小时`, `1 小时 59 分`, `29 分 58 秒`, `58 秒`: rounded up to whole seconds, never negative.
pub(crate) fn duration(ms: i64) -> String {
    let seconds = ms.max(0).saturating_add(999) / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    if days > 0 {
        format!("{days} 天 {} 小时", hours % 24)
    } else if hours > 0 {
        format!("{hours} 小时 {} 分", minutes % 60)
    } else if minutes > 0 {
        format!("{minutes} 分 {} 秒", seconds % 60)
    } else {
        format!("{seconds} 秒")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn yuan_is_exact() {
        for (fen, text) in [
            (0, "0.00"),
            (1, "0.01"),
            (100, "1.00"),
            (99_999, "999.99"),
            (100_000, "1,000.00"),
            (123_456_789, "1,234,567.89"),
            (-5, "-0.05"),
        ] {
            assert_eq!(yuan(fen), text);
        }
    }

    #[test]
    fn a_duration_has_two_units() {
        for (ms, text) in [
            (-1, "0 秒"),
            (1, "1 秒"),
            (59_001, "1 分 0 秒"),
            (60_000, "1 分 0 秒"),
            (7_140_000, "1 小时 59 分"),
            (7 * 86_400_000 - 3_600_000, "6 天 23 小时"),
        ] {
            assert_eq!(duration(ms), text);
        }
    }
}
