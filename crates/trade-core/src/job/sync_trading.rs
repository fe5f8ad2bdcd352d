//! Asks about what is pending, finishes what was cut off, and watches what was closed.

use super::{Report, Tick};
use crate::{
    Trading,
    port::Due,
    service::{TradeService, look_at},
};

/// One tick over at most `limit` tradings.
///
/// # Errors
/// The store failed.
pub async fn sync_trading(service: &TradeService, limit: u32) -> Tick {
    let now = service.ports().clock.now();
    let due = service.ports().store.due_tradings(Due::Sync, now, limit).await?;
    Ok(look_at_all(service, due).await)
}

pub(super) async fn look_at_all(service: &TradeService, due: Vec<Trading>) -> Report {
    let mut report = Report::default();
    for trading in due {
        look_at(service, trading, &mut report).await;
    }
    report
}
