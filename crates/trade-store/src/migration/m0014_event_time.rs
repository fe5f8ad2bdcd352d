//! `trade_outbox.occurred_at`: when the event happened, which `due_at` forgets when it is tried again.

use sea_orm::{
    ExprTrait,
    sea_query::{Expr, Query},
};

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 14,
    name: "event_time",
    statements,
};

fn statements() -> Vec<Statement> {
    // Only what still waits is ever counted by it.
    let fill = Query::update()
        .table("trade_outbox")
        .value("occurred_at", Expr::col("due_at"))
        .and_where(Expr::col("due_at").is_not_null())
        .take();
    vec![
        column::add("trade_outbox", column::maybe_number("occurred_at")),
        fill.into(),
    ]
}
