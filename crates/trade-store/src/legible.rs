//! Rows that this program does not understand, among others that it does.
//!
//! A newer version may have written them, while instances of both run, or a hand. Whoever works on what is due passes
//! over them, since all others would wait behind them for ever; whoever asks for a row by its number is told.

use sea_orm::{ConnectionTrait, EntityTrait, QuerySelect, Select};

use crate::{fault::Fault, table::BadColumn};

/// A log names no more numbers than this.
const NAMED: usize = 20;

/// A row that a log can name.
pub(crate) trait Numbered {
    /// What it is of.
    const TABLE: &'static str;

    /// Its number in that table, by which people know it.
    fn number(&self) -> i64;
}

/// The rows that were passed over.
#[derive(Debug, Default)]
struct Passed {
    count: usize,
    first: Vec<i64>,
    why: Option<BadColumn>,
}

impl Passed {
    /// The rows that can be read, in their order.
    fn read<M, T>(&mut self, rows: Vec<M>) -> Vec<T>
    where
        M: Numbered,
        T: TryFrom<M, Error = BadColumn>,
    {
        let mut legible = Vec::with_capacity(rows.len());
        for row in rows {
            let number = row.number();
            match T::try_from(row) {
                Ok(row) => legible.push(row),
                Err(why) => {
                    self.count = self.count.saturating_add(1);
                    if self.first.len() < NAMED {
                        self.first.push(number);
                    }
                    self.why.get_or_insert(why);
                }
            }
        }
        legible
    }

    fn tell(self, table: &'static str) {
        if let Some(error) = self.why {
            let (count, numbers) = (self.count, self.first);
            tracing::error!(
                table,
                count,
                ?numbers,
                %error,
                "rows that cannot be read are passed over: nothing becomes of them until a version that can is started \
                 or they are mended"
            );
        }
    }
}

/// The rows that can be read; those that cannot are named in the log.
pub(crate) fn legible<M, T>(rows: Vec<M>) -> Vec<T>
where
    M: Numbered,
    T: TryFrom<M, Error = BadColumn>,
{
    let mut passed = Passed::default();
    let legible = passed.read(rows);
    passed.tell(M::TABLE);
    legible
}

/// The first rows of a query that can be read, at most `limit`: however many cannot, the others are reached.
pub(crate) async fn first_legible<E, T>(
    connection: &impl ConnectionTrait,
    query: Select<E>,
    limit: u64,
) -> Result<Vec<T>, Fault>
where
    E: EntityTrait,
    E::Model: Numbered + Send + Sync,
    T: TryFrom<E::Model, Error = BadColumn>,
{
    let most = usize::try_from(limit).unwrap_or(usize::MAX);
    let (mut passed, mut found, mut seen) = (Passed::default(), Vec::new(), 0);
    loop {
        let page = query.clone().offset(seen).limit(limit).all(connection).await?;
        let is_last = page.len() < most;
        seen = seen.saturating_add(limit);
        found.extend(passed.read(page));
        if is_last || found.len() >= most {
            break;
        }
    }
    found.truncate(most);
    passed.tell(E::Model::TABLE);
    Ok(found)
}
