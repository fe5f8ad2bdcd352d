//! High-water marks: one a node, never lower, and moved from one place only once.

use super::{Promise, Store};
use crate::fixture::at;

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(mark_is_kept_per_node),
        Promise::new(mark_moves_from_where_it_is_and_never_falls),
    ]
}

/// A node has the mark it stored, and none before; other nodes do not see it.
pub async fn mark_is_kept_per_node(store: Store) {
    for node in [0, 1023] {
        assert_eq!(store.load(node).await.unwrap(), None);
    }
    assert!(store.advance(0, None, at(5)).await.unwrap());
    assert!(store.advance(1023, None, at(9)).await.unwrap());
    assert_eq!(store.load(0).await.unwrap(), Some(at(5)));
    assert_eq!(store.load(1023).await.unwrap(), Some(at(9)));
    assert_eq!(store.load(7).await.unwrap(), None);
}

/// A mark that is not where it was seen, or would not rise, stays where it is.
pub async fn mark_moves_from_where_it_is_and_never_falls(store: Store) {
    let cases = [
        (Some(5), 9, None),
        (None, 5, Some(5)),
        (None, 9, Some(5)),
        (Some(4), 9, Some(5)),
        (Some(5), 5, Some(5)),
        (Some(5), 4, Some(5)),
        (Some(5), 9, Some(9)),
        (Some(5), 10, Some(9)),
        (Some(9), 10, Some(10)),
    ];
    let mut before = None;
    for (seen, mark, kept) in cases {
        let moved = store.advance(1, seen.map(at), at(mark)).await.unwrap();
        assert_eq!(store.load(1).await.unwrap(), kept.map(at));
        assert_eq!(moved, kept != before, "from {seen:?} to {mark}");
        before = kept;
    }
}
