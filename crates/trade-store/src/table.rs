//! The tables as rows, and rows as the domain's types. Column names are those of the platform's own
//! tables where it has one; amounts are fen, times epoch milliseconds, in every engine.

pub(crate) mod channel_call;
pub(crate) mod id_mark;
pub(crate) mod idempotency_key;
pub(crate) mod notice_inbox;
pub(crate) mod refund_journal;
pub(crate) mod refund_record;
pub(crate) mod trade_journal;
pub(crate) mod trade_outbox;
pub(crate) mod trading;

use std::{error::Error as StdError, fmt};

use trade_core::{Timestamp, handler::ChannelAnswer};

/// A value that this program cannot have written, or that a newer one wrote.
#[derive(Debug, thiserror::Error)]
#[error(
    "the column `{column}` holds a value this program does not understand; was the row edited by hand \
     or written by a newer version?"
)]
pub struct BadColumn {
    column: &'static str,
    #[source]
    source: Option<Box<dyn StdError + Send + Sync>>,
}

/// Reads a column whose value must satisfy a rule of the domain.
pub(crate) fn checked<T, E>(column: &'static str, value: Result<T, E>) -> Result<T, BadColumn>
where
    E: StdError + Send + Sync + 'static,
{
    value.map_err(|error| BadColumn {
        column,
        source: Some(Box::new(error)),
    })
}

/// Reads a column whose text must be one of a few.
pub(crate) fn known<T>(column: &'static str, value: Option<T>) -> Result<T, BadColumn> {
    value.ok_or(BadColumn { column, source: None })
}

/// A time column that may be empty.
pub(crate) fn time(ms: Option<i64>) -> Option<Timestamp> {
    ms.map(Timestamp::from_ms)
}

/// What a time column that may be empty holds.
pub(crate) fn ms(time: Option<Timestamp>) -> Option<i64> {
    time.map(Timestamp::ms)
}

/// The four columns of a channel's answer.
pub(crate) fn answer(
    code: String,
    message: String,
    body: String,
    request_id: Option<String>,
) -> ChannelAnswer {
    ChannelAnswer {
        code,
        message,
        body,
        request_id,
    }
}

/// The value of a slot column: names an order within a unique index. An order number has no slash, so
/// two orders never share a slot.
pub(crate) fn slot(product_app_id: impl fmt::Display, product_order_no: impl fmt::Display) -> String {
    format!("{product_app_id}/{product_order_no}")
}
