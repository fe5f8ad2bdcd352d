//! Asks about running refunds, and sends what was not sent.

use super::{Report, Tick};
use crate::service::{TradeService, look_at_refund};

/// One tick over at most `limit` refunds.
///
/// # Errors
/// The store failed.
pub async fn sync_refund(service: &TradeService, limit: u32) -> Tick {
    let now = service.ports().clock.now();
    let mut report = Report::default();
    for refund in service.ports().store.due_refunds(now, limit).await? {
        look_at_refund(service, refund, &mut report).await;
    }
    Ok(report)
}
