//! The text format of WeChat Pay's bills.

/// Starts every file.
const BOM: &str = "\u{feff}";
/// The fee, in parts of a hundred thousand: 0.60 %.
const RATE: i64 = 600;
/// The fee rate as bills print it.
pub(super) const RATE_TEXT: &str = "0.60%";

/// A bill: header, lines, summary header, summary line. Data fields start with a backtick.
pub(super) fn write(
    header: &[&str],
    lines: &[Vec<String>],
    summary_header: &[&str],
    summary: &[String],
) -> String {
    let mut out = format!("{BOM}{}\r\n", header.join(","));
    for line in lines {
        out.push_str(&data(line));
    }
    out.push_str(&format!("{}\r\n", summary_header.join(",")));
    out.push_str(&data(summary));
    out
}

/// A data line. Line breaks inside a field would break the file; WeChat Pay drops them, too.
fn data(fields: &[String]) -> String {
    let fields: Vec<String> = fields
        .iter()
        .map(|field| format!("`{}", field.replace(['\r', '\n'], " ")))
        .collect();
    format!("{}\r\n", fields.join(","))
}

/// Fen as yuan with two decimals.
pub(super) fn yuan(fen: i64) -> String {
    let sign = if fen < 0 { "-" } else { "" };
    let fen = fen.unsigned_abs();
    let (whole, rest) = (fen.div_euclid(100), fen.rem_euclid(100));
    format!("{sign}{whole}.{rest:02}")
}

/// Fen as yuan with five decimals, as fees are printed.
pub(super) fn fee_yuan(fen: i64) -> String {
    format!("{}000", yuan(fen))
}

/// The fee for an amount, rounded to whole fen.
pub(super) fn fee_fen(fen: i64) -> i64 {
    fen.saturating_mul(RATE)
        .saturating_add(50_000)
        .div_euclid(100_000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn money_is_printed_in_yuan() {
        assert_eq!(yuan(1), "0.01");
        assert_eq!(yuan(-12_345), "-123.45");
        assert_eq!(fee_yuan(60), "0.60000");
        assert_eq!(fee_fen(10_000), 60);
        assert_eq!(fee_fen(83), 0);
        assert_eq!(fee_fen(84), 1);
    }

    #[test]
    fn data_fields_start_with_a_backtick() {
        let lines = [vec!["a,b".to_owned(), "c\nd".to_owned()]];
        let text = write(&["x", "y"], &lines, &["n"], &["1".to_owned()]);
        assert_eq!(text, "\u{feff}x,y\r\n`a,b,`c d\r\nn\r\n`1\r\n");
    }
}
