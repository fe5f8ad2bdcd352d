//! `trading.close_at`: since when a trading can be closed that was not paid in time: it has expired, and nobody
//! is at work on it. Empty for those that have ended. Its index leads to what is to be closed, however many
//! others wait.

use sea_orm::{
    ExprTrait,
    sea_query::{CaseStatement, Expr},
};

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 17,
    name: "trading_close_at",
    statements,
};

fn statements() -> Vec<Statement> {
    let (check, expiry) = (|| Expr::col("next_check_at"), || Expr::col("expires_at"));
    let live = || Expr::col("live_slot").is_not_null();
    let later = CaseStatement::new()
        .case(live().and(check().gt(expiry())), check())
        .case(live().and(check().lte(expiry())), expiry());
    let close_at = Statement::Computed {
        table: "trading",
        column: Box::new(column::maybe_number("close_at")),
        value: Box::new(later),
    };
    vec![
        close_at,
        column::index("trading", ["close_at", "trading_order_no"]),
    ]
}
