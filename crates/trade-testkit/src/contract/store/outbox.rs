//! The outbox: numbered per order and over all, in order within an order, until it is announced.

use trade_core::{RefundState, Role, RoutingKey, Step, Trading, TradingState, port::OrderKey};

use super::{Promise, Store, all_events, apply_for, commit, due_ids, insert, look_at_due};
use crate::fixture::{self, at};

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(counts_per_order_and_over_all),
        Promise::new(only_the_oldest_of_an_order_is_due),
        Promise::new(due_from_when_it_happened),
        Promise::new(due_longest_first_up_to_the_limit),
        Promise::new(due_from_both_ends),
        Promise::new(failed_waits_and_holds_back_only_its_order),
        Promise::new(claimed_once_until_its_time),
        Promise::new(released_is_due_again_at_once),
        Promise::new(claims_at_once_share_nothing),
        Promise::new(sent_is_over),
        Promise::new(unknown_event_changes_nothing),
        Promise::new(reads_up_from_a_position),
        Promise::new(events_of_an_order_in_order),
    ]
}

/// Inserts a trading and announces `events` transitions of it, with ids `100 * number + 1` and so on,
/// a second apart.
pub(super) async fn announce(store: &Store, number: i64, events: i64) -> Trading {
    let mut row = fixture::trading(number);
    insert(store, &row).await;
    for index in 1..=events {
        let mut change = fixture::change(&row, TradingState::Paying(Step::Placed));
        change.event = Some(fixture::event(&change.after, number * 100 + index));
        row = commit(store, change).await;
    }
    row
}

/// `seq` counts the events of an order from 1, over its tradings and refunds; `position` counts all.
pub async fn counts_per_order_and_over_all(store: Store) {
    assert_eq!(store.last_position().await.unwrap(), 0);
    let first = fixture::trading(1);
    insert(&store, &first).await;
    let mut closed = fixture::change(&first, TradingState::Cancelled);
    closed.event = Some(fixture::event(&closed.after, 11));
    commit(&store, closed).await;
    announce(&store, 5, 1).await;
    let second = fixture::like(&first, 2);
    insert(&store, &second).await;
    let second = commit(&store, fixture::paid(&second, Role::Winner, "42")).await;
    let refund = fixture::refund(&second, 1, 100);
    apply_for(&store, &refund).await;
    let mut change = fixture::refund_change(&refund, RefundState::Success);
    change.event = Some(fixture::refund_event(&change.after, 21));
    store.commit_refund(&change).await.unwrap();

    let events = all_events(&store).await;
    let seen: Vec<_> = events
        .iter()
        .map(|event| (event.event_id.get(), event.message.seq, event.position))
        .collect();
    assert_eq!(
        seen,
        [
            (11, Some(1), 1),
            (501, Some(1), 2),
            (2002, Some(2), 3),
            (21, Some(3), 4)
        ]
    );
    assert_eq!(store.last_position().await.unwrap(), 4);
    let mut message = change.event.expect("it is set above").message;
    message.seq = Some(3);
    assert_eq!(events[3].message, message);
    assert_eq!(events[3].routing_key, RoutingKey::RefundUpdateStatus);
    assert_eq!(events[3].attempts, 0);
}

/// No event overtakes another of its order: only the oldest that waits is offered.
pub async fn only_the_oldest_of_an_order_is_due(store: Store) {
    announce(&store, 1, 3).await;
    announce(&store, 2, 1).await;
    let now = at(100);
    assert_eq!(due_ids(&store, now, 10).await, [101, 201]);
    for (sent, next) in [(101, vec![102, 201]), (102, vec![103, 201]), (103, vec![201])] {
        store.event_sent(fixture::event_id(sent), now).await.unwrap();
        assert_eq!(due_ids(&store, now, 10).await, next);
    }
}

/// An event is due from the moment it happened.
pub async fn due_from_when_it_happened(store: Store) {
    announce(&store, 1, 1).await;
    assert_eq!(due_ids(&store, at(0), 10).await, [0_i64; 0]);
    assert_eq!(due_ids(&store, at(1), 10).await, [101]);
    let due = look_at_due(&store, at(1), 10).await;
    assert_eq!(due, all_events(&store).await);
}

/// What is due for longest is offered first, among equals what was committed first, and never more than the limit.
pub async fn due_longest_first_up_to_the_limit(store: Store) {
    for number in [3, 1, 4, 2] {
        announce(&store, number, 2).await;
    }
    assert_eq!(due_ids(&store, at(100), 10).await, [301, 101, 401, 201]);
    assert_eq!(due_ids(&store, at(100), 1).await, [301]);
    assert_eq!(due_ids(&store, at(100), 0).await, [0_i64; 0]);
    for (id, retry_at) in [(301, 60), (101, 50)] {
        let failed = store
            .event_failed(fixture::event_id(id), at(retry_at), "why")
            .await;
        failed.unwrap();
    }
    assert_eq!(due_ids(&store, at(100), 10).await, [101, 301, 401, 201]);
}

/// Of more than are asked for, half are those that became due last, so that a backlog keeps no news waiting.
pub async fn due_from_both_ends(store: Store) {
    for number in 1..=8 {
        announce(&store, number, 1).await;
        let failed = store.event_failed(fixture::event_id(number * 100 + 1), at(10 + number), "why");
        failed.await.unwrap();
    }
    let claimed = async |limit| -> Vec<_> {
        let events = store.claim_events(at(100), at(900), limit).await.unwrap();
        events.iter().map(|event| event.event_id.get() / 100).collect()
    };
    assert_eq!(claimed(3).await, [1, 2, 8]);
    assert_eq!(claimed(4).await, [3, 4, 6, 7]);
    assert_eq!(claimed(4).await, [5]);
}

/// An event that was not taken waits until its time, counts the attempt, and holds back the later
/// events of its own order, not those of others.
pub async fn failed_waits_and_holds_back_only_its_order(store: Store) {
    announce(&store, 1, 2).await;
    announce(&store, 2, 1).await;
    for attempt in 1..=3 {
        let retry_at = at(100 + 10 * i64::from(attempt));
        store
            .event_failed(fixture::event_id(101), retry_at, "no route: 'q' 无路由")
            .await
            .unwrap();
        assert_eq!(
            due_ids(&store, at(100 + 10 * i64::from(attempt) - 1), 10).await,
            [201]
        );
        let due = look_at_due(&store, retry_at, 10).await;
        let seen: Vec<_> = due
            .iter()
            .map(|event| (event.event_id.get(), event.attempts))
            .collect();
        assert_eq!(seen, [(201, 0), (101, attempt)]);
    }
}

/// A claimed event, and those behind it, are nobody else's until the claim ends; then it is due again, and the
/// claim counts as no attempt.
pub async fn claimed_once_until_its_time(store: Store) {
    announce(&store, 1, 2).await;
    announce(&store, 2, 1).await;
    let claimed = store.claim_events(at(100), at(160), 1).await.unwrap();
    assert_eq!(claimed, all_events(&store).await[..1]);
    assert_eq!(due_ids(&store, at(100), 10).await, [201]);
    assert_eq!(due_ids(&store, at(159), 10).await, [201]);
    let again = store.claim_events(at(160), at(220), 10).await.unwrap();
    assert_eq!((again.len(), &again[1]), (2, &claimed[0]));
    store.event_sent(fixture::event_id(101), at(161)).await.unwrap();
    assert_eq!(due_ids(&store, at(161), 10).await, [102]);
}

/// What is given back is due at once; what was announced meanwhile stays so.
pub async fn released_is_due_again_at_once(store: Store) {
    announce(&store, 1, 1).await;
    announce(&store, 2, 1).await;
    store.claim_events(at(100), at(900), 10).await.unwrap();
    store.event_sent(fixture::event_id(201), at(101)).await.unwrap();
    for id in [101, 201, 999] {
        store.release_event(fixture::event_id(id), at(102)).await.unwrap();
    }
    assert_eq!(due_ids(&store, at(101), 10).await, [0_i64; 0]);
    let due = look_at_due(&store, at(102), 10).await;
    assert_eq!(due, all_events(&store).await[..1]);
}

/// However many claim at one moment, each event is one's own, and together they get all.
pub async fn claims_at_once_share_nothing(store: Store) {
    for number in 1..=30 {
        announce(&store, number, 1).await;
    }
    let claimants = (0..6).map(|_| store.claim_events(at(100), at(900), 5));
    let claimed = futures_util::future::join_all(claimants).await;
    let mut ids: Vec<_> = claimed
        .into_iter()
        .flat_map(|events| events.expect("a claim that meets another is no failure"))
        .map(|event| event.event_id.get())
        .collect();
    let rest = store.claim_events(at(101), at(900), 100).await.unwrap();
    ids.extend(rest.iter().map(|event| event.event_id.get()));
    ids.sort_unstable();
    assert_eq!(ids, (1..=30).map(|number| number * 100 + 1).collect::<Vec<_>>());
}

/// What was announced is not offered again, nor does a late failure report bring it back.
pub async fn sent_is_over(store: Store) {
    announce(&store, 1, 1).await;
    let id = fixture::event_id(101);
    store.event_sent(id, at(100)).await.unwrap();
    store.event_failed(id, at(101), "late").await.unwrap();
    store.event_sent(id, at(102)).await.unwrap();
    assert_eq!(due_ids(&store, at(1000), 10).await, [0_i64; 0]);
    assert_eq!(all_events(&store).await[0].attempts, 0);
}

/// A report about an event that does not exist is no error and no event.
pub async fn unknown_event_changes_nothing(store: Store) {
    let id = fixture::event_id(9);
    store.event_sent(id, at(1)).await.unwrap();
    store.event_failed(id, at(1), "why").await.unwrap();
    store.event_refused(id, at(1), None, "why").await.unwrap();
    assert_eq!(all_events(&store).await, []);
}

/// A reader that was away reads up everything after what it saw, announced or not, in order.
pub async fn reads_up_from_a_position(store: Store) {
    announce(&store, 1, 2).await;
    announce(&store, 2, 2).await;
    store.event_sent(fixture::event_id(101), at(100)).await.unwrap();
    let ids = async |after, limit| -> Vec<_> {
        let events = store.events_after(after, limit).await.unwrap();
        events
            .iter()
            .map(|event| (event.position, event.event_id.get()))
            .collect()
    };
    assert_eq!(ids(0, 10).await, [(1, 101), (2, 102), (3, 201), (4, 202)]);
    assert_eq!(ids(1, 2).await, [(2, 102), (3, 201)]);
    assert_eq!(ids(4, 10).await, []);
    assert_eq!(ids(i64::MAX, 10).await, []);
    assert_eq!(ids(0, 0).await, []);
}

/// The events of an order come in order, over its tradings and refunds, announced or not; those of
/// another order, or of the same number in another order system, do not.
pub async fn events_of_an_order_in_order(store: Store) {
    let first = fixture::trading(1);
    insert(&store, &first).await;
    let mut closed = fixture::change(&first, TradingState::Cancelled);
    closed.event = Some(fixture::event(&closed.after, 11));
    commit(&store, closed).await;
    announce(&store, 5, 2).await;
    let theirs = Trading {
        product_app_id: fixture::app_named("another"),
        ..fixture::like(&first, 2)
    };
    insert(&store, &theirs).await;
    commit(&store, fixture::paid(&theirs, Role::Winner, "42")).await;
    let second = fixture::like(&first, 3);
    insert(&store, &second).await;
    let second = commit(&store, fixture::paid(&second, Role::Winner, "43")).await;
    let refund = fixture::refund(&second, 1, 100);
    apply_for(&store, &refund).await;
    let mut change = fixture::refund_change(&refund, RefundState::Success);
    change.event = Some(fixture::refund_event(&change.after, 21));
    store.commit_refund(&change).await.unwrap();
    store.event_sent(fixture::event_id(11), at(100)).await.unwrap();
    store
        .event_failed(fixture::event_id(21), at(200), "why")
        .await
        .unwrap();

    let all = all_events(&store).await;
    let of = async |order: OrderKey| store.events_of(&order).await.unwrap();
    let own = of(first.order()).await;
    let ids: Vec<_> = own.iter().map(|event| event.event_id.get()).collect();
    assert_eq!(ids, [11, 3002, 21]);
    let expected: Vec<_> = all.iter().filter(|event| own.contains(event)).cloned().collect();
    assert_eq!(own, expected, "each is the event that all readers see");
    assert_eq!(of(theirs.order()).await.len(), 1);
    assert_eq!(of(fixture::trading(5).order()).await, all[1..3]);
    assert_eq!(of(fixture::trading(77).order()).await, []);
}
