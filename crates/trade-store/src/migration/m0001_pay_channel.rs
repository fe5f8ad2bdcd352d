//! `pay_channel`: merchants and their channels, under the platform's column names. Prepared for
//! configuration in the database; nothing reads it yet.

use sea_orm::sea_query::Table;

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 1,
    name: "pay_channel",
    statements,
};

fn statements() -> Vec<Statement> {
    let table = Table::create()
        .table("pay_channel")
        .col(column::id())
        .col(column::word("channel_name", 64))
        .col(column::word("channel_label", 32))
        .col(column::maybe_word("domain", 255))
        .col(column::word("app_id", 64))
        .col(column::maybe_text("public_key"))
        .col(column::maybe_text("merchant_private_key"))
        .col(column::maybe_text("other_config"))
        .col(column::maybe_word("encrypt_key", 255))
        .col(column::maybe_word("remark", 255))
        .col(column::maybe_word("notify_url", 255))
        .col(column::word("enable_flag", 8).default("YES"))
        .col(column::number("enterprise_id"))
        .col(column::number("create_time"))
        .col(column::number("update_time"))
        .take();
    vec![
        table.into(),
        column::unique("pay_channel", ["enterprise_id", "channel_label"]),
    ]
}
