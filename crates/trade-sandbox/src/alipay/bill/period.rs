//! What a bill covers: a day, or a month.

use crate::beijing::{self, DAY_MS};

/// Bills are ready at nine in the morning.
const NINE_MS: i64 = 9 * 3_600_000;

/// A day or a month in Beijing.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Period {
    pub(super) start_ms: i64,
    /// The first millisecond that no longer belongs to it.
    pub(super) end_ms: i64,
    /// From when its bill can be downloaded: the next day, or the third of the next month.
    pub(super) available_ms: i64,
    /// `20260105` or `202601`.
    pub(super) compact: String,
}

impl Period {
    /// Reads `2026-01-05` or `2026-01`.
    pub(super) fn parse(text: &str) -> Option<Self> {
        let compact = text.replace('-', "");
        match text.len() {
            10 => {
                let start_ms = beijing::parse_date(text)?;
                let end_ms = start_ms.saturating_add(DAY_MS);
                Some(Self {
                    start_ms,
                    end_ms,
                    available_ms: end_ms.saturating_add(NINE_MS),
                    compact,
                })
            }
            7 => {
                let start_ms = beijing::parse_date(&format!("{text}-01"))?;
                let end_ms = next_month(start_ms)?;
                Some(Self {
                    start_ms,
                    end_ms,
                    available_ms: end_ms.saturating_add(2 * DAY_MS).saturating_add(NINE_MS),
                    compact,
                })
            }
            _ => None,
        }
    }

    /// Whether a moment belongs to it.
    pub(super) fn contains(&self, at_ms: i64) -> bool {
        (self.start_ms..self.end_ms).contains(&at_ms)
    }

    /// The same with everything that happened before: a balance needs it.
    pub(super) fn with_all_before(&self) -> Self {
        Self {
            start_ms: i64::MIN,
            ..self.clone()
        }
    }
}

/// The start of the month after the one that starts at `start_ms`.
fn next_month(start_ms: i64) -> Option<i64> {
    let inside = beijing::wall(start_ms.saturating_add(32 * DAY_MS));
    beijing::parse_date(&format!("{}-01", inside.get(..7)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_and_months_have_their_length() {
        let days = |text| Period::parse(text).map(|period| (period.end_ms - period.start_ms) / DAY_MS);
        assert_eq!(days("2026-01-05"), Some(1));
        assert_eq!(days("2026-02"), Some(28));
        assert_eq!(days("2028-02"), Some(29));
        assert_eq!(days("2026-12"), Some(31));
        for text in ["2026-13", "2026-02-30", "20260105", "2026-1-05", "2026", ""] {
            assert_eq!(days(text), None, "{text}");
        }
    }
}
