//! `notice_inbox.trading_order_no`: which trading a notice names.

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 11,
    name: "notice_trading",
    statements,
};

fn statements() -> Vec<Statement> {
    vec![
        column::add("notice_inbox", column::maybe_number("trading_order_no")),
        column::index("notice_inbox", ["trading_order_no", "first_at"]),
    ]
}
