//! Announces committed events, in order within an order, until they are taken.

use std::time::Duration;

use super::{Report, Tick};
use crate::{
    Event,
    port::{EventSink, SinkError},
    service::TradeService,
};

const LONGEST_WAIT: Duration = Duration::from_secs(300);

/// One tick over at most `limit` events.
///
/// An event that is not taken keeps back only the later events of its own order. It is never given
/// up: its count of attempts shows.
///
/// # Errors
/// The store failed.
pub async fn relay_events(service: &TradeService, sink: &dyn EventSink, limit: u32) -> Tick {
    let ports = service.ports();
    let mut report = Report::default();
    for event in ports.store.due_events(ports.clock.now(), limit).await? {
        report.due += 1;
        match sink.publish(&event).await {
            Ok(()) => {
                ports.store.event_sent(event.event_id, ports.clock.now()).await?;
                report.changed += 1;
            }
            Err(error) => {
                put_off(service, &event, &error).await?;
                report.failed += 1;
            }
        }
    }
    Ok(report)
}

async fn put_off(
    service: &TradeService,
    event: &Event,
    error: &SinkError,
) -> Result<(), crate::service::TradeError> {
    let (event_id, attempts) = (event.event_id.get(), event.attempts.saturating_add(1));
    tracing::warn!(event_id, attempts, %error, "event not taken");
    let wait = Duration::from_secs(1_u64 << attempts.saturating_sub(1).min(9)).min(LONGEST_WAIT);
    let retry_at = service.ports().clock.now().plus(wait);
    Ok(service
        .ports()
        .store
        .event_failed(event.event_id, retry_at, &error.to_string())
        .await?)
}
