//! Closes what was not paid in time, after a last question to the channel.

use super::{Tick, sync_trading::look_at_all};
use crate::{port::Due, service::TradeService};

/// One tick over at most `limit` tradings.
///
/// # Errors
/// The store failed.
pub async fn close_expired(service: &TradeService, limit: u32) -> Tick {
    let now = service.ports().clock.now();
    let due = service
        .ports()
        .store
        .due_tradings(Due::Expired, now, limit)
        .await?;
    Ok(look_at_all(service, due).await)
}
