//! The list of fail points is complete: every call of every port has one, and the scenario reaches it.

use std::{collections::BTreeSet, fs, path::Path};

use super::sweep;

/// What the flows do not call, and why.
const NOT_IN_A_FLOW: [(&str, &str); 19] = [
    ("TradingStore::list_tradings", "reads, for people"),
    ("TradingStore::journal", "reads, for people"),
    ("RefundStore::list_refunds", "reads, for people"),
    ("RefundStore::refund_journal", "reads, for people"),
    ("Outbox::events_after", "reads, for the event stream"),
    ("Outbox::events_of", "reads, for people"),
    ("Outbox::last_position", "reads, for the event stream"),
    (
        "Outbox::event_failed",
        "only when nobody takes events: the simulation has that",
    ),
    (
        "Outbox::event_refused",
        "only when a receiver refuses events: the tests of the webhooks have that",
    ),
    ("Outbox::resend_event", "a person's wish"),
    ("Outbox::waiting_events", "reads, for people"),
    (
        "Outbox::release_event",
        "only when a tick is told to end: an event that is not given back is due again when its claim ends",
    ),
    ("NoticeInbox::notices_of", "reads, for people"),
    ("CallStore::calls_of", "reads, for people"),
    ("CallStore::prune_calls", "forgets what is old"),
    ("IdempotencyStore::prune_keys", "forgets what is old"),
    ("Census::counts", "reads, for people"),
    ("Clock::sleep", "waits without doing anything"),
    (
        "CallStore::append_calls",
        "in the background, for people: it may or may not be reached",
    ),
];

/// Written in the background: the only one whose time is nobody's to say.
const BY_CHANCE: &str = "CallStore::append_calls";

/// Every call of every port, as `Trait::method`, read from the traits themselves.
fn calls() -> BTreeSet<String> {
    let core = Path::new(env!("CARGO_MANIFEST_DIR")).join("../trade-core/src");
    let mut files: Vec<_> = fs::read_dir(core.join("port"))
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    files.push(core.join("handler.rs"));
    let mut calls = BTreeSet::new();
    for file in files {
        let mut port = String::new();
        for line in fs::read_to_string(file).unwrap().lines() {
            if let Some(rest) = line.strip_prefix("pub trait ") {
                port = word(rest);
            } else if let Some(rest) = line.trim_start().strip_prefix("async fn ") {
                calls.insert(format!("{port}::{}", word(rest)));
            }
        }
    }
    calls
}

fn word(text: &str) -> String {
    text.chars()
        .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
        .collect()
}

#[test]
fn every_call_of_a_port_is_a_fail_point_that_is_reached() {
    let calls = calls();
    assert!(calls.len() > 40, "{calls:?}");
    let run = sweep::run(None, None);
    let name = |point: &String| point.split(':').take(3).collect::<Vec<_>>().join(":");
    let reached: BTreeSet<String> = run.reached.iter().map(name).collect();
    for (call, why) in NOT_IN_A_FLOW {
        assert!(calls.contains(call), "there is no {call} ({why})");
        assert!(
            !reached.contains(call) || call == BY_CHANCE,
            "{call} is in a flow, although: {why}"
        );
    }
    let excused: BTreeSet<_> = NOT_IN_A_FLOW.iter().map(|(call, _)| (*call).to_owned()).collect();
    let missing: Vec<_> = calls
        .difference(&reached)
        .filter(|call| !excused.contains(*call))
        .collect();
    assert!(missing.is_empty(), "no flow reaches a fail point of {missing:?}");
}
