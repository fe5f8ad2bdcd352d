//! `channel_call`: the calls to the channels, for people. No reference to a trading holds a row: what
//! is written here late or lost changes nothing.

use sea_orm::sea_query::Table;

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 12,
    name: "channel_call",
    statements,
};

fn statements() -> Vec<Statement> {
    let table = Table::create()
        .table("channel_call")
        .col(column::id())
        .col(column::number("trading_order_no"))
        .col(column::maybe_number("refund_no"))
        .col(column::word("operation", 32))
        .col(column::number("at"))
        .col(column::number("took_us"))
        .col(column::word("outcome", 16))
        .col(column::text("code"))
        .col(column::maybe_text("request_id"))
        .take();
    vec![
        table.into(),
        column::index("channel_call", ["trading_order_no", "at"]),
        column::index("channel_call", ["at"]),
    ]
}
