//! High-water marks: one a node, never lower.

use super::{Promise, Store};
use crate::fixture::at;

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(mark_is_kept_per_node),
        Promise::new(mark_never_falls),
    ]
}

/// A node has the mark it stored, and none before; other nodes do not see it.
pub async fn mark_is_kept_per_node(store: Store) {
    for node in [0, 1023] {
        assert_eq!(store.load(node).await.unwrap(), None);
    }
    store.store(0, at(5)).await.unwrap();
    store.store(1023, at(9)).await.unwrap();
    assert_eq!(store.load(0).await.unwrap(), Some(at(5)));
    assert_eq!(store.load(1023).await.unwrap(), Some(at(9)));
    assert_eq!(store.load(7).await.unwrap(), None);
}

/// A lower mark than the stored one changes nothing.
pub async fn mark_never_falls(store: Store) {
    for (mark, kept) in [(5, 5), (9, 9), (8, 9), (9, 9), (-100, 9), (10, 10)] {
        store.store(1, at(mark)).await.unwrap();
        assert_eq!(store.load(1).await.unwrap(), Some(at(kept)));
    }
}
