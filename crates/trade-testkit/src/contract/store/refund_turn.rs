//! A refund's turn: two refunds of one trading are never sent closer to each other than the gap.

use std::{sync::Arc, time::Duration};

use trade_core::{NewRefund, Refund, RefundState, Trading, port::RefundInserted};

use super::{
    Promise, Store, done, go,
    race::{TASKS, race},
    settled, stored,
};
use crate::fixture::{self, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(each_waits_for_the_latest_turn_and_the_gap),
        Promise::new(a_failed_refund_keeps_nobody_waiting),
        Promise::new(tradings_do_not_wait_for_each_other),
        Promise::new(racing_refunds_get_turns_of_their_own),
    ]
}

const GAP: Duration = Duration::from_mins(1);

/// A refund of 0.10 yuan that wants to be sent at `second`, a minute after the one before it.
fn wanted(trading: &Trading, number: i64, second: i64) -> NewRefund {
    let refund = Refund {
        send_at: at(second),
        ..fixture::refund(trading, number, 10)
    };
    NewRefund {
        gap: GAP,
        ..fixture::new_refund(&refund)
    }
}

/// Inserts a refund; the row it became, which is as it is read back and has moved by its turn alone.
async fn inserted(store: &Store, new: NewRefund) -> Refund {
    let row = done(store, &new).await;
    assert_eq!(stored(store, &new.refund).await, row);
    let expected = Refund {
        send_at: row.send_at,
        ..new.refund
    };
    assert_eq!(row, expected);
    row
}

/// A refund is sent when it wants to be, or a gap after the latest of the others, whichever is later;
/// the latest turn counts, not the last refund.
pub async fn each_waits_for_the_latest_turn_and_the_gap(store: Store) {
    let trading = settled(&store, 1).await;
    let turns = [(0, 0), (0, 60), (500, 500), (30, 560), (619, 620), (681, 681)];
    for (number, (second, turn)) in (1..).zip(turns) {
        let row = inserted(&store, wanted(&trading, number, second)).await;
        assert_eq!(row.send_at, at(turn), "refund {number}");
    }
    let close = NewRefund {
        gap: Duration::ZERO,
        ..wanted(&trading, 9, 0)
    };
    assert_eq!(inserted(&store, close).await.send_at, at(681));
}

/// What the channel refused keeps nobody waiting; what went through, or is on its way, does.
pub async fn a_failed_refund_keeps_nobody_waiting(store: Store) {
    let trading = settled(&store, 1).await;
    let first = inserted(&store, wanted(&trading, 1, 0)).await;
    let second = inserted(&store, wanted(&trading, 2, 0)).await;
    let third = inserted(&store, wanted(&trading, 3, 300)).await;
    go(&store, &third, RefundState::Failed).await;
    let fourth = inserted(&store, wanted(&trading, 4, 0)).await;
    assert_eq!(fourth.send_at, at(120));
    go(&store, &second, RefundState::Failed).await;
    go(&store, &fourth, RefundState::Failed).await;
    go(&store, &first, RefundState::Success).await;
    assert_eq!(inserted(&store, wanted(&trading, 5, 0)).await.send_at, at(60));
}

/// The gap is between the refunds of one trading.
pub async fn tradings_do_not_wait_for_each_other(store: Store) {
    let (one, two) = (settled(&store, 1).await, settled(&store, 2).await);
    assert_eq!(inserted(&store, wanted(&one, 1, 0)).await.send_at, at(0));
    assert_eq!(inserted(&store, wanted(&two, 2, 0)).await.send_at, at(0));
    assert_eq!(inserted(&store, wanted(&one, 3, 0)).await.send_at, at(60));
}

/// 64 refunds of one trading that come at once have 64 turns, each a gap after another.
pub async fn racing_refunds_get_turns_of_their_own(store: Store) {
    let trading = settled(&store, 1000).await;
    let answers = race(|number| {
        let (store, new) = (Arc::clone(&store), wanted(&trading, number, 0));
        async move { store.insert_refund(&new).await.unwrap() }
    })
    .await;
    let told = answers.into_iter().map(|answer| match answer {
        RefundInserted::Done(row) => row.send_at,
        refused => panic!("{refused:?}"),
    });
    let mut told: Vec<_> = told.collect();
    told.sort_unstable();
    let expected: Vec<_> = (0..TASKS).map(|turn| at(60 * turn)).collect();
    assert_eq!(told, expected);
    let rows = store.refunds_of(trading.trading_order_no).await.unwrap();
    let mut kept: Vec<_> = rows.iter().map(|row| row.send_at).collect();
    kept.sort_unstable();
    assert_eq!(kept, expected);
}
