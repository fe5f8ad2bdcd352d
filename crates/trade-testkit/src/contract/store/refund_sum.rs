//! Refunds, their sums and their history in one transaction: all of it is there, or nothing.

use trade_core::{
    Cause, EventDraft, NewRefund, Refund, RefundChange, RefundEntry, RefundState, RefundStep, Role, Trading,
    port::{RefundCommit, RefundInserted},
};

use super::{
    Promise, Store, all_events, apply_for, assert_not_covered, done, go, read, settled, stored, sums,
};
use crate::fixture;

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(one_that_succeeded_already_counts_at_once),
        Promise::new(a_late_success_that_is_not_covered_is_refused),
        Promise::new(a_late_success_that_fits_to_the_fen_counts),
        Promise::new(a_new_refund_comes_with_journal_and_event),
        Promise::new(a_taken_event_key_refuses_a_new_refund),
        Promise::new(journal_is_gapless_and_in_order),
        Promise::new(journal_reads_back_every_field),
        Promise::new(what_is_refused_leaves_no_line),
    ]
}

async fn journal(store: &Store, refund: &Refund) -> Vec<RefundEntry> {
    store.refund_journal(refund.refund_no).await.unwrap()
}

/// The draft of an event that is on record already: that of the winner of that number.
fn taken_event(number: i64) -> EventDraft {
    let paid = fixture::paid(&fixture::trading(number), Role::Winner, &format!("4200{number}"));
    paid.event.expect("a winner is announced")
}

/// A refund that is learned of after it went through is reserved and refunded at once, if it is covered.
pub async fn one_that_succeeded_already_counts_at_once(store: Store) {
    let trading = settled(&store, 1).await;
    let succeeded = |number, fen| Refund {
        state: RefundState::Success,
        ..fixture::refund(&trading, number, fen)
    };
    apply_for(&store, &succeeded(1, 400)).await;
    assert_eq!(sums(&store, &trading).await, (400, 400));
    apply_for(&store, &fixture::refund(&trading, 2, 500)).await;
    assert_eq!(sums(&store, &trading).await, (900, 400));
    assert_not_covered(&store, &succeeded(3, 101)).await;
    assert_eq!(sums(&store, &trading).await, (900, 400));
    apply_for(&store, &succeeded(4, 100)).await;
    assert_eq!(sums(&store, &trading).await, (1000, 500));
}

/// A refund failed, another took what it gave back, and then the first turns out to have gone through:
/// the sums cannot say that, so it is refused and nothing of it is written.
pub async fn a_late_success_that_is_not_covered_is_refused(store: Store) {
    let trading = settled(&store, 1).await;
    let first = fixture::refund(&trading, 1, 600);
    apply_for(&store, &first).await;
    let first = go(&store, &first, RefundState::Failed).await;
    apply_for(&store, &fixture::refund(&trading, 2, 401)).await;
    let (events, before) = (all_events(&store).await, read(&store, &trading).await);

    let mut late = fixture::refund_change(&first, RefundState::Success);
    late.event = Some(fixture::refund_event(&late.after, 900));
    for _ in 0..2 {
        let refused = store.commit_refund(&late).await.unwrap();
        assert_eq!(refused, RefundCommit::NotCovered);
        assert_eq!(stored(&store, &first).await, first);
        assert_eq!(read(&store, &trading).await, before);
        assert_eq!(journal(&store, &first).await.len(), 2);
        assert_eq!(all_events(&store).await, events);
    }
    // Once there is room again, the same change goes through.
    let second = fixture::refund(&trading, 2, 401);
    go(&store, &second, RefundState::Failed).await;
    assert_eq!(store.commit_refund(&late).await.unwrap(), RefundCommit::Done);
    assert_eq!(sums(&store, &trading).await, (600, 600));
}

/// A refund that went through after all counts while what was paid covers it, to the fen.
pub async fn a_late_success_that_fits_to_the_fen_counts(store: Store) {
    let trading = settled(&store, 1).await;
    let first = fixture::refund(&trading, 1, 600);
    apply_for(&store, &first).await;
    let first = go(&store, &first, RefundState::Failed).await;
    apply_for(&store, &fixture::refund(&trading, 2, 400)).await;
    go(&store, &first, RefundState::Success).await;
    assert_eq!(sums(&store, &trading).await, (1000, 600));
}

/// A new refund is its row, its reserve, the first line of its history and its event.
pub async fn a_new_refund_comes_with_journal_and_event(store: Store) {
    let trading = settled(&store, 1).await;
    let refund = fixture::refund(&trading, 1, 300);
    let event = fixture::refund_event(&refund, 900);
    let new = NewRefund {
        event: Some(event.clone()),
        ..fixture::new_refund(&refund)
    };
    assert_eq!(done(&store, &new).await, refund);
    assert_eq!(journal(&store, &refund).await, [new.journal]);
    let events = all_events(&store).await;
    let told: Vec<_> = events.iter().map(|event| event.event_id).collect();
    assert_eq!(told, [taken_event(1).event_id, event.event_id]);
    assert_eq!(events[1].message.seq, Some(2));
}

/// A second event with the same key, or the same id, is refused, and with it the whole refund; the
/// refund can be made right afterwards.
pub async fn a_taken_event_key_refuses_a_new_refund(store: Store) {
    let trading = settled(&store, 1).await;
    let refund = fixture::refund(&trading, 1, 300);
    let (good, taken) = (fixture::refund_event(&refund, 900), taken_event(1));
    let same_key = EventDraft {
        event_key: taken.event_key,
        ..good.clone()
    };
    let same_id = EventDraft {
        event_id: taken.event_id,
        ..good.clone()
    };
    let with = |event| NewRefund {
        event: Some(event),
        ..fixture::new_refund(&refund)
    };
    for event in [same_key, same_id] {
        let refused = store.insert_refund(&with(event)).await;
        refused.expect_err("the event is not a new one");
        assert_eq!(store.refund(refund.refund_no).await.unwrap(), None);
        assert_eq!(journal(&store, &refund).await, []);
        assert_eq!(read(&store, &trading).await, trading);
        assert_eq!(all_events(&store).await.len(), 1);
    }
    done(&store, &with(good)).await;
    assert_eq!(all_events(&store).await.len(), 2);
}

/// The history has one line a version, from 1, each beginning where the one before ended, and only its
/// own refund's.
pub async fn journal_is_gapless_and_in_order(store: Store) {
    let trading = settled(&store, 1).await;
    let (mut row, noise) = (
        fixture::refund(&trading, 1, 100),
        fixture::refund(&trading, 2, 100),
    );
    apply_for(&store, &row).await;
    apply_for(&store, &noise).await;
    for state in [
        RefundState::Sending(RefundStep::Unknown),
        RefundState::Sending(RefundStep::Accepted),
        RefundState::Failed,
        RefundState::Success,
    ] {
        row = go(&store, &row, state).await;
    }
    go(&store, &noise, RefundState::Failed).await;
    let lines = journal(&store, &row).await;
    let versions: Vec<_> = lines.iter().map(|line| line.version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5]);
    assert_eq!(lines[0].from_state, None);
    for pair in lines.windows(2) {
        assert_eq!(pair[1].from_state, Some(pair[0].to_state));
    }
    assert_eq!(lines[4].to_state, row.state);
    let nobodys = store.refund_journal(fixture::refund_no(99)).await;
    assert_eq!(nobodys.unwrap(), []);
}

/// Every cause and state of a line, and its texts, are read back, from an insert and from a transition.
pub async fn journal_reads_back_every_field(store: Store) {
    let trading = settled(&store, 1).await;
    let line = |line: RefundEntry, cause: Cause| RefundEntry {
        cause,
        detail: "退款 'x' \"y\" \\ 成功\n🐻".into(),
        request_id: (cause != Cause::Timer).then(|| "08F7'\"".into()),
        ..line
    };
    for (number, cause) in (1..).zip(Cause::ALL) {
        let mut row = fixture::refund(&trading, number, 1);
        let first = line(fixture::first_refund_entry(&row), cause);
        let mut written = vec![first.clone()];
        let new = NewRefund {
            journal: first,
            ..fixture::new_refund(&row)
        };
        done(&store, &new).await;
        for (cause, state) in Cause::ALL.into_iter().cycle().zip(RefundState::ALL) {
            let change = fixture::refund_change(&row, state);
            let journal = line(change.journal.clone(), cause);
            written.push(journal.clone());
            let change = RefundChange { journal, ..change };
            store.commit_refund(&change).await.unwrap();
            row = change.after;
        }
        assert_eq!(journal(&store, &row).await, written);
    }
}

/// A write that is refused, for whatever reason, adds no line to any history.
pub async fn what_is_refused_leaves_no_line(store: Store) {
    let trading = settled(&store, 1).await;
    let lines_of_nothing = async |number| {
        let lines = store.refund_journal(fixture::refund_no(number)).await.unwrap();
        assert_eq!(lines, [], "refund {number}");
    };
    assert_not_covered(&store, &fixture::refund(&trading, 1, 1001)).await;
    lines_of_nothing(1).await;
    let nowhere = Trading {
        trading_order_no: fixture::trading_no(77),
        ..trading.clone()
    };
    assert_not_covered(&store, &fixture::refund(&nowhere, 2, 1)).await;
    lines_of_nothing(2).await;

    let refund = fixture::refund(&trading, 3, 300);
    apply_for(&store, &refund).await;
    let mut again = fixture::new_refund(&refund);
    again.journal.version = 2;
    let answer = store.insert_refund(&again).await.unwrap();
    assert_eq!(answer, RefundInserted::Exists(Box::new(refund.clone())));
    let good = fixture::refund_change(&refund, RefundState::Success);
    let stale = RefundChange {
        from_version: 2,
        ..good.clone()
    };
    assert_eq!(store.commit_refund(&stale).await.unwrap(), RefundCommit::Stale);
    let taken = RefundChange {
        event: Some(taken_event(1)),
        ..good.clone()
    };
    store.commit_refund(&taken).await.expect_err("the event exists");
    let first = fixture::first_refund_entry(&refund);
    assert_eq!(journal(&store, &refund).await, std::slice::from_ref(&first));
    assert_eq!(store.commit_refund(&good).await.unwrap(), RefundCommit::Done);
    assert_eq!(journal(&store, &refund).await, [first, good.journal]);
}
