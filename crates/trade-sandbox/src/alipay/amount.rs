//! Amounts: fen inside, yuan with at most two decimals on the wire.

/// The largest amount of one trade: a hundred million yuan.
pub(super) const FEN_MAX: i64 = 100_000_000 * 100;

/// Fen of `88.88`, `88.8` or `88`; `None` for anything else, a sign or an exponent included.
pub(super) fn parse(text: &str) -> Option<i64> {
    let (yuan, fraction) = text.split_once('.').unwrap_or((text, ""));
    let has_dot = text.contains('.');
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let shaped = digits(yuan) && digits(fraction) && !yuan.is_empty() && fraction.len() <= 2;
    if !shaped || (has_dot && fraction.is_empty()) {
        return None;
    }
    let yuan: i64 = yuan.parse().ok()?;
    let fen: i64 = format!("{fraction:0<2}").parse().ok()?;
    yuan.checked_mul(100)?.checked_add(fen)
}

/// `88.80` for 8880 fen.
pub(super) fn format(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    format!("{sign}{}.{:02}", fen / 100, fen % 100)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn amounts_are_read_exactly_and_written_with_two_decimals() {
        for (text, fen) in [
            ("0.01", 1),
            ("88.8", 8_880),
            ("88", 8_800),
            ("0", 0),
            ("00.10", 10),
        ] {
            assert_eq!(parse(text), Some(fen), "{text}");
        }
        for text in [
            "", ".", "1.", ".5", "-1", "+1", "1.001", "1e2", "1,000", " 1", "１",
        ] {
            assert_eq!(parse(text), None, "{text}");
        }
        assert_eq!(format(8_880), "88.80");
        assert_eq!(format(-5), "-0.05");
    }
}
