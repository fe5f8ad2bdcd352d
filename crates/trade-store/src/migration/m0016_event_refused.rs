//! `trade_outbox.refused_at`: since when a receiver that is there does not take the event.

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 16,
    name: "event_refused",
    statements,
};

fn statements() -> Vec<Statement> {
    vec![column::add("trade_outbox", column::maybe_number("refused_at"))]
}
