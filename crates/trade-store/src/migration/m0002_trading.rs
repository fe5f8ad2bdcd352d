//! `trading`: one row an attempt to pay an order at a channel.

use sea_orm::{
    ExprTrait,
    sea_query::{Expr, Table, TableCreateStatement},
};

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 2,
    name: "trading",
    statements,
};

fn statements() -> Vec<Statement> {
    vec![
        table().into(),
        column::unique("trading", ["trading_order_no"]),
        column::unique("trading", ["trading_channel", "transaction_id"]),
        column::unique("trading", ["live_slot"]),
        column::unique("trading", ["winner_slot"]),
        column::index("trading", ["product_app_id", "product_order_no"]),
        column::index("trading", ["next_check_at", "trading_order_no"]),
        column::index("trading", ["is_stuck", "trading_order_no"]),
        column::index("trading", ["enterprise_id", "trading_order_no"]),
    ]
}

fn table() -> TableCreateStatement {
    let mut table = Table::create();
    table.table("trading");
    platform_columns(&mut table);
    own_columns(&mut table);
    table
        .check(Expr::col("trading_amount").gt(0))
        .check(Expr::col("refund_reserved").gte(0))
        .check(Expr::col("refund_reserved").lte(Expr::col("trading_amount")))
        .check(Expr::col("refund").gte(0))
        .check(Expr::col("refund").lte(Expr::col("refund_reserved")))
        .check(Expr::col("version").gt(0));
    table
}

/// The columns of the platform's table, by its names. Amounts are fen, times epoch milliseconds;
/// `refund` is what verifiably went back.
fn platform_columns(table: &mut TableCreateStatement) {
    table
        .col(column::id())
        .col(column::word("product_app_id", 64))
        .col(column::number("product_order_no"))
        .col(column::number("trading_order_no"))
        .col(column::maybe_word("transaction_id", 128))
        .col(column::word("trading_channel", 16))
        .col(column::word("trading_type", 16).default("FK"))
        .col(column::code("trading_state"))
        .col(column::maybe_word("payee_name", 128))
        .col(column::maybe_word("payee_id", 128))
        .col(column::maybe_word("payer_name", 128))
        .col(column::maybe_text("payer_id"))
        .col(column::number("trading_amount"))
        .col(column::number("refund").default(0))
        .col(column::word("is_refund", 8).default("NO"))
        .col(column::text("result_code"))
        .col(column::text("result_msg"))
        .col(column::text("result_json"))
        .col(column::text("place_order_code"))
        .col(column::text("place_order_msg"))
        .col(column::text("place_order_json"))
        .col(column::number("enterprise_id"))
        .col(column::text("memo"))
        .col(column::maybe_text("qr_code"))
        .col(column::maybe_word("open_id", 128))
        .col(column::word("enable_flag", 8).default("YES"))
        .col(column::number("create_time"))
        .col(column::number("update_time"));
}

/// The columns that the platform's table lacks.
fn own_columns(table: &mut TableCreateStatement) {
    table
        .col(column::word("state_key", 32))
        .col(column::number("version"))
        .col(column::text("request_content"))
        .col(column::maybe_number("payer_total"))
        .col(column::maybe_number("paid_at"))
        .col(column::maybe_word("role", 16))
        .col(column::number("refund_reserved").default(0))
        .col(column::maybe_text("result_request_id"))
        .col(column::maybe_text("place_order_request_id"))
        .col(column::number("expires_at"))
        .col(column::maybe_number("next_check_at"))
        .col(column::number("checks").default(0))
        .col(column::maybe_text("stuck"))
        // Whether `stuck` says something: no engine but SQLite has an index over a text of any length.
        .col(column::code("is_stuck").default(0))
        .col(column::maybe_word("live_slot", 96))
        .col(column::maybe_word("winner_slot", 96));
}
