//! Events from the trade server's own stream; how far it was read is kept in the database.

use std::time::Duration;

use tokio::sync::watch;
use trade_core::TradeStatusMsg;
use trade_mq::{ListenError, Listener};

use super::Ear;
use crate::{error::OrderError, service::Orders, store::inbox::Gap};

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// The server says something at least every 15 s.
const SILENCE: Duration = Duration::from_secs(45);
/// No event is nearly as long.
const LONGEST_EVENT: usize = 1024 * 1024;

/// Why a connection to the stream ended.
#[derive(Debug, thiserror::Error)]
enum Ended {
    #[error("the server closed it")]
    Closed,
    #[error("nothing was heard for {} s", SILENCE.as_secs())]
    Silent,
    #[error("an event is too long")]
    TooLong,
    #[error("the connection broke")]
    Broken(#[source] reqwest::Error),
    #[error("an event could not be applied yet: {0}")]
    NotYet(#[source] ListenError),
    #[error(transparent)]
    Orders(#[from] OrderError),
}

/// Listens until it is told to stop; connects again after each end.
pub(super) async fn run(orders: Orders, mut stop: watch::Receiver<bool>) {
    let ear = Ear {
        orders,
        // The stream keeps the order of events: what is missing was put aside.
        gap: Gap::GoOn,
    };
    let mut wait = FIRST_WAIT;
    loop {
        let mut heard = 0;
        let ended = tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            ended = session(&ear, &mut heard) => ended,
        };
        wait = if heard > 0 { FIRST_WAIT } else { wait };
        tracing::warn!(?wait, reason = %ended, "the stream of events ended, connecting again");
        tokio::select! {
            _ = stop.wait_for(|stop| *stop) => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = wait.saturating_mul(2).min(LONGEST_WAIT);
    }
}

/// One connection, to its end.
async fn session(ear: &Ear, heard: &mut u64) -> Ended {
    match read(ear, heard).await {
        Ok(()) => Ended::Closed,
        Err(ended) => ended,
    }
}

async fn read(ear: &Ear, heard: &mut u64) -> Result<(), Ended> {
    let after = ear.orders.store.position().await.map_err(OrderError::from)?;
    let mut response = ear.orders.trade.events(after).await.map_err(OrderError::from)?;
    let mut parser = Parser::default();
    loop {
        let chunk = tokio::time::timeout(SILENCE, response.chunk()).await;
        let chunk = chunk.map_err(|_| Ended::Silent)?.map_err(Ended::Broken)?;
        let Some(chunk) = chunk else {
            return Ok(());
        };
        *heard += 1;
        for event in parser.feed(&chunk)? {
            take(ear, &event).await?;
        }
    }
}

/// Applies one event of the stream, or puts it aside. The position moves after the effect is committed; an
/// event that comes again finds itself in the inbox.
async fn take(ear: &Ear, event: &Event) -> Result<(), Ended> {
    let store = &ear.orders.store;
    let verdict = match serde_json::from_str::<Vec<TradeStatusMsg>>(&event.data) {
        Ok(messages) => apply_all(ear, &messages).await?,
        Err(error) => Err(format!("it cannot be read: {error}")),
    };
    let kept = match verdict {
        Ok(()) => store.move_to(event.position).await,
        Err(reason) => {
            tracing::error!(
                position = event.position,
                reason,
                "an event is put aside: a person must look"
            );
            store
                .put_aside(event.position, &event.data, &reason, ear.orders.now())
                .await
        }
    };
    kept.map_err(|error| OrderError::from(error).into())
}

/// `Err(reason)`: one of them can never be applied.
async fn apply_all(ear: &Ear, messages: &[TradeStatusMsg]) -> Result<Result<(), String>, Ended> {
    for message in messages {
        match ear.on_message(message).await {
            Ok(_) => {}
            Err(error) if error.is_worth_a_retry() => return Err(Ended::NotYet(error)),
            Err(error) => return Ok(Err(error.to_string())),
        }
    }
    Ok(Ok(()))
}

/// One event of the stream.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
struct Event {
    position: i64,
    data: String,
}

/// Splits server-sent events.
#[derive(Debug, Default)]
struct Parser {
    bytes: Vec<u8>,
    position: i64,
    data: Vec<String>,
}

impl Parser {
    /// The events that are complete with this chunk.
    fn feed(&mut self, chunk: &[u8]) -> Result<Vec<Event>, Ended> {
        self.bytes.extend_from_slice(chunk);
        let mut events = Vec::new();
        while let Some(end) = self.bytes.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.bytes.drain(..=end).collect();
            let line = String::from_utf8_lossy(&line);
            events.extend(self.line(line.trim_end_matches(['\r', '\n'])));
        }
        let kept: usize = self.data.iter().map(String::len).sum();
        if self.bytes.len().saturating_add(kept) > LONGEST_EVENT {
            return Err(Ended::TooLong);
        }
        Ok(events)
    }

    fn line(&mut self, line: &str) -> Option<Event> {
        if line.is_empty() {
            let data = std::mem::take(&mut self.data);
            return (!data.is_empty()).then(|| Event {
                position: self.position,
                data: data.join("\n"),
            });
        }
        let (field, value) = line.split_once(':').unwrap_or((line, ""));
        let value = value.strip_prefix(' ').unwrap_or(value);
        match field {
            "id" => self.position = value.parse().unwrap_or(self.position),
            "data" => self.data.push(value.to_owned()),
            _ => {}
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn events_are_found_however_the_bytes_are_cut() {
        let text =
            ": hello\n\nid: 7\nevent: UPDATE_STATUS\ndata: [1]\n\nid:8\r\ndata:[\r\ndata: 2]\r\n\r\n:\n\n";
        let event = |position, data: &str| Event {
            position,
            data: data.into(),
        };
        let expected = vec![event(7, "[1]"), event(8, "[\n2]")];
        for size in 1..text.len() {
            let mut parser = Parser::default();
            let chunks = text.as_bytes().chunks(size);
            let found: Vec<_> = chunks.flat_map(|chunk| parser.feed(chunk).unwrap()).collect();
            assert_eq!(found, expected, "{size}");
        }
    }
}
