//! Orders and what belongs to them, with the platform's names; amounts in fen, times in epoch milliseconds.

use sea_orm::sea_query::{IndexCreateStatement, TableCreateStatement};

use super::{Seed, Step, code, counted, index, maybe_code, maybe_number, maybe_word, number, table, word};

pub(super) const STEP: Step = Step {
    version: 1,
    tables,
    indexes,
    seeds: &[(
        "order_sequence",
        &["name", "value"],
        &[Seed::Text("orders"), Seed::Number(0)],
    )],
};

fn tables() -> Vec<TableCreateStatement> {
    vec![orders(), canceled(), refund(), returned(), history(), sequence()]
}

fn orders() -> TableCreateStatement {
    let what = [
        number("id").primary_key().take(),
        number("user_id"),
        number("serve_type_id"),
        word("serve_type_name", 64),
        number("serve_item_id"),
        word("serve_item_name", 64),
        word("serve_item_img", 255),
        code("unit"),
        number("serve_id"),
        code("orders_status"),
        code("pay_status"),
        maybe_code("refund_status"),
        number("price"),
        code("pur_num"),
        number("total_amount"),
        number("real_pay_amount"),
        number("discount_amount"),
    ];
    let where_and_when = [
        word("city_code", 16),
        word("serve_address", 255),
        word("contacts_phone", 32),
        word("contacts_name", 64),
        number("serve_start_time"),
        word("lon", 32),
        word("lat", 32),
        maybe_number("pay_time"),
        maybe_number("evaluation_time"),
    ];
    let payment = [
        maybe_number("trading_order_no"),
        maybe_word("transaction_id", 64),
        maybe_number("refund_no"),
        maybe_word("refund_id", 64),
        maybe_word("trading_channel", 16),
    ];
    let shown = [
        code("display"),
        number("sort_by"),
        number("create_time"),
        number("update_time"),
    ];
    // What the platform's table does not have.
    let ours = [
        // When the order stops being payable; the trading gets the same.
        number("pay_deadline"),
        maybe_number("serve_end_time"),
        // The highest `seq` of its events that was applied.
        maybe_number("seen_seq"),
        // When a job looks at it next, and how often it did in vain.
        number("check_at"),
        code("checks"),
        // Counts the refunds that were begun, each of which has a number of its own.
        code("refund_attempt"),
    ];
    table(
        "orders",
        what.into_iter()
            .chain(where_and_when)
            .chain(payment)
            .chain(shown)
            .chain(ours),
    )
}

fn canceled() -> TableCreateStatement {
    table(
        "orders_canceled",
        [
            number("id").primary_key().take(),
            maybe_number("canceller_id"),
            word("canceler_name", 64),
            code("canceller_type"),
            word("cancel_reason", 255),
            number("cancel_time"),
        ],
    )
}

/// One row an order whose money has yet to go back.
fn refund() -> TableCreateStatement {
    table(
        "orders_refund",
        [
            number("id").primary_key().take(),
            number("trading_order_no"),
            number("real_pay_amount"),
            number("create_time"),
            number("check_at"),
            code("checks"),
            word("last_error", 512),
        ],
    )
}

/// Money that went back without this system asking: a second payment, or a refund made by hand.
fn returned() -> TableCreateStatement {
    table(
        "orders_returned",
        [
            number("refund_no").primary_key().take(),
            number("order_id"),
            number("trading_order_no"),
            word("trading_channel", 16),
            number("refund_amount"),
            code("refund_status"),
            word("origin", 16),
            number("update_time"),
        ],
    )
}

fn history() -> TableCreateStatement {
    table(
        "orders_history",
        [
            counted(),
            number("order_id"),
            word("event", 32),
            maybe_code("from_status"),
            code("to_status"),
            code("actor_type"),
            maybe_number("actor_id"),
            word("detail", 255),
            number("at"),
        ],
    )
}

fn sequence() -> TableCreateStatement {
    table(
        "order_sequence",
        [word("name", 32).primary_key().take(), number("value")],
    )
}

fn indexes() -> Vec<IndexCreateStatement> {
    vec![
        index("orders", &["user_id", "sort_by"]),
        index("orders", &["orders_status", "check_at"]),
        index("orders_refund", &["check_at"]),
        index("orders_returned", &["order_id"]),
        index("orders_history", &["order_id"]),
    ]
}
