//! The few kinds of column that mean the same in SQLite, MySQL and PostgreSQL.

use sea_orm::sea_query::{ColumnDef, Index, IndexCreateStatement, Table};

use super::Statement;

/// The row's own number, counted by the database, never used again.
pub(super) fn id() -> ColumnDef {
    ColumnDef::new("id")
        .big_integer()
        .not_null()
        .auto_increment()
        .primary_key()
        .take()
}

/// A 64-bit integer: a number, an amount in fen, a time in epoch milliseconds, a count.
pub(super) fn number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().not_null().take()
}

/// A 64-bit integer that may be absent.
pub(super) fn maybe_number(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).big_integer().take()
}

/// A code of the service this one replaces.
pub(super) fn code(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).integer().not_null().take()
}

/// A short text with a limit, which can be part of an index in every engine.
pub(super) fn word(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(length).not_null().take()
}

/// A short text that may be absent.
pub(super) fn maybe_word(name: &'static str, length: u32) -> ColumnDef {
    ColumnDef::new(name).string_len(length).take()
}

/// A text of any length.
pub(super) fn text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().not_null().take()
}

/// A text of any length that may be absent.
pub(super) fn maybe_text(name: &'static str) -> ColumnDef {
    ColumnDef::new(name).text().take()
}

/// A column more for a table that is there; a statement of its own, as SQLite wants it.
pub(super) fn add(table: &'static str, column: ColumnDef) -> Statement {
    Table::alter().table(table).add_column(column).take().into()
}

/// An index that refuses a second row with the same values. Rows with an absent value never meet.
pub(super) fn unique<const N: usize>(table: &'static str, columns: [&'static str; N]) -> Statement {
    named("ux", table, columns).unique().take().into()
}

/// An index for reading.
pub(super) fn index<const N: usize>(table: &'static str, columns: [&'static str; N]) -> Statement {
    named("ix", table, columns).into()
}

fn named<const N: usize>(
    prefix: &'static str,
    table: &'static str,
    columns: [&'static str; N],
) -> IndexCreateStatement {
    let mut index = Index::create();
    index
        .name(format!("{prefix}_{table}_{}", columns.join("_")))
        .table(table);
    for column in columns {
        index.col(column);
    }
    index
}
