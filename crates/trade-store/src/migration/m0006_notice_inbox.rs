//! `notice_inbox`: verified notices, one row each however often they came.

use sea_orm::sea_query::Table;

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 6,
    name: "notice_inbox",
    statements,
};

fn statements() -> Vec<Statement> {
    let table = Table::create()
        .table("notice_inbox")
        .col(column::id())
        .col(column::word("channel", 16))
        .col(column::number("enterprise_id"))
        .col(column::text("notice_id"))
        .col(column::word("notice_digest", 64))
        .col(column::text("verdict"))
        .col(column::text("last_verdict"))
        .col(column::number("deliveries"))
        .col(column::number("first_at"))
        .col(column::number("last_at"))
        .take();
    vec![
        table.into(),
        column::unique("notice_inbox", ["channel", "enterprise_id", "notice_digest"]),
    ]
}
