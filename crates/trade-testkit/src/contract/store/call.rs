//! Calls to the channels: what was noted is read back in the order of the calls, until it is forgotten.

use std::time::Duration;

use trade_core::port::CallEntry;

use super::{Promise, Store};
use crate::fixture::{self, at, trading_no};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(reads_back_every_field),
        Promise::new(calls_of_a_trading_oldest_first),
        Promise::new(calls_need_no_trading),
        Promise::new(appends_many_at_once),
        Promise::new(forgets_the_oldest_up_to_the_limit),
    ]
}

/// When the calls about a trading began, in seconds after the start, in the order they are read.
async fn seconds(store: &Store, trading: i64) -> Vec<i64> {
    let calls = store.calls_of(trading_no(trading)).await.unwrap();
    let begun = calls.iter().map(|call| (call.at.ms() - at(0).ms()) / 1000);
    begun.collect()
}

/// Every field of a call is read back, filled or bare.
pub async fn reads_back_every_field(store: Store) {
    let filled = fixture::call(1, 5);
    let bare = CallEntry {
        refund_no: None,
        operation: "place".into(),
        took: Duration::ZERO,
        outcome: "ok".into(),
        code: String::new(),
        request_id: None,
        ..fixture::call(1, 6)
    };
    let slow = CallEntry {
        took: Duration::from_micros(30_000_001),
        outcome: "unknown".into(),
        ..fixture::call(1, 7)
    };
    let calls = [filled, bare, slow];
    store.append_calls(&calls).await.unwrap();
    assert_eq!(store.calls_of(trading_no(1)).await.unwrap(), calls);
}

/// The calls about a trading come oldest first, whenever they were noted; those that began at once, as
/// they were noted; and only its own.
pub async fn calls_of_a_trading_oldest_first(store: Store) {
    let noted = [(1, 30), (2, 15), (1, 10), (1, 20), (3, 10)];
    for (trading, second) in noted {
        let call = fixture::call(trading, second);
        store.append_calls(&[call]).await.unwrap();
    }
    assert_eq!(seconds(&store, 1).await, [10, 20, 30]);
    assert_eq!(seconds(&store, 2).await, [15]);
    let twins = ["first", "second", "third"].map(|code| CallEntry {
        code: code.into(),
        ..fixture::call(4, 40)
    });
    store.append_calls(&twins).await.unwrap();
    assert_eq!(store.calls_of(trading_no(4)).await.unwrap(), twins);
}

/// A call is kept whether or not its trading exists; a trading without calls has none.
pub async fn calls_need_no_trading(store: Store) {
    assert_eq!(store.calls_of(trading_no(7)).await.unwrap(), []);
    store.append_calls(&[]).await.unwrap();
    store.append_calls(&[fixture::call(7, 1)]).await.unwrap();
    assert_eq!(seconds(&store, 7).await, [1]);
    assert_eq!(seconds(&store, 8).await, [0_i64; 0]);
}

/// As many calls as there are can be added in one go, none lost and none twice.
pub async fn appends_many_at_once(store: Store) {
    let calls: Vec<_> = (1..=1200).map(|second| fixture::call(1, second)).collect();
    store.append_calls(&calls).await.unwrap();
    assert_eq!(store.calls_of(trading_no(1)).await.unwrap(), calls);
    assert_eq!(store.prune_calls(at(1101), u32::MAX).await.unwrap(), 1100);
    assert_eq!(store.calls_of(trading_no(1)).await.unwrap(), calls[1100..]);
}

/// Calls that began before the time are forgotten, the oldest first and never more than the limit; one
/// that began then stays.
pub async fn forgets_the_oldest_up_to_the_limit(store: Store) {
    for second in [40, 20, 10, 30, 50] {
        let call = fixture::call(1, second);
        store.append_calls(&[call]).await.unwrap();
    }
    assert_eq!(store.prune_calls(at(10), 9).await.unwrap(), 0);
    assert_eq!(store.prune_calls(at(50), 0).await.unwrap(), 0);
    assert_eq!(store.prune_calls(at(50), 2).await.unwrap(), 2);
    assert_eq!(seconds(&store, 1).await, [30, 40, 50]);
    assert_eq!(store.prune_calls(at(50), 9).await.unwrap(), 2);
    assert_eq!(seconds(&store, 1).await, [50]);
}
