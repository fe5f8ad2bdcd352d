//! Transitions: compare-and-set on the version, one winner an order, all of it or nothing.

use trade_core::{
    Cause, Channel, EventDraft, JournalEntry, Role, Step, Trading, TradingChange, TradingState, port::Commit,
};

use super::{Promise, Store, all_events, assert_untouched, commit, insert, read, settled};
use crate::fixture;

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![
        Promise::new(writes_row_journal_and_event),
        Promise::new(other_version_is_stale),
        Promise::new(unknown_trading_is_an_error),
        Promise::new(second_winner_is_refused),
        Promise::new(channel_number_is_used_once_at_a_channel),
        Promise::new(journal_is_gapless_and_in_order),
        Promise::new(journal_reads_back_every_field),
        Promise::new(taken_event_key_writes_nothing),
        Promise::new(taken_event_id_writes_nothing),
    ]
}

/// A transition is its row, its journal entry and its event.
pub async fn writes_row_journal_and_event(store: Store) {
    let before = fixture::trading(1);
    insert(&store, &before).await;
    let filled = fixture::rich_trading(1);
    let mut change = fixture::paid(&before, Role::Winner, "4200");
    change.after = Trading {
        code_url: filled.code_url,
        payer_id: filled.payer_id,
        place_answer: filled.place_answer,
        result_answer: filled.result_answer,
        next_check_at: filled.next_check_at,
        checks: filled.checks,
        stuck: filled.stuck,
        ..change.after
    };
    let after = commit(&store, change.clone()).await;
    assert_eq!(read(&store, &before).await, after);
    let journal = store.journal(before.trading_order_no).await.unwrap();
    assert_eq!(journal, [fixture::first_entry(&before), change.journal]);
    let event = fixture::committed(change.event.expect("a winner is announced"), 1, 1);
    assert_eq!(all_events(&store).await, [event]);
}

/// A transition decided on another version, older or newer, is refused and leaves nothing.
pub async fn other_version_is_stale(store: Store) {
    let first = fixture::trading(1);
    insert(&store, &first).await;
    let second = commit(
        &store,
        fixture::change(&first, TradingState::Paying(Step::Placed)),
    )
    .await;
    let old = fixture::paid(&first, Role::Winner, "4200");
    let ahead = fixture::paid(
        &Trading {
            version: 9,
            ..second.clone()
        },
        Role::Winner,
        "4201",
    );
    for change in [old, ahead] {
        assert_eq!(store.commit_trading(&change).await.unwrap(), Commit::Stale);
        assert_untouched(&store, &second, 2, 0).await;
    }
}

/// There is no transition of what does not exist.
pub async fn unknown_trading_is_an_error(store: Store) {
    let change = fixture::paid(&fixture::trading(1), Role::Winner, "4200");
    store.commit_trading(&change).await.expect_err("no such trading");
    assert_eq!(store.journal(change.after.trading_order_no).await.unwrap(), []);
    assert_eq!(all_events(&store).await, []);
}

/// An order has one winner; the next payment of it is refused as a winner and accepted as surplus.
pub async fn second_winner_is_refused(store: Store) {
    let first = fixture::trading(1);
    insert(&store, &first).await;
    let closed = commit(&store, fixture::change(&first, TradingState::Cancelled)).await;
    let second = fixture::like(&first, 2);
    insert(&store, &second).await;
    commit(&store, fixture::paid(&second, Role::Winner, "42002")).await;

    let late = fixture::paid(&closed, Role::Winner, "42001");
    assert_eq!(store.commit_trading(&late).await.unwrap(), Commit::WinnerExists);
    assert_untouched(&store, &closed, 2, 1).await;
    let surplus = commit(&store, fixture::paid(&closed, Role::Surplus, "42001")).await;
    assert_eq!(read(&store, &first).await, surplus);
}

/// A channel's number belongs to one trading of that channel; channels do not share their numbers, and
/// numbers that differ in case alone are different.
pub async fn channel_number_is_used_once_at_a_channel(store: Store) {
    let first = settled(&store, 1).await;
    let taken = first.transaction_id.clone().expect("paid");
    let second = fixture::trading(2);
    insert(&store, &second).await;
    let change = fixture::paid(&second, Role::Winner, taken.as_str());
    assert_eq!(
        store.commit_trading(&change).await.unwrap(),
        Commit::TransactionTaken
    );
    assert_untouched(&store, &second, 1, 1).await;

    let other_channel = Trading {
        channel: Channel::AliPay,
        ..fixture::trading(3)
    };
    insert(&store, &other_channel).await;
    commit(
        &store,
        fixture::paid(&other_channel, Role::Winner, taken.as_str()),
    )
    .await;
    for (number, text) in [(4, "4200-abc"), (5, "4200-ABC")] {
        let trading = fixture::trading(number);
        insert(&store, &trading).await;
        commit(&store, fixture::paid(&trading, Role::Winner, text)).await;
    }
    // Its own number is no obstacle to a trading.
    commit(&store, fixture::change(&first, TradingState::Settled)).await;
}

/// The journal has one entry a version, from 1, each beginning where the one before ended.
pub async fn journal_is_gapless_and_in_order(store: Store) {
    let mut row = fixture::trading(1);
    insert(&store, &row).await;
    let noise = fixture::trading(2);
    insert(&store, &noise).await;
    for state in [
        TradingState::Paying(Step::Unknown),
        TradingState::Paying(Step::Placed),
        TradingState::Paying(Step::Closing),
        TradingState::Cancelled,
        TradingState::Settled,
    ] {
        row = commit(&store, fixture::change(&row, state)).await;
    }
    let journal = store.journal(row.trading_order_no).await.unwrap();
    let versions: Vec<_> = journal.iter().map(|entry| entry.version).collect();
    assert_eq!(versions, [1, 2, 3, 4, 5, 6]);
    assert_eq!(journal[0].from_state, None);
    for pair in journal.windows(2) {
        assert_eq!(pair[1].from_state, Some(pair[0].to_state));
    }
    assert_eq!(journal[5].to_state, row.state);
}

/// Every cause and state of a journal entry, and its texts, are read back.
pub async fn journal_reads_back_every_field(store: Store) {
    let mut row = fixture::trading(1);
    insert(&store, &row).await;
    let mut written = vec![fixture::first_entry(&row)];
    for (cause, state) in Cause::ALL.into_iter().cycle().zip(TradingState::ALL) {
        let change = fixture::change(&row, state);
        let journal = JournalEntry {
            cause,
            detail: "ORDERPAID 'x' \"y\" 已支付\n🐻".into(),
            request_id: (cause != Cause::Timer).then(|| "08F7'\"".into()),
            ..change.journal
        };
        written.push(journal.clone());
        row = commit(&store, TradingChange { journal, ..change }).await;
    }
    let read = store.journal(row.trading_order_no).await.unwrap();
    assert_eq!(read, written);
}

async fn refused_for_its_event(store: &Store, alter: fn(&mut EventDraft, &EventDraft)) {
    let first = fixture::trading(1);
    insert(store, &first).await;
    let change = fixture::paid(&first, Role::Winner, "42001");
    let taken = change.event.clone().expect("a winner is announced");
    commit(store, change).await;

    let second = fixture::trading(2);
    insert(store, &second).await;
    let good = fixture::paid(&second, Role::Winner, "42002");
    let mut bad = good.clone();
    alter(bad.event.as_mut().expect("a winner is announced"), &taken);
    store
        .commit_trading(&bad)
        .await
        .expect_err("the event is not a new one");
    assert_untouched(store, &second, 1, 1).await;
    // What was refused can be done right afterwards: nothing is held by the failure.
    commit(store, good).await;
    assert_eq!(all_events(store).await.len(), 2);
}

/// A second event with the same key is refused, and with it the whole transition.
pub async fn taken_event_key_writes_nothing(store: Store) {
    refused_for_its_event(&store, |event, taken| {
        event.event_key.clone_from(&taken.event_key)
    })
    .await;
}

/// A second event with the same id is refused, and with it the whole transition.
pub async fn taken_event_id_writes_nothing(store: Store) {
    refused_for_its_event(&store, |event, taken| event.event_id = taken.event_id).await;
}
