//! Crowds of rows: tradings that wait to be paid, some of which the channel knows, and events that wait to be
//! announced; most of them copies, made by the database.

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};

/// The numbers of copies begin here, far below every number of a generator.
const COPIES: i64 = 1_000_000;
/// A moment no bench lives to see, in milliseconds.
const LATER: i64 = 4_000_000_000_000;

/// A table whose rows are copied.
struct Table {
    name: &'static str,
    /// What makes a row another one.
    number: &'static str,
    /// The columns that the database fills.
    filled: &'static [&'static str],
    /// The value of a column of a copy, when it is not that of the row: `{}` stands for the copy's number.
    changed: &'static [(&'static str, &'static str)],
}

const TRADINGS: Table = Table {
    name: "trading",
    number: "trading_order_no",
    filled: &["id", "close_at"],
    changed: &[
        ("trading_order_no", "{}"),
        ("product_order_no", "{}"),
        ("live_slot", "CONCAT('copy/', {})"),
    ],
};
const EVENTS: Table = Table {
    name: "trade_outbox",
    number: "event_id",
    filled: &["id"],
    changed: &[
        ("event_id", "{}"),
        ("event_key", "CONCAT('copy/', {})"),
        ("product_order_no", "{}"),
        ("position", "{}"),
    ],
};

/// Copies tradings until there are so many in all; none is due.
pub(crate) async fn tradings(raw: &DatabaseConnection, rows: i64) {
    set(raw, LATER, LATER, "trading_order_no >= 0").await;
    copy(raw, &TRADINGS, rows).await;
}

/// Copies events until there are so many in all that wait, each of an order of its own, and all are due.
pub(crate) async fn events(raw: &DatabaseConnection, rows: i64) {
    copy(raw, &EVENTS, rows).await;
}

/// From now on every trading is due, at both ends those that the channel knows; and all are still to be paid.
pub(crate) async fn all_due(raw: &DatabaseConnection) {
    all_at(raw, LATER).await;
}

/// The same, but the time to pay them is over.
pub(crate) async fn all_expired(raw: &DatabaseConnection) {
    all_at(raw, 1).await;
}

async fn all_at(raw: &DatabaseConnection, expires_at: i64) {
    let live = "live_slot IS NOT NULL";
    set(
        raw,
        2,
        expires_at,
        &format!("{live} AND trading_order_no < {LATER}"),
    )
    .await;
    for (at, rest) in [(1, 0), (3, 1)] {
        let known = format!("{live} AND trading_order_no >= {LATER} AND product_order_no % 2 = {rest}");
        set(raw, at, expires_at, &known).await;
    }
    settle(raw, "trading").await;
}

async fn set(raw: &DatabaseConnection, next_check_at: i64, expires_at: i64, which: &str) {
    let set = format!(
        "UPDATE trading SET next_check_at = {next_check_at}, expires_at = {expires_at} WHERE {which}"
    );
    raw.execute_unprepared(&set).await.unwrap();
}

/// Copies the newest row of a table, and then copies of it, until there are so many rows.
async fn copy(raw: &DatabaseConnection, table: &Table, rows: i64) {
    let (name, number) = (table.name, table.number);
    let names = columns(raw, table).await;
    let mut missing = rows - count(raw, name).await;
    let mut copies = 0;
    while missing > 0 {
        let (from, more) = match copies {
            0 => (format!("(SELECT MAX({number}) FROM {name})"), 1),
            _ => (COPIES.to_string(), copies.min(missing)),
        };
        let copied = format!("{number} - {from} + {}", COPIES + copies);
        let values: Vec<_> = names.iter().map(|name| value(table, name, &copied)).collect();
        let copy = format!(
            "INSERT INTO {name} ({}) SELECT {} FROM {name} WHERE {number} >= {from} AND {number} < {from} + {more}",
            names.join(", "),
            values.join(", ")
        );
        raw.execute_unprepared(&copy).await.unwrap();
        copies += more;
        missing -= more;
    }
    settle(raw, name).await;
}

/// What a database does by itself a while after so many changes.
async fn settle(raw: &DatabaseConnection, table: &str) {
    let tidy = match raw.get_database_backend() {
        DatabaseBackend::Postgres => format!("VACUUM ANALYZE {table}"),
        DatabaseBackend::MySql => format!("ANALYZE TABLE {table}"),
        _ => "PRAGMA wal_checkpoint(TRUNCATE)".to_owned(),
    };
    raw.execute_unprepared(&tidy).await.unwrap();
}

/// The columns that a copy needs.
async fn columns(raw: &DatabaseConnection, table: &Table) -> Vec<String> {
    let one = format!("SELECT * FROM {} LIMIT 1", table.name);
    let one = Statement::from_string(raw.get_database_backend(), one);
    let row = raw.query_one_raw(one).await.unwrap().unwrap();
    let names = row.column_names().into_iter();
    names
        .filter(|name| !table.filled.contains(&name.as_str()))
        .collect()
}

fn value(table: &Table, name: &str, copied: &str) -> String {
    let changed = table.changed.iter().find(|(changed, _)| *changed == name);
    changed.map_or_else(|| name.to_owned(), |(_, value)| value.replace("{}", copied))
}

async fn count(raw: &DatabaseConnection, table: &str) -> i64 {
    let count = format!("SELECT COUNT(*) FROM {table}");
    let count = Statement::from_string(raw.get_database_backend(), count);
    let row = raw.query_one_raw(count).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}
