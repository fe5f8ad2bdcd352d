//! Reading a queue from both ends, so that a backlog keeps nobody waiting who came later.

/// Puts rows from the end of a queue (the very last first) in the place of as many of those from its beginning, except
/// where they are the same.
pub(crate) fn with_the_last<T, N: PartialEq>(rows: &mut Vec<T>, last: Vec<T>, number: impl Fn(&T) -> N) {
    rows.truncate(rows.len().saturating_sub(last.len()));
    let is_new = |row: &T| rows.iter().all(|other| number(other) != number(row));
    let new: Vec<_> = last.into_iter().rev().filter(is_new).collect();
    rows.extend(new);
}

/// Whether a read found as many rows as it asked for, so that there may be more.
pub(crate) fn is_full<T>(rows: &[T], limit: u64) -> bool {
    u64::try_from(rows.len()).is_ok_and(|count| count >= limit)
}
