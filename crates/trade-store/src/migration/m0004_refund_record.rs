//! `refund_record`: one row a refund of a trading.

use sea_orm::{
    ExprTrait,
    sea_query::{Expr, ForeignKey, Table},
};

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 4,
    name: "refund_record",
    statements,
};

fn statements() -> Vec<Statement> {
    let table = Table::create()
        .table("refund_record")
        // The columns of the platform's table, by its names; amounts are fen.
        .col(column::id())
        .col(column::word("product_app_id", 64))
        .col(column::number("trading_order_no"))
        .col(column::number("product_order_no"))
        .col(column::number("refund_no"))
        .col(column::maybe_text("refund_id"))
        .col(column::number("enterprise_id"))
        .col(column::word("trading_channel", 16))
        .col(column::code("refund_status"))
        .col(column::text("refund_code"))
        .col(column::text("refund_msg"))
        .col(column::text("memo"))
        .col(column::number("refund_amount"))
        .col(column::number("total"))
        .col(column::number("create_time"))
        .col(column::number("update_time"))
        // The columns that the platform's table lacks.
        .col(column::word("state_key", 32))
        .col(column::number("version"))
        .col(column::text("request_content"))
        .col(column::text("refund_json"))
        .col(column::maybe_text("refund_request_id"))
        .col(column::maybe_number("next_check_at"))
        .col(column::number("checks").default(0))
        .col(column::maybe_text("stuck"))
        .check(Expr::col("refund_amount").gt(0))
        .check(Expr::col("refund_amount").lte(Expr::col("total")))
        .check(Expr::col("version").gt(0))
        .foreign_key(
            ForeignKey::create()
                .name("fk_refund_record_trading")
                .from("refund_record", "trading_order_no")
                .to("trading", "trading_order_no"),
        )
        .take();
    vec![
        table.into(),
        column::unique("refund_record", ["refund_no"]),
        column::index("refund_record", ["trading_order_no"]),
        column::index("refund_record", ["next_check_at", "refund_no"]),
    ]
}
