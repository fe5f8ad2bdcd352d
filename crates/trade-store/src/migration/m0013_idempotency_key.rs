//! `idempotency_key`: the callers' keys and the answers they got.

use sea_orm::sea_query::Table;

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 13,
    name: "idempotency_key",
    statements,
};

fn statements() -> Vec<Statement> {
    let table = Table::create()
        .table("idempotency_key")
        .col(column::id())
        .col(column::word("scope", 160))
        .col(column::word("key", 255))
        .col(column::word("fingerprint", 128))
        .col(column::number("lease_until"))
        .col(column::maybe_number("status"))
        .col(column::maybe_text("body"))
        .col(column::number("created_at"))
        .take();
    vec![
        table.into(),
        column::unique("idempotency_key", ["scope", "key"]),
        column::index("idempotency_key", ["created_at"]),
    ]
}
