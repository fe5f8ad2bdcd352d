//! `refund_journal`: what made each version of a refund. Rows are added, never changed.

use sea_orm::sea_query::{Expr, ForeignKey, Query, SelectStatement, Table};

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 10,
    name: "refund_journal",
    statements,
};

const TABLE: &str = "refund_journal";
const FILLED: [&str; 7] = [
    "refund_no",
    "version",
    "at",
    "from_state",
    "to_state",
    "cause",
    "detail",
];

fn statements() -> Vec<Statement> {
    let table = Table::create()
        .table(TABLE)
        .col(column::id())
        .col(column::number("refund_no"))
        .col(column::number("version"))
        .col(column::number("at"))
        .col(column::maybe_word("from_state", 32))
        .col(column::word("to_state", 32))
        .col(column::word("cause", 16))
        .col(column::text("detail"))
        .col(column::maybe_text("request_id"))
        .foreign_key(
            ForeignKey::create()
                .name("fk_refund_journal_refund")
                .from(TABLE, "refund_no")
                .to("refund_record", "refund_no"),
        )
        .take();
    vec![
        table.into(),
        column::unique(TABLE, ["refund_no", "version"]),
        Statement::Fill {
            table: TABLE,
            columns: &FILLED,
            from: Box::new(as_they_are()),
        },
    ]
}

/// The history of the refunds that are there begins with how they are found.
fn as_they_are() -> SelectStatement {
    Query::select()
        .columns(["refund_no", "version", "update_time"])
        .expr(Expr::val(Option::<String>::None))
        .column("state_key")
        .expr(Expr::val("timer"))
        .expr(Expr::val("found so when this history was begun"))
        .from("refund_record")
        .take()
}
