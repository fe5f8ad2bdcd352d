//! Claims and what is due: one claimant wins, and no backlog starves what became due later.

use std::time::Duration;

use trade_core::{
    Refund, Step, Trading, TradingState,
    port::{Claim, Due, Pick, Shard},
};

use super::{Promise, Store, apply_for, insert, read, settled};
use crate::fixture::{self, START, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(claim_changes_only_the_look),
        Promise::new(claim_compares_what_was_seen),
        Promise::new(claim_of_nothing_is_lost),
        Promise::new(due_is_what_has_come),
        Promise::new(due_to_be_closed_is_what_is_live_and_past_its_time),
        Promise::new(due_longest_waiting_first_up_to_the_limit),
        Promise::new(due_to_be_asked_about_from_both_ends),
        Promise::new(due_of_a_part),
        Promise::new(due_refunds_of_a_part),
    ]
}

fn claim(trading: &Trading) -> Claim {
    Claim {
        version: trading.version,
        seen: trading.next_check_at,
        next_check_at: trading.next_check_at.map(|at| at.plus(Duration::from_secs(30))),
        checks: trading.checks + 1,
        stuck: None,
    }
}

/// A claim moves the next look, counts it and says why a person is needed; nothing else, and it makes
/// no journal entry.
pub async fn claim_changes_only_the_look(store: Store) {
    let mut row = Trading {
        stuck: Some("before".into()),
        ..fixture::trading(1)
    };
    insert(&store, &row).await;
    let claims = [
        (Some(at(90)), 7, Some("stuck: 'why'".to_owned())),
        (None, 8, None),
        (Some(at(5)), 0, Some(String::new())),
    ];
    for (next_check_at, checks, stuck) in claims {
        let claim = Claim {
            next_check_at,
            checks,
            stuck: stuck.clone(),
            ..claim(&row)
        };
        assert!(store.claim_trading(row.trading_order_no, claim).await.unwrap());
        row = Trading {
            next_check_at,
            checks,
            stuck,
            ..row
        };
        super::assert_untouched(&store, &row, 1, 0).await;
    }
}

/// A claim about another version or another time than the row has is lost and changes nothing.
pub async fn claim_compares_what_was_seen(store: Store) {
    let row = fixture::trading(1);
    insert(&store, &row).await;
    let wrong = [
        Claim {
            version: 2,
            ..claim(&row)
        },
        Claim {
            seen: Some(at(61)),
            ..claim(&row)
        },
        Claim {
            seen: None,
            ..claim(&row)
        },
    ];
    for claim in wrong {
        assert!(!store.claim_trading(row.trading_order_no, claim).await.unwrap());
        assert_eq!(read(&store, &row).await, row);
    }
    // The second of two with the same sight is too late.
    assert!(
        store
            .claim_trading(row.trading_order_no, claim(&row))
            .await
            .unwrap()
    );
    assert!(
        !store
            .claim_trading(row.trading_order_no, claim(&row))
            .await
            .unwrap()
    );
}

/// Nobody claims what does not exist.
pub async fn claim_of_nothing_is_lost(store: Store) {
    let row = fixture::trading(1);
    assert!(
        !store
            .claim_trading(row.trading_order_no, claim(&row))
            .await
            .unwrap()
    );
}

/// A row is due at its time, not before, and not when there is nothing left to look at.
pub async fn due_is_what_has_come(store: Store) {
    let mut rows = Vec::new();
    for (number, next_check_at) in [(1, Some(at(10))), (2, Some(at(11))), (3, None)] {
        let row = Trading {
            next_check_at,
            ..fixture::trading(number)
        };
        insert(&store, &row).await;
        rows.push(row);
    }
    let due = async |seconds| {
        store
            .due_tradings(Due::Sync, Pick::all(at(seconds), 10))
            .await
            .unwrap()
    };
    assert_eq!(due(9).await, []);
    assert_eq!(due(10).await, rows[..1]);
    assert_eq!(due(11).await, rows[..2]);
}

/// Live tradings past their time are to be closed, and to be looked at like all others.
pub async fn due_to_be_closed_is_what_is_live_and_past_its_time(store: Store) {
    let now = at(1000);
    let row = |number, state, expires_at, next_check_at| Trading {
        state,
        expires_at,
        next_check_at,
        ..fixture::trading(number)
    };
    let placed = TradingState::Paying(Step::Placed);
    let rows = [
        row(1, placed, now, Some(START)),
        row(2, TradingState::Paying(Step::Closing), at(900), Some(START)),
        row(3, placed, at(1001), Some(START)),
        row(4, TradingState::Cancelled, at(900), Some(START)),
        row(5, TradingState::Settled, at(900), Some(START)),
        // Claimed by somebody, or done: not due although expired.
        row(6, placed, at(900), Some(at(1001))),
        row(7, placed, at(900), None),
    ];
    for row in &rows {
        insert(&store, row).await;
    }
    let numbers = async |due| -> Vec<_> {
        let rows = store.due_tradings(due, Pick::all(now, 10)).await.unwrap();
        rows.iter().map(|row| row.trading_order_no.get()).collect()
    };
    assert_eq!(
        numbers(Due::Expired).await,
        [2, 1],
        "first the one that can be closed for longer"
    );
    assert_eq!(numbers(Due::Sync).await, [1, 2, 3, 4, 5]);
}

/// The longest waiting come first, by number among equals, and never more than the limit.
pub async fn due_longest_waiting_first_up_to_the_limit(store: Store) {
    for (number, seconds) in [(1, 30), (2, 10), (3, 20), (4, 10)] {
        let row = Trading {
            next_check_at: Some(at(seconds)),
            expires_at: START,
            ..fixture::trading(number)
        };
        insert(&store, &row).await;
    }
    let numbers = async |due, limit| -> Vec<_> {
        let rows = store.due_tradings(due, Pick::all(at(30), limit)).await.unwrap();
        rows.iter().map(|row| row.trading_order_no.get()).collect()
    };
    for due in [Due::Sync, Due::Expired] {
        assert_eq!(numbers(due, 10).await, [2, 4, 3, 1]);
        assert_eq!(numbers(due, 4).await, [2, 4, 3, 1]);
        assert_eq!(numbers(due, 1).await, [2]);
        assert_eq!(numbers(due, 0).await, [0_i64; 0]);
    }
    assert_eq!(numbers(Due::Expired, 3).await, [2, 4, 3]);
}

/// Of more than are asked for, half are those that became due last, so that a backlog keeps nobody else waiting.
pub async fn due_to_be_asked_about_from_both_ends(store: Store) {
    for number in 1..=9 {
        let row = Trading {
            next_check_at: Some(at(number)),
            ..fixture::trading(number)
        };
        insert(&store, &row).await;
    }
    let numbers = async |limit| -> Vec<_> {
        let rows = store
            .due_tradings(Due::Sync, Pick::all(at(8), limit))
            .await
            .unwrap();
        rows.iter().map(|row| row.trading_order_no.get()).collect()
    };
    assert_eq!(numbers(2).await, [1, 8]);
    assert_eq!(numbers(3).await, [1, 2, 8]);
    assert_eq!(numbers(4).await, [1, 2, 7, 8]);
    assert_eq!(numbers(7).await, [1, 2, 3, 4, 6, 7, 8]);
    assert_eq!(numbers(8).await, [1, 2, 3, 4, 5, 6, 7, 8]);
}

fn part(index: u32, total: u32, limit: u32) -> Pick {
    Pick {
        now: at(100),
        limit,
        shard: Shard::new(index, total).unwrap(),
    }
}

/// Every row belongs to exactly one of so many parts, and the limit counts only rows of the part that is asked for.
pub async fn due_of_a_part(store: Store) {
    for number in 1..=12 {
        let row = Trading {
            next_check_at: Some(at(number)),
            expires_at: START,
            ..fixture::trading(number)
        };
        insert(&store, &row).await;
    }
    let numbers = async |due, part| -> Vec<_> {
        let rows = store.due_tradings(due, part).await.unwrap();
        rows.iter().map(|row| row.trading_order_no.get()).collect()
    };
    for due in [Due::Sync, Due::Expired] {
        assert_eq!(numbers(due, part(0, 3, 9)).await, [3, 6, 9, 12]);
        assert_eq!(numbers(due, part(1, 3, 9)).await, [1, 4, 7, 10]);
        assert_eq!(numbers(due, part(0, 1, 99)).await, (1..=12).collect::<Vec<_>>());
        assert_eq!(numbers(due, part(99, 100, 9)).await, [0_i64; 0]);
    }
    assert_eq!(numbers(Due::Sync, part(2, 3, 2)).await, [2, 11]);
    assert_eq!(numbers(Due::Expired, part(2, 3, 2)).await, [2, 5]);
    assert_eq!(Shard::new(3, 3), None);
    assert_eq!(Shard::new(0, 0), None);
}

/// The same of refunds.
pub async fn due_refunds_of_a_part(store: Store) {
    let trading = settled(&store, 1).await;
    for number in 1..=12 {
        let refund = Refund {
            next_check_at: Some(at(number)),
            ..fixture::refund(&trading, number, 10)
        };
        apply_for(&store, &refund).await;
    }
    let numbers = async |part| -> Vec<_> {
        let rows = store.due_refunds(part).await.unwrap();
        rows.iter().map(|row| row.refund_no.get()).collect()
    };
    assert_eq!(numbers(part(0, 3, 9)).await, [3, 6, 9, 12]);
    assert_eq!(numbers(part(1, 3, 9)).await, [1, 4, 7, 10]);
    assert_eq!(numbers(part(2, 3, 2)).await, [2, 5]);
    assert_eq!(numbers(part(0, 1, 99)).await, (1..=12).collect::<Vec<_>>());
    assert_eq!(numbers(part(99, 100, 9)).await, [0_i64; 0]);
}
