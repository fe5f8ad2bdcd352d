//! Closes what was not paid in time, after a last question to the channel.

use super::{Tick, Work, sync_trading::look_at_all};
use crate::{port::Due, service::TradeService};

/// One tick over tradings.
///
/// # Errors
/// The store failed.
pub async fn close_expired(service: &TradeService, work: impl Into<Work<'_>>) -> Tick {
    let work = work.into();
    let now = service.ports().clock.now();
    let due = service
        .ports()
        .store
        .due_tradings(Due::Expired, work.pick(now))
        .await?;
    Ok(look_at_all(service, due, work).await)
}
