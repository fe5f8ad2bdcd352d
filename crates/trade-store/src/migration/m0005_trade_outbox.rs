//! `trade_outbox`: events, committed with what they tell. `id` is the position a reader goes on from.

use sea_orm::sea_query::Table;

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 5,
    name: "trade_outbox",
    statements,
};

fn statements() -> Vec<Statement> {
    let table = Table::create()
        .table("trade_outbox")
        .col(column::id())
        .col(column::number("event_id"))
        .col(column::word("event_key", 160))
        .col(column::word("routing_key", 32))
        .col(column::word("product_app_id", 64))
        .col(column::number("product_order_no"))
        .col(column::number("seq"))
        .col(column::text("message"))
        .col(column::number("attempts").default(0))
        .col(column::maybe_number("due_at"))
        .col(column::maybe_number("sent_at"))
        .col(column::maybe_text("last_error"))
        .take();
    vec![
        table.into(),
        column::unique("trade_outbox", ["event_id"]),
        column::unique("trade_outbox", ["event_key"]),
        column::unique("trade_outbox", ["product_app_id", "product_order_no", "seq"]),
        column::index("trade_outbox", ["due_at"]),
    ]
}
