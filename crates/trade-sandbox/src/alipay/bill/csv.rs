//! The look of Alipay's tables: comments with `#`, ids with a trailing tab, lines that end with CR LF.

use super::period::Period;
use crate::beijing;

/// What all tables of a bill say.
#[derive(Debug)]
pub(super) struct Frame<'bill> {
    pub(super) account: String,
    pub(super) period: &'bill Period,
    pub(super) exported_ms: i64,
}

impl Frame<'_> {
    /// A table: its comments, its columns, its rows, its totals.
    pub(super) fn table(
        &self,
        (title, list): (&str, &str),
        columns: &[&str],
        rows: &[Vec<String>],
        totals: &[String],
    ) -> String {
        let last_ms = self.period.end_ms.saturating_sub(1_000);
        let mut lines = vec![
            format!("#{title}"),
            format!("#账号：[{}]", self.account),
            format!(
                "#起始日期：[{}]   终止日期：[{}]",
                chinese(self.period.start_ms),
                chinese(last_ms)
            ),
            format!("#-----{list}-----"),
            columns.join(","),
        ];
        lines.extend(rows.iter().map(|row| {
            let cells: Vec<String> = row.iter().map(|cell| quoted(cell)).collect();
            cells.join(",")
        }));
        lines.push(format!("#-----{list}结束-----"));
        lines.extend(totals.iter().map(|total| format!("#{total}")));
        lines.push(format!("#导出时间：[{}]", chinese(self.exported_ms)));
        lines.push(String::new());
        lines.join("\r\n")
    }
}

/// An id, kept from spreadsheets that take it for a number.
pub(super) fn id(text: &str) -> String {
    format!("{text}\t")
}

/// What Alipay charges: 0.60%, in fen. It is not returned with a refund.
pub(super) fn fee_fen(amount_fen: i64) -> i64 {
    amount_fen.saturating_mul(6).saturating_add(500) / 1_000
}

fn quoted(cell: &str) -> String {
    if cell.contains([',', '"', '\r', '\n']) {
        format!("\"{}\"", cell.replace('"', "\"\""))
    } else {
        cell.to_owned()
    }
}

/// `2026年01月05日 00:00:00`.
fn chinese(at_ms: i64) -> String {
    let wall = beijing::wall(at_ms);
    let mut parts = wall.splitn(4, ['-', ' ']);
    let mut next = || parts.next().unwrap_or_default();
    format!("{}年{}月{}日 {}", next(), next(), next(), next())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_written_in_chinese() {
        assert_eq!(chinese(1_528_425_296_000), "2018年06月08日 10:34:56");
    }

    #[test]
    fn cells_with_separators_are_quoted() {
        assert_eq!(quoted("红茶"), "红茶");
        assert_eq!(quoted("a,\"b\""), "\"a,\"\"b\"\"\"");
    }
}
