//! Asks about what is pending, finishes what was cut off, and watches what was closed. What has expired is closed
//! here, too, when this job gets to it before `close_expired` does.

use super::{Report, Tick, Work};
use crate::{
    Trading,
    port::Due,
    service::{TradeService, look_at},
};

/// One tick over tradings.
///
/// # Errors
/// The store failed.
pub async fn sync_trading(service: &TradeService, work: impl Into<Work<'_>>) -> Tick {
    let work = work.into();
    let now = service.ports().clock.now();
    let due = service
        .ports()
        .store
        .due_tradings(Due::Sync, work.pick(now))
        .await?;
    Ok(look_at_all(service, due, work).await)
}

pub(super) async fn look_at_all(service: &TradeService, due: Vec<Trading>, work: Work<'_>) -> Report {
    let mut report = Report::default();
    for trading in due {
        if work.is_over() {
            break;
        }
        look_at(service, trading, &mut report).await;
    }
    report
}
