//! Announces committed events, in order within an order, until they are taken.

use std::time::Duration;

use super::{Report, Tick, Work};
use crate::{
    Event,
    port::{EventSink, SinkError},
    service::TradeService,
};

const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// So long the events of a tick are claimed.
const CLAIM: Duration = Duration::from_secs(30);
/// The room that announcing one event needs: with less left of the claim, another may have it already.
const ROOM: Duration = Duration::from_secs(12);

/// One tick over events. They are claimed, so that any number of instances may relay, and each is announced
/// by one of them; only what an instance had in hand when it died is announced again.
///
/// An event that is not taken keeps back only the later events of its own order. It is never given
/// up: its count of attempts shows.
///
/// # Errors
/// The store failed.
pub async fn relay_events(service: &TradeService, sink: &dyn EventSink, work: impl Into<Work<'_>>) -> Tick {
    let (ports, work) = (service.ports(), work.into());
    let mut report = Report::default();
    let now = ports.clock.now();
    let until = now.plus(CLAIM);
    for event in ports.store.claim_events(now, until, work.limit).await? {
        let now = ports.clock.now();
        if work.is_over() || now.plus(ROOM) > until {
            ports.store.release_event(event.event_id, now).await?;
            continue;
        }
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
