//! Refunds: what is reserved never exceeds what was paid, and sums move with the refunds.

use std::time::Duration;

use trade_core::{
    Fen, Refund, RefundState, RefundStep, Role, Trading, TradingState,
    port::{Claim, Pick, RefundCommit, RefundInserted},
};

use super::{
    Promise, Store, all_events, apply_for, assert_not_covered, commit, go, insert, read, settled, stored,
    sums,
};
use crate::fixture::{self, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(reads_back_every_field),
        Promise::new(reserves_up_to_the_amount),
        Promise::new(only_a_settled_trading_is_refunded),
        Promise::new(existing_number_returns_the_refund),
        Promise::new(success_counts_and_failure_gives_back),
        Promise::new(failed_that_succeeded_after_all_counts),
        Promise::new(other_moves_leave_the_sums),
        Promise::new(other_version_is_stale),
        Promise::new(unknown_refund_is_an_error),
        Promise::new(taken_event_key_writes_nothing),
        Promise::new(claim_compares_what_was_seen),
        Promise::new(due_longest_waiting_first_up_to_the_limit),
    ]
}

const ALL: [RefundState; 7] = RefundState::ALL;

/// Every field and every state of a refund is read back, from its insert and from a transition.
pub async fn reads_back_every_field(store: Store) {
    let trading = settled(&store, 1).await;
    for (number, state) in (1..).zip(ALL) {
        let refund = fixture::refund_like(&fixture::refund(&trading, number, 100), state);
        apply_for(&store, &refund).await;
        assert_eq!(stored(&store, &refund).await, refund);
    }
    let bare = Refund {
        send_at: at(50),
        ..fixture::refund(&trading, 50, 100)
    };
    apply_for(&store, &bare).await;
    assert_eq!(stored(&store, &bare).await, bare);
    let mut change = fixture::refund_change(&bare, RefundState::Sending(RefundStep::Accepted));
    change.after = Refund {
        version: 2,
        next_check_at: None,
        memo: bare.memo.clone(),
        origin: bare.origin,
        product_refund_no: None,
        out_refund_no: bare.out_refund_no.clone(),
        ..fixture::refund_like(&bare, change.after.state)
    };
    store.commit_refund(&change).await.unwrap();
    assert_eq!(stored(&store, &bare).await, change.after);
    assert_eq!(store.refund(fixture::refund_no(999)).await.unwrap(), None);
}

/// Refunds are accepted until the amount is used up, to the fen, and the refused one leaves nothing.
/// The trading's version does not move: its state has not changed.
pub async fn reserves_up_to_the_amount(store: Store) {
    let trading = settled(&store, 1).await;
    for (number, fen, reserved) in [(1, 400, 400), (2, 599, 999)] {
        apply_for(&store, &fixture::refund(&trading, number, fen)).await;
        assert_eq!(sums(&store, &trading).await, (reserved, 0));
    }
    let over = fixture::refund(&trading, 3, 2);
    assert_not_covered(&store, &over).await;
    assert_eq!(store.refund(over.refund_no).await.unwrap(), None);
    apply_for(&store, &fixture::refund(&trading, 4, 1)).await;
    let expected = Trading {
        refund_reserved: Fen::new(1000).unwrap(),
        ..trading.clone()
    };
    assert_eq!(read(&store, &trading).await, expected);
}

/// A trading that is not settled, or not there, covers nothing. Surplus money is settled too: it is
/// what has to go back.
pub async fn only_a_settled_trading_is_refunded(store: Store) {
    for (number, state) in (1..).zip(TradingState::ALL) {
        let trading = Trading {
            state,
            ..fixture::trading(number)
        };
        insert(&store, &trading).await;
        let refund = fixture::refund(&trading, number, 1);
        if state == TradingState::Settled {
            apply_for(&store, &refund).await;
        } else {
            assert_not_covered(&store, &refund).await;
        }
    }
    let nowhere = fixture::refund(&fixture::trading(99), 99, 1);
    assert_not_covered(&store, &nowhere).await;
    let surplus = fixture::trading(100);
    insert(&store, &surplus).await;
    let surplus = commit(&store, fixture::paid(&surplus, Role::Surplus, "42")).await;
    apply_for(&store, &fixture::refund(&surplus, 100, 1000)).await;
}

/// A number that exists answers with its refund, whatever is asked, and reserves nothing more.
pub async fn existing_number_returns_the_refund(store: Store) {
    let trading = settled(&store, 1).await;
    let other = settled(&store, 2).await;
    let refund = fixture::refund(&trading, 1, 300);
    apply_for(&store, &refund).await;
    for again in [
        refund.clone(),
        fixture::refund(&trading, 1, 900),
        fixture::refund(&other, 1, 300),
    ] {
        let answer = store.insert_refund(&fixture::new_refund(&again)).await.unwrap();
        assert_eq!(answer, RefundInserted::Exists(Box::new(refund.clone())));
    }
    assert_eq!(sums(&store, &trading).await, (300, 0));
    assert_eq!(sums(&store, &other).await, (0, 0));
}

/// A success adds to what went back; a failure frees what was reserved for another refund.
pub async fn success_counts_and_failure_gives_back(store: Store) {
    let trading = settled(&store, 1).await;
    let good = fixture::refund(&trading, 1, 600);
    let bad = fixture::refund(&trading, 2, 400);
    apply_for(&store, &good).await;
    apply_for(&store, &bad).await;
    let good = go(&store, &good, RefundState::Sending(RefundStep::Accepted)).await;
    go(&store, &good, RefundState::Success).await;
    assert_eq!(sums(&store, &trading).await, (1000, 600));
    go(&store, &bad, RefundState::Failed).await;
    assert_eq!(sums(&store, &trading).await, (600, 600));
    apply_for(&store, &fixture::refund(&trading, 3, 400)).await;
    assert_eq!(sums(&store, &trading).await, (1000, 600));
}

/// A refund that failed and then went through after all is reserved again and counted.
pub async fn failed_that_succeeded_after_all_counts(store: Store) {
    let trading = settled(&store, 1).await;
    let refund = fixture::refund(&trading, 1, 700);
    apply_for(&store, &refund).await;
    let failed = go(&store, &refund, RefundState::Failed).await;
    assert_eq!(sums(&store, &trading).await, (0, 0));
    go(&store, &failed, RefundState::Success).await;
    assert_eq!(sums(&store, &trading).await, (700, 700));
}

/// While a refund is on its way, its reserve stays.
pub async fn other_moves_leave_the_sums(store: Store) {
    let trading = settled(&store, 1).await;
    let mut refund = fixture::refund(&trading, 1, 250);
    apply_for(&store, &refund).await;
    for step in [
        RefundStep::Unknown,
        RefundStep::Accepted,
        RefundStep::Unfunded,
        RefundStep::Abnormal,
    ] {
        refund = go(&store, &refund, RefundState::Sending(step)).await;
        assert_eq!(sums(&store, &trading).await, (250, 0), "{step:?}");
    }
}

/// A transition decided on another version is refused and leaves nothing: no sums, no event.
pub async fn other_version_is_stale(store: Store) {
    let trading = settled(&store, 1).await;
    let first = fixture::refund(&trading, 1, 500);
    apply_for(&store, &first).await;
    let second = go(&store, &first, RefundState::Sending(RefundStep::Accepted)).await;
    let events = all_events(&store).await.len();
    let ahead = Refund {
        version: 7,
        ..second.clone()
    };
    for before in [&first, &ahead] {
        let mut change = fixture::refund_change(before, RefundState::Success);
        change.event = Some(fixture::refund_event(&change.after, 900));
        assert_eq!(store.commit_refund(&change).await.unwrap(), RefundCommit::Stale);
        assert_eq!(stored(&store, &first).await, second);
        assert_eq!(sums(&store, &trading).await, (500, 0));
        assert_eq!(all_events(&store).await.len(), events);
    }
}

/// There is no transition of what does not exist.
pub async fn unknown_refund_is_an_error(store: Store) {
    let trading = settled(&store, 1).await;
    let change = fixture::refund_change(&fixture::refund(&trading, 1, 500), RefundState::Success);
    store.commit_refund(&change).await.expect_err("no such refund");
    assert_eq!(sums(&store, &trading).await, (0, 0));
}

/// A second event with the same key is refused, and with it row and sums.
pub async fn taken_event_key_writes_nothing(store: Store) {
    let trading = settled(&store, 1).await;
    let refund = fixture::refund(&trading, 1, 500);
    apply_for(&store, &refund).await;
    let events = all_events(&store).await.len();
    let good = fixture::refund_change(&refund, RefundState::Success);
    let event = fixture::refund_event(&good.after, 900);
    let mut bad = good.clone();
    bad.event = Some(trade_core::EventDraft {
        event_key: fixture::paid(&fixture::trading(1), Role::Winner, "42001")
            .event
            .expect("a winner is announced")
            .event_key,
        ..event.clone()
    });
    store.commit_refund(&bad).await.expect_err("the key exists");
    assert_eq!(stored(&store, &refund).await, refund);
    assert_eq!(sums(&store, &trading).await, (500, 0));
    assert_eq!(all_events(&store).await.len(), events);

    let good = trade_core::RefundChange {
        event: Some(event),
        ..good
    };
    assert_eq!(store.commit_refund(&good).await.unwrap(), RefundCommit::Done);
    assert_eq!(sums(&store, &trading).await, (500, 500));
    assert_eq!(all_events(&store).await.len(), events + 1);
}

/// One claimant wins; a claim moves the look and nothing else.
pub async fn claim_compares_what_was_seen(store: Store) {
    let trading = settled(&store, 1).await;
    let refund = fixture::refund(&trading, 1, 100);
    apply_for(&store, &refund).await;
    let claim = Claim {
        version: 1,
        seen: refund.next_check_at,
        next_check_at: refund.next_check_at.map(|at| at.plus(Duration::from_secs(30))),
        checks: 3,
        stuck: Some("余额不足".into()),
    };
    for wrong in [
        Claim {
            version: 2,
            ..claim.clone()
        },
        Claim {
            seen: None,
            ..claim.clone()
        },
    ] {
        assert!(!store.claim_refund(refund.refund_no, wrong).await.unwrap());
        assert_eq!(stored(&store, &refund).await, refund);
    }
    assert!(store.claim_refund(refund.refund_no, claim.clone()).await.unwrap());
    assert!(!store.claim_refund(refund.refund_no, claim.clone()).await.unwrap());
    let expected = Refund {
        next_check_at: claim.next_check_at,
        checks: 3,
        stuck: claim.stuck.clone(),
        ..refund.clone()
    };
    assert_eq!(stored(&store, &refund).await, expected);
    assert!(!store.claim_refund(fixture::refund_no(99), claim).await.unwrap());
}

/// The longest waiting come first, by number among equals, not before their time, never more than the
/// limit.
pub async fn due_longest_waiting_first_up_to_the_limit(store: Store) {
    let trading = settled(&store, 1).await;
    for (number, seconds) in [
        (1, Some(30)),
        (2, Some(10)),
        (3, Some(20)),
        (4, Some(10)),
        (5, None),
    ] {
        let refund = Refund {
            next_check_at: seconds.map(at),
            ..fixture::refund(&trading, number, 100)
        };
        apply_for(&store, &refund).await;
    }
    let numbers = async |seconds, limit| -> Vec<_> {
        let rows = store.due_refunds(Pick::all(at(seconds), limit)).await.unwrap();
        rows.iter().map(|row| row.refund_no.get()).collect()
    };
    assert_eq!(numbers(9, 10).await, [0_i64; 0]);
    assert_eq!(numbers(29, 10).await, [2, 4, 3]);
    assert_eq!(numbers(30, 10).await, [2, 4, 3, 1]);
    assert_eq!(numbers(30, 2).await, [2, 4]);
}
