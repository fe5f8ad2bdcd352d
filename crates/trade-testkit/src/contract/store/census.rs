//! The census: counts move with the rows.

use trade_core::{
    Refund, RefundState, RefundStep, Role, Step, Timestamp, Trading, TradingState,
    port::{Claim, Counts},
};

use super::{Promise, Store, apply_for, commit, go, insert, settled};
use crate::fixture::{self, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(nothing_is_counted_of_an_empty_store),
        Promise::new(live_tradings_wait_or_are_open),
        Promise::new(the_oldest_open_trading_is_known),
        Promise::new(refunds_run_until_they_end),
        Promise::new(unknown_refunds_are_told_apart),
        Promise::new(events_wait_until_they_are_sent),
        Promise::new(stuck_rows_are_counted_whatever_their_state),
    ]
}

async fn counts(store: &Store) -> Counts {
    store.counts().await.unwrap()
}

/// An empty store counts nothing and has nothing oldest.
pub async fn nothing_is_counted_of_an_empty_store(store: Store) {
    assert_eq!(counts(&store).await, Counts::default());
}

/// A trading waits for its payer or is open at the channel while it lives, by its step, and is not
/// counted once it has ended.
pub async fn live_tradings_wait_or_are_open(store: Store) {
    let mut expected = Counts::default();
    for (number, state) in (1..).zip(TradingState::ALL) {
        let trading = Trading {
            state,
            ..fixture::trading(number)
        };
        insert(&store, &trading).await;
        match state {
            TradingState::Paying(Step::Placed) => expected.waiting_tradings += 1,
            TradingState::Paying(_) => {
                expected.open_tradings += 1;
                expected.oldest_open_at = Some(trading.updated_at);
                if state == TradingState::Paying(Step::Unknown) {
                    expected.unknown_tradings = 1;
                    expected.oldest_unknown_at = Some(trading.updated_at);
                }
            }
            _ => assert!(!state.is_live(), "{state} is counted"),
        }
        assert_eq!(counts(&store).await, expected, "{state}");
    }
    assert_eq!((expected.waiting_tradings, expected.open_tradings), (1, 3));
}

/// The oldest of the open tradings is the one that changed longest ago, and the next one after it.
pub async fn the_oldest_open_trading_is_known(store: Store) {
    for (number, second) in [(1, 30), (2, 10), (3, 20)] {
        let trading = Trading {
            state: TradingState::Paying(Step::Unknown),
            updated_at: at(second),
            ..fixture::trading(number)
        };
        insert(&store, &trading).await;
    }
    let read = async || counts(&store).await.oldest_open_at;
    assert_eq!(read().await, Some(at(10)));
    let second = store.trading(fixture::trading_no(2)).await.unwrap().unwrap();
    let placed = fixture::change(&second, TradingState::Paying(Step::Placed));
    let placed = commit(&store, placed).await;
    assert_eq!(read().await, Some(at(20)));
    let closing = fixture::change(&placed, TradingState::Paying(Step::Closing));
    let closing = commit(&store, closing).await;
    assert_eq!(read().await, Some(at(12)));
    commit(&store, fixture::change(&closing, TradingState::Cancelled)).await;
    assert_eq!(read().await, Some(at(20)));
    let expected = Counts {
        open_tradings: 2,
        oldest_open_at: Some(at(20)),
        unknown_tradings: 2,
        oldest_unknown_at: Some(at(20)),
        ..Counts::default()
    };
    assert_eq!(counts(&store).await, expected);
}

/// A refund runs from its insert until it succeeds or fails; the oldest is the first asked for,
/// whatever happened to it since.
pub async fn refunds_run_until_they_end(store: Store) {
    let trading = settled(&store, 1).await;
    let read = async || {
        let counts = counts(&store).await;
        (counts.running_refunds, counts.oldest_refund_at)
    };
    let mut rows = Vec::new();
    for (number, second) in [(1, 20), (2, 10), (3, 30)] {
        let refund = Refund {
            created_at: at(second),
            updated_at: at(second),
            ..fixture::refund(&trading, number, 100)
        };
        apply_for(&store, &refund).await;
        rows.push(refund);
    }
    assert_eq!(read().await, (3, Some(at(10))));
    let second = go(&store, &rows[1], RefundState::Sending(RefundStep::Unfunded)).await;
    assert_eq!(read().await, (3, Some(at(10))));
    go(&store, &second, RefundState::Success).await;
    assert_eq!(read().await, (2, Some(at(20))));
    go(&store, &rows[0], RefundState::Failed).await;
    assert_eq!(read().await, (1, Some(at(30))));
    go(&store, &rows[2], RefundState::Success).await;
    assert_eq!(read().await, (0, None));
}

/// A refund of unknown outcome is as old as its last change; one that is accepted is not unknown.
pub async fn unknown_refunds_are_told_apart(store: Store) {
    let trading = settled(&store, 1).await;
    let mut rows = Vec::new();
    for (number, second) in [(1, 20), (2, 10)] {
        let refund = Refund {
            created_at: at(second),
            updated_at: at(second),
            ..fixture::refund(&trading, number, 100)
        };
        apply_for(&store, &refund).await;
        rows.push(refund);
    }
    let read = async || {
        let counts = counts(&store).await;
        (counts.unknown_refunds, counts.oldest_unknown_refund_at)
    };
    assert_eq!(read().await, (0, None));
    let unknown = go(&store, &rows[0], RefundState::Sending(RefundStep::Unknown)).await;
    assert!(unknown.updated_at > rows[0].updated_at, "{unknown:?}");
    assert_eq!(read().await, (1, Some(unknown.updated_at)));
    go(&store, &rows[1], RefundState::Sending(RefundStep::Accepted)).await;
    assert_eq!(read().await, (1, Some(unknown.updated_at)));
    go(&store, &unknown, RefundState::Success).await;
    assert_eq!(read().await, (0, None));
}

/// An event waits until it was sent; one that was not taken is as old as when it happened, not as when
/// it is offered again.
pub async fn events_wait_until_they_are_sent(store: Store) {
    let read = async || {
        let counts = counts(&store).await;
        (counts.unsent_events, counts.oldest_event_at)
    };
    for (number, second) in [(1, 20), (2, 10)] {
        let trading = Trading {
            updated_at: at(second),
            ..fixture::trading(number)
        };
        insert(&store, &trading).await;
        let paid = fixture::paid(&trading, Role::Winner, &format!("42{number}"));
        commit(&store, paid).await;
    }
    let id = |number: i64| fixture::event_id(number * 1000 + 2);
    assert_eq!(read().await, (2, Some(at(11))));
    store.event_failed(id(2), at(500), "no route").await.unwrap();
    assert_eq!(read().await, (2, Some(at(11))));
    store.event_sent(id(2), at(600)).await.unwrap();
    assert_eq!(read().await, (1, Some(at(21))));
    store.event_sent(id(1), at(600)).await.unwrap();
    assert_eq!(read().await, (0, None));
}

/// Rows that need a person are counted by that alone: since an insert, a transition or a claim, and in
/// every state, until nothing is wrong with them.
pub async fn stuck_rows_are_counted_whatever_their_state(store: Store) {
    let read = async || {
        let counts = counts(&store).await;
        (counts.stuck_tradings, counts.stuck_refunds)
    };
    let trading = settled(&store, 1).await;
    let mut change = fixture::change(&trading, TradingState::Settled);
    change.after.stuck = Some("why".into());
    let trading = commit(&store, change).await;
    assert_eq!(read().await, (1, 0));
    let born_stuck = Refund {
        stuck: Some(String::new()),
        ..fixture::refund(&trading, 1, 100)
    };
    apply_for(&store, &born_stuck).await;
    let fine = fixture::refund(&trading, 2, 100);
    apply_for(&store, &fine).await;
    assert_eq!(read().await, (1, 1));
    let claim = |version, seen: Option<Timestamp>, stuck: Option<&str>| Claim {
        version,
        seen,
        next_check_at: seen,
        checks: 1,
        stuck: stuck.map(ToOwned::to_owned),
    };
    let stuck = claim(fine.version, fine.next_check_at, Some("余额不足"));
    assert!(store.claim_refund(fine.refund_no, stuck).await.unwrap());
    assert_eq!(read().await, (1, 2));
    let failed = Refund {
        stuck: Some("still".into()),
        ..fine
    };
    go(&store, &failed, RefundState::Failed).await;
    assert_eq!(read().await, (1, 2));
    let freed = claim(born_stuck.version, born_stuck.next_check_at, None);
    assert!(store.claim_refund(born_stuck.refund_no, freed).await.unwrap());
    assert_eq!(read().await, (1, 1));
    let freed = claim(trading.version, trading.next_check_at, None);
    assert!(
        store
            .claim_trading(trading.trading_order_no, freed)
            .await
            .unwrap()
    );
    assert_eq!(read().await, (0, 1));
}
