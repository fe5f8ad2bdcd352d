//! `trade_journal`: what made each version of a trading. Rows are added, never changed.

use sea_orm::sea_query::{ForeignKey, Table};

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 3,
    name: "trade_journal",
    statements,
};

fn statements() -> Vec<Statement> {
    let table = Table::create()
        .table("trade_journal")
        .col(column::id())
        .col(column::number("trading_order_no"))
        .col(column::number("version"))
        .col(column::number("at"))
        .col(column::maybe_word("from_state", 32))
        .col(column::word("to_state", 32))
        .col(column::word("cause", 16))
        .col(column::text("detail"))
        .col(column::maybe_text("request_id"))
        .foreign_key(
            ForeignKey::create()
                .name("fk_trade_journal_trading")
                .from("trade_journal", "trading_order_no")
                .to("trading", "trading_order_no"),
        )
        .take();
    vec![
        table.into(),
        column::unique("trade_journal", ["trading_order_no", "version"]),
    ]
}
