//! A crowd of tradings that wait to be paid: some that the channel knows, and their copies, made by the database.

use sea_orm::{ConnectionTrait, DatabaseBackend, DatabaseConnection, Statement};

/// The numbers of copies begin here, far below every number of a generator.
const COPIES: i64 = 1_000_000;
/// A moment no bench lives to see, in milliseconds.
const LATER: i64 = 4_000_000_000_000;

/// Copies tradings until there are so many in all; none is due.
pub(crate) async fn fill(raw: &DatabaseConnection, rows: i64) {
    check_from(raw, "trading_order_no >= 0", LATER).await;
    let names = columns(raw).await;
    let mut missing = rows - count(raw).await;
    let mut copies = 0;
    while missing > 0 {
        let (from, more) = match copies {
            0 => ("(SELECT MAX(trading_order_no) FROM trading)".to_owned(), 1),
            _ => (COPIES.to_string(), copies.min(missing)),
        };
        let values: Vec<_> = names
            .iter()
            .map(|name| value(name, &from, COPIES + copies))
            .collect();
        let copy = format!(
            "INSERT INTO trading ({}) SELECT {} FROM trading \
             WHERE trading_order_no >= {from} AND trading_order_no < {from} + {more}",
            names.join(", "),
            values.join(", ")
        );
        raw.execute_unprepared(&copy).await.unwrap();
        copies += more;
        missing -= more;
    }
    settle(raw).await;
}

/// From now on every one is due, those first that the channel knows; and all are still to be paid.
pub(crate) async fn all_due(raw: &DatabaseConnection) {
    check_from(raw, &format!("trading_order_no < {LATER}"), 2).await;
    check_from(raw, &format!("trading_order_no >= {LATER}"), 1).await;
    settle(raw).await;
}

async fn check_from(raw: &DatabaseConnection, which: &str, at: i64) {
    let set = format!("UPDATE trading SET next_check_at = {at}, expires_at = {LATER} WHERE {which}");
    raw.execute_unprepared(&set).await.unwrap();
}

/// What a database does by itself a while after so many changes.
async fn settle(raw: &DatabaseConnection) {
    let tidy = match raw.get_database_backend() {
        DatabaseBackend::Postgres => "VACUUM ANALYZE trading",
        DatabaseBackend::MySql => "ANALYZE TABLE trading",
        _ => "PRAGMA wal_checkpoint(TRUNCATE)",
    };
    raw.execute_unprepared(tidy).await.unwrap();
}

/// The columns of a trading that a copy needs: all but those that the database fills.
async fn columns(raw: &DatabaseConnection) -> Vec<String> {
    let one = Statement::from_string(raw.get_database_backend(), "SELECT * FROM trading LIMIT 1");
    let row = raw.query_one_raw(one).await.unwrap().unwrap();
    let names = row.column_names().into_iter();
    names.filter(|name| name != "id" && name != "close_at").collect()
}

/// The value of a copy: the numbers move from `from` to `to`, and the rest stays.
fn value(name: &str, from: &str, to: i64) -> String {
    let number = format!("trading_order_no - {from} + {to}");
    match name {
        "trading_order_no" | "product_order_no" => number,
        "live_slot" => format!("CONCAT('copy/', {number})"),
        _ => name.to_owned(),
    }
}

async fn count(raw: &DatabaseConnection) -> i64 {
    let count = Statement::from_string(raw.get_database_backend(), "SELECT COUNT(*) FROM trading");
    let row = raw.query_one_raw(count).await.unwrap().unwrap();
    row.try_get_by_index(0).unwrap()
}
