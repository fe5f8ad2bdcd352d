//! `trading.withdrawn`: whether the caller closed the trading, so that a late payment goes back.

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 8,
    name: "trading_withdrawn",
    statements,
};

fn statements() -> Vec<Statement> {
    vec![column::add(
        "trading",
        column::code("withdrawn").default(0).take(),
    )]
}
