//! `trade_outbox.position`: where an event stands in the stream, given once it is committed. The row's
//! own number is handed out before the commit, so that a reader could pass one that is committed later.

use sea_orm::{
    ExprTrait,
    sea_query::{Expr, Func, Query, Table},
};

use super::{Migration, Statement, column};

pub(super) const MIGRATION: Migration = Migration {
    version: 15,
    name: "event_position",
    statements,
};

fn statements() -> Vec<Statement> {
    let last = Table::create()
        .table("trade_position")
        .col(column::number("id").primary_key())
        .col(column::number("last_position"))
        .take();
    let fill = Query::update()
        .table("trade_outbox")
        .value("position", Expr::col("id"))
        .and_where(Expr::col("position").is_null())
        .take();
    let reached = Query::select()
        .expr(Expr::val(1))
        .expr(Func::coalesce([
            Expr::from(Func::max(Expr::col("position"))),
            Expr::val(0),
        ]))
        .from("trade_outbox")
        .take();
    vec![
        column::add("trade_outbox", column::maybe_number("position")),
        fill.into(),
        column::unique("trade_outbox", ["position"]),
        last.into(),
        Statement::Fill {
            table: "trade_position",
            columns: &["id", "last_position"],
            from: Box::new(reached),
        },
    ]
}
