//! Journals without gaps, and events for what happened and nothing else.

use std::collections::{BTreeMap, BTreeSet};

use trade_core::{Refund, RefundEntry, RefundOrigin, Role, Trading, TradingState};

use super::{Faults, Promises, Rows};

/// Versions run from 1 without gap, each line begins where the last one ended, and the last is the row.
pub(super) fn journals(rows: &Rows, faults: &mut Faults) {
    for (row, journal) in &rows.tradings {
        let lines = journal
            .iter()
            .map(|line| (line.version, line.from_state, line.to_state));
        let end = (row.version, row.state);
        chain(&format!("{}", row.trading_order_no), lines, end, faults);
        let settled = |line: &&trade_core::JournalEntry| {
            line.to_state == TradingState::Settled && line.from_state != Some(TradingState::Settled)
        };
        if journal.iter().filter(settled).count() > 1 {
            faults.push(format!("{} was settled twice", row.trading_order_no));
        }
    }
    for (row, journal) in &rows.refunds {
        let lines = journal
            .iter()
            .map(|line| (line.version, line.from_state, line.to_state));
        let end = (row.version, row.state);
        chain(&format!("refund {}", row.refund_no), lines, end, faults);
    }
}

fn chain<S: PartialEq + Copy + std::fmt::Display>(
    whose: &str,
    lines: impl Iterator<Item = (i64, Option<S>, S)>,
    end: (i64, S),
    faults: &mut Faults,
) {
    let mut last = None;
    let mut count = 0;
    for (version, from, to) in lines {
        count += 1;
        if version != count {
            faults.push(format!(
                "{whose}: line {count} of its journal is of version {version}"
            ));
        }
        if from != last {
            faults.push(format!(
                "{whose}: version {version} does not begin where the one before ended"
            ));
        }
        last = Some(to);
    }
    if (count, last) != (end.0, Some(end.1)) {
        faults.push(format!(
            "{whose} is {} at version {}, its journal ends otherwise",
            end.1, end.0
        ));
    }
}

/// What was announced is what happened: no more, no less; counted from 1 in each order.
pub(super) fn events(rows: &Rows, promises: &Promises, faults: &mut Faults) {
    let mut happened: Vec<_> = rows.tradings.iter().flat_map(of_trading).collect();
    happened.extend(rows.refunds.iter().flat_map(of_refund));
    let mut committed: Vec<String> = rows
        .events
        .iter()
        .map(|event| {
            let message = &event.message;
            let about = message
                .refund_no
                .map_or(message.trading_order_no.get(), |refund| refund.get());
            format!("{} {about} {}", event.routing_key.code(), message.status_name)
        })
        .collect();
    happened.sort_unstable();
    committed.sort_unstable();
    if happened != committed {
        faults.push(format!(
            "the events are {committed:?}, what happened is {happened:?}"
        ));
    }
    let mut last = BTreeMap::new();
    for event in &rows.events {
        let message = &event.message;
        let order = (message.product_app_id.as_str(), message.product_order_no.get());
        let seq = last.entry(order).or_insert(0_i64);
        *seq += 1;
        if message.seq != Some(*seq) {
            faults.push(format!(
                "event {} of {order:?} has the seq {:?}",
                *seq, message.seq
            ));
        }
    }
    let ids: BTreeSet<i64> = rows.events.iter().map(|event| event.event_id.get()).collect();
    for id in &promises.announced {
        if !ids.contains(id) {
            faults.push(format!("event {id} was announced, and it never happened"));
        }
    }
}

fn of_trading((row, journal): &(Trading, Vec<trade_core::JournalEntry>)) -> Vec<String> {
    let announced = |state| match state {
        TradingState::Settled => row.role == Some(Role::Winner),
        TradingState::Failed | TradingState::Cancelled => true,
        TradingState::Paying(_) | TradingState::Free | TradingState::OnAccount => false,
    };
    journal
        .iter()
        .filter(|line| line.from_state != Some(line.to_state) && announced(line.to_state))
        .map(|line| format!("UPDATE_STATUS {} {}", row.trading_order_no, line.to_state.name()))
        .collect()
}

fn of_refund((row, journal): &(Refund, Vec<RefundEntry>)) -> Vec<String> {
    journal
        .iter()
        // A caller that asked for it knows that it did.
        .filter(|line| line.version > 1 || row.origin != RefundOrigin::Caller)
        .map(|line| format!("REFUND_UPDATE_STATUS {} {}", row.refund_no, line.to_state.name()))
        .collect()
}

/// Everything was announced, and each order's events in their order, whatever was repeated.
pub(super) fn announced(rows: &Rows, promises: &Promises, faults: &mut Faults) {
    if rows.unsent > 0 {
        faults.push(format!("{} events still wait", rows.unsent));
    }
    let mut last = BTreeMap::new();
    for event in &rows.events {
        let id = event.event_id.get();
        let Some(first) = promises.announced.iter().position(|announced| *announced == id) else {
            faults.push(format!("event {id} was never announced: {:?}", event.message));
            continue;
        };
        let order = (
            event.message.product_app_id.as_str(),
            event.message.product_order_no,
        );
        if last.insert(order, first).is_some_and(|before| before > first) {
            faults.push(format!("event {id} of {order:?} overtook another"));
        }
    }
}
