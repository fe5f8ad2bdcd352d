//! Asks about running refunds, and sends what was not sent.

use super::{Report, Tick, Work};
use crate::service::{TradeService, look_at_refund};

/// One tick over refunds.
///
/// # Errors
/// The store failed.
pub async fn sync_refund(service: &TradeService, work: impl Into<Work<'_>>) -> Tick {
    let work = work.into();
    let now = service.ports().clock.now();
    let mut report = Report::default();
    for refund in service.ports().store.due_refunds(work.pick(now)).await? {
        if work.is_over() {
            break;
        }
        look_at_refund(service, refund, &mut report).await;
    }
    Ok(report)
}
