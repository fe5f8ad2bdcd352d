//! What a transition may not move: what was agreed at the insert, and the sums, which are the refunds'.

use trade_core::{
    Refund, RefundOrigin, RefundState, RefundStep, Trading, TradingState,
    port::{Commit, RefundCommit},
};

use super::{Promise, Store, apply_for, assert_not_covered, commit, insert, read, settled, stored, sums};
use crate::fixture::{self, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(a_transition_leaves_what_was_agreed),
        Promise::new(a_transition_leaves_the_sums_to_the_refunds),
        Promise::new(a_refunds_transition_leaves_what_was_agreed),
    ]
}

/// Order, merchant, channel, amount, texts, sums and times of a trading stay as they were inserted,
/// whatever a transition says.
pub async fn a_transition_leaves_what_was_agreed(store: Store) {
    let trading = fixture::rich_trading(1);
    insert(&store, &trading).await;
    let change = fixture::change(&trading, TradingState::Settled);
    let expected = change.after.clone();
    let other = fixture::trading(2);
    let mut altered = change;
    altered.after = Trading {
        product_app_id: fixture::app_named("another"),
        product_order_no: other.product_order_no,
        enterprise_id: other.enterprise_id,
        channel: other.channel,
        amount: other.amount,
        memo: other.memo,
        content: other.content,
        refund_reserved: other.refund_reserved,
        refunded: other.refunded,
        created_at: at(1),
        expires_at: at(2),
        ..altered.after
    };
    let done = store.commit_trading(&altered).await.unwrap();
    assert_eq!(done, Commit::Done);
    assert_eq!(read(&store, &trading).await, expected);
}

/// A transition that was decided before a refund was reserved does not take its reserve back, or the
/// same money could be refunded twice.
pub async fn a_transition_leaves_the_sums_to_the_refunds(store: Store) {
    let trading = settled(&store, 1).await;
    let decided = fixture::change(&trading, TradingState::Settled);
    apply_for(&store, &fixture::refund(&trading, 1, 1000)).await;
    commit(&store, decided).await;
    assert_eq!(sums(&store, &trading).await, (1000, 0));
    assert_not_covered(&store, &fixture::refund(&trading, 2, 1)).await;
}

/// Numbers, origin, trading, amount, texts, turn and time of a refund stay as they were inserted,
/// whatever a transition says; the sums follow the amount that was reserved.
pub async fn a_refunds_transition_leaves_what_was_agreed(store: Store) {
    let trading = settled(&store, 1).await;
    let other = settled(&store, 2).await;
    let refund = fixture::refund(&trading, 1, 300);
    apply_for(&store, &refund).await;
    let change = fixture::refund_change(&refund, RefundState::Sending(RefundStep::Accepted));
    let expected = change.after.clone();
    let mut altered = change;
    altered.after = Refund {
        origin: RefundOrigin::Console,
        product_refund_no: Some(fixture::product_refund_no("R9")),
        out_refund_no: "9".into(),
        trading_order_no: other.trading_order_no,
        product_app_id: fixture::app_named("another"),
        product_order_no: other.product_order_no,
        enterprise_id: fixture::enterprise(9),
        channel: trade_core::Channel::AliPay,
        amount: other.amount,
        total: trade_core::Amount::MAX,
        memo: "another".into(),
        content: other.content.clone(),
        send_at: at(9),
        created_at: at(9),
        ..altered.after
    };
    let done = store.commit_refund(&altered).await.unwrap();
    assert_eq!(done, RefundCommit::Done);
    assert_eq!(stored(&store, &refund).await, expected);

    let mut success = fixture::refund_change(&expected, RefundState::Success);
    success.after.amount = other.amount;
    success.after.trading_order_no = other.trading_order_no;
    let done = store.commit_refund(&success).await.unwrap();
    assert_eq!(done, RefundCommit::Done);
    assert_eq!(sums(&store, &trading).await, (300, 300));
    assert_eq!(sums(&store, &other).await, (0, 0));
}
