//! `id_mark`: up to when each node may have given out numbers.

use sea_orm::sea_query::Table;

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 7,
    name: "id_mark",
    statements,
};

fn statements() -> Vec<Statement> {
    let table = Table::create()
        .table("id_mark")
        .col(column::number("node").primary_key())
        .col(column::number("mark_ms"))
        .take();
    vec![table.into()]
}
