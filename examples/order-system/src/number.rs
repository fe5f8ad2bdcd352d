//! Order numbers: `yyMMdd` in Asia/Shanghai and a sequence of 13 digits, 19 digits together.

use redis::{Script, aio::ConnectionManager};
use trade_core::Timestamp;

use crate::{error::OrderError, settings::Redis, store::Store};

/// One more than the largest sequence.
const SEQUENCES: i64 = 10_000_000_000_000;

/// Raises a counter to at least a value, in one step for every instance.
const RAISE: &str = "
    local now = tonumber(redis.call('GET', KEYS[1]) or '0')
    if now < tonumber(ARGV[1]) then redis.call('SET', KEYS[1], ARGV[1]) end";

/// Where the sequence is counted.
#[derive(Clone)]
pub(crate) enum OrderNumbers {
    /// With a row of the database.
    Database(Store),
    /// With `INCR`.
    Redis {
        connection: Box<ConnectionManager>,
        key: String,
        store: Store,
    },
}

impl OrderNumbers {
    /// Connects to the counter, and raises it above what was given out today: a Redis that lost its data, or
    /// one that takes over from the database, would else repeat numbers.
    pub(crate) async fn start(
        redis: Option<&Redis>,
        store: Store,
        now: Timestamp,
    ) -> Result<Self, OrderError> {
        let numbers = match redis {
            None => Self::Database(store),
            Some(redis) => Self::Redis {
                connection: Box::new(
                    connect(redis.url.expose())
                        .await
                        .map_err(|error| failed(&error))?,
                ),
                key: redis.key.clone(),
                store,
            },
        };
        numbers.raise(now).await?;
        Ok(numbers)
    }

    /// A number that no order has had. The primary key of the orders is the net below it.
    pub(crate) async fn next(&self, now: Timestamp) -> Result<i64, OrderError> {
        let sequence = match self {
            Self::Database(store) => store.next_in_sequence().await?,
            Self::Redis { connection, key, .. } => {
                let mut connection = connection.as_ref().clone();
                redis::cmd("INCR")
                    .arg(key)
                    .query_async(&mut connection)
                    .await
                    .map_err(|error| failed(&error))?
            }
        };
        number(now, sequence)
    }

    /// Lets the counter go on after the highest number of today.
    pub(crate) async fn raise(&self, now: Timestamp) -> Result<(), OrderError> {
        let first = day(now)? * SEQUENCES;
        let store = match self {
            Self::Database(store) | Self::Redis { store, .. } => store,
        };
        let Some(highest) = store.highest_between(first, first + SEQUENCES).await? else {
            return Ok(());
        };
        let floor = highest - first;
        match self {
            Self::Database(store) => store.raise_sequence(floor).await?,
            Self::Redis { connection, key, .. } => {
                let mut connection = connection.as_ref().clone();
                Script::new(RAISE)
                    .key(key)
                    .arg(floor)
                    .invoke_async::<()>(&mut connection)
                    .await
                    .map_err(|error| failed(&error))?;
            }
        }
        Ok(())
    }
}

impl std::fmt::Debug for OrderNumbers {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Database(_) => "OrderNumbers::Database",
            Self::Redis { .. } => "OrderNumbers::Redis",
        })
    }
}

async fn connect(url: &str) -> Result<ConnectionManager, redis::RedisError> {
    ConnectionManager::new(redis::Client::open(url)?).await
}

/// The error's own words may hold the URL with its password, so only its kind is shown.
fn failed(error: &redis::RedisError) -> OrderError {
    OrderError::Numbers(format!("Redis: {:?}", error.kind()))
}

fn number(now: Timestamp, sequence: i64) -> Result<i64, OrderError> {
    if !(1..SEQUENCES).contains(&sequence) {
        let why = format!("the sequence is used up at {sequence}: its 13 digits would run into the date");
        return Err(OrderError::Numbers(why));
    }
    Ok(day(now)? * SEQUENCES + sequence)
}

/// `yyMMdd` in Beijing as a number.
fn day(now: Timestamp) -> Result<i64, OrderError> {
    let text = now.to_beijing_text();
    let digits: String = text
        .bytes()
        .skip(2)
        .take(8)
        .filter(u8::is_ascii_digit)
        .map(char::from)
        .collect();
    let day: i64 = digits.parse().unwrap_or_default();
    // 19 digits that fit into 64 bits: from 2010 as far as 2092.
    if (100_101..922_337).contains(&day) {
        return Ok(day);
    }
    Err(OrderError::Numbers(format!(
        "no order number holds the date {text}"
    )))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nineteen_digits_with_the_day_in_shanghai() {
        let at = |text| Timestamp::from_beijing_text(text).unwrap();
        let table = [
            ("2024-06-01 00:00:00", 1, 2_406_010_000_000_000_001),
            (
                "2024-06-01 23:59:59",
                1_000_000_000_001,
                2_406_011_000_000_000_001,
            ),
            ("2091-12-31 12:00:00", SEQUENCES - 1, 9_112_319_999_999_999_999),
        ];
        for (time, sequence, expected) in table {
            let number = number(at(time), sequence).unwrap();
            assert_eq!(number, expected);
            assert_eq!(number.to_string().len(), 19);
        }
        // Still yesterday in Greenwich.
        let midnight = Timestamp::from_rfc3339("2026-11-22T16:00:00Z").unwrap();
        assert_eq!(number(midnight, 7).unwrap(), 2_611_230_000_000_000_007);
    }

    #[test]
    fn a_sequence_that_would_run_into_the_date_is_refused() {
        let now = Timestamp::from_beijing_text("2024-06-01 00:00:00").unwrap();
        for sequence in [0, -1, SEQUENCES, i64::MAX] {
            assert!(number(now, sequence).is_err(), "{sequence}");
        }
        let too_late = Timestamp::from_beijing_text("2093-01-01 00:00:00").unwrap();
        assert!(number(too_late, 1).is_err());
    }
}
