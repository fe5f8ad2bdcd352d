//! What must hold of the tables, asked of a live database.

mod refund;
mod trading;

use sea_orm::{ConnectionTrait, Statement};
use trade_core::port::StoreError;

use crate::{fault::Fault, store::SqlStore};

/// How many numbers of an invariant's offenders are listed.
const LISTED: usize = 20;

/// What an audit found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Audit {
    /// How many invariants were checked.
    pub checked: usize,
    /// Those that do not hold.
    pub violations: Vec<Violation>,
}

/// An invariant that does not hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Violation {
    /// What should be so, in words.
    pub invariant: &'static str,
    /// What the numbers are of: `trading`, `refund` or `order`.
    pub kind: &'static str,
    /// The first of the rows it does not hold for.
    pub numbers: Vec<i64>,
    /// Whether there are more.
    pub more: bool,
}

/// An invariant: a query for the numbers of the rows that break it.
///
/// Each is one statement, so it sees one moment, whatever is written meanwhile; and each is written in
/// the SQL that the three engines share.
#[derive(Debug)]
struct Check {
    invariant: &'static str,
    kind: &'static str,
    broken: String,
}

impl Check {
    fn new(invariant: &'static str, kind: &'static str, broken: impl Into<String>) -> Self {
        Self {
            invariant,
            kind,
            broken: broken.into(),
        }
    }

    async fn run(&self, connection: &impl ConnectionTrait) -> Result<Option<Violation>, Fault> {
        let sql = format!("{} ORDER BY 1 LIMIT {}", self.broken, LISTED + 1);
        let statement = Statement::from_string(connection.get_database_backend(), sql);
        let rows = connection.query_all_raw(statement).await?;
        let numbers: Result<Vec<i64>, _> = rows.iter().map(|row| row.try_get_by_index(0)).collect();
        let mut numbers = numbers?;
        let more = numbers.len() > LISTED;
        numbers.truncate(LISTED);
        Ok((!numbers.is_empty()).then_some(Violation {
            invariant: self.invariant,
            kind: self.kind,
            numbers,
            more,
        }))
    }
}

/// Keys as a list of SQL strings. They are this program's own words, never input.
fn words<'a>(keys: impl Iterator<Item = &'a str>) -> String {
    let quoted: Vec<_> = keys.map(|key| format!("'{key}'")).collect();
    quoted.join(", ")
}

impl SqlStore {
    /// Asks the tables whether every invariant that money rests on holds. Reads only, and may run beside
    /// a working server; it walks through whole tables.
    ///
    /// # Errors
    /// The store failed.
    pub async fn audit(&self) -> Result<Audit, StoreError> {
        let mut checks = trading::checks();
        checks.extend(refund::checks());
        let mut violations = Vec::new();
        let reader = self.reader().unhurried();
        for check in &checks {
            let found = check.run(&reader).await;
            violations.extend(found.map_err(|fault| fault.during("audit its tables"))?);
        }
        let checked = checks.len();
        Ok(Audit { checked, violations })
    }
}
