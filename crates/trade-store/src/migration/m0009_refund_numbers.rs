//! `refund_record`: who wanted a refund, its numbers at both ends, and its turn.
//!
//! An older program fills none of the new columns: they have a default or may be absent, and are read
//! as the rows of then are filled here.

use sea_orm::{
    ExprTrait,
    sea_query::{CaseStatement, ColumnDef, Expr, Func, Query},
};

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 9,
    name: "refund_numbers",
    statements,
};

const TABLE: &str = "refund_record";

fn statements() -> Vec<Statement> {
    let fill = Query::update()
        .table(TABLE)
        .value(
            "out_refund_no",
            Func::cust("CONCAT").arg(Expr::col("refund_no")).arg(""),
        )
        .value("send_at", Expr::col("create_time"))
        .take();
    let stuck = Expr::col("stuck").is_not_null();
    let is_stuck = Statement::Computed {
        table: TABLE,
        column: Box::new(ColumnDef::new("is_stuck").integer().take()),
        value: Box::new(CaseStatement::new().case(stuck, 1).finally(0)),
    };
    vec![
        column::add(TABLE, column::word("origin", 16).default("CALLER").take()),
        column::add(TABLE, column::maybe_word("product_refund_no", 64)),
        column::add(TABLE, column::maybe_word("out_refund_no", 64)),
        column::add(TABLE, column::maybe_number("send_at")),
        is_stuck,
        fill.into(),
        column::unique(TABLE, ["product_app_id", "product_refund_no"]),
        column::unique(TABLE, ["trading_order_no", "out_refund_no"]),
        column::index(TABLE, ["is_stuck", "refund_no"]),
        column::index(TABLE, ["refund_status", "create_time"]),
        column::index(TABLE, ["product_app_id", "product_order_no"]),
    ]
}
