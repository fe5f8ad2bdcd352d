//! What was heard of the trade server.

use sea_orm::sea_query::{IndexCreateStatement, TableCreateStatement};

use super::{Seed, Step, counted, index, number, table, word};

pub(super) const STEP: Step = Step {
    version: 2,
    tables,
    indexes,
    seeds: &[(
        "event_position",
        &["source", "position"],
        &[Seed::Text("trade"), Seed::Number(0)],
    )],
};

fn tables() -> Vec<TableCreateStatement> {
    vec![
        table(
            "event_inbox",
            [
                number("event_id").primary_key().take(),
                number("order_id"),
                number("at"),
            ],
        ),
        table(
            "event_position",
            [word("source", 32).primary_key().take(), number("position")],
        ),
        table(
            "event_dead_letter",
            [
                counted(),
                word("source", 32),
                number("position"),
                sea_orm::sea_query::ColumnDef::new("body")
                    .text()
                    .not_null()
                    .take(),
                word("reason", 512),
                number("at"),
            ],
        ),
    ]
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![index("event_inbox", &["at"])]
}
