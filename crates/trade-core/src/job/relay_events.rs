//! Announces committed events, in order within an order, until they are taken.

use std::time::Duration;

use super::{Report, Tick, Work};
use crate::{
    Event, doubled,
    port::{EventSink, SinkError, SinkFault},
    service::{TradeError, TradeService},
};

const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// An event that is still refused so long after it was refused first is given up.
const GIVE_UP_AFTER: Duration = Duration::from_secs(24 * 60 * 60);
/// So long the events of a tick are claimed.
const CLAIM: Duration = Duration::from_secs(30);
/// The room that announcing one event needs: with less left of the claim, another may have it already.
const ROOM: Duration = Duration::from_secs(12);

/// One tick over events. They are claimed, so that any number of instances may relay, and each is announced
/// by one of them; only what an instance had in hand when it died is announced again.
///
/// An event that is not taken keeps back only the later events of its own order. It is offered again after waits
/// that double from a second to five minutes: for ever while its receiver is away, and for a day when it is
/// refused. Then it is stuck until somebody has it sent again.
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

/// Offers it again later, or gives it up.
///
/// A receiver that is away costs nobody anything but time: its events go out by themselves once it is back, be it
/// after an hour or a week. One that is there and refuses an event is different: nothing will change by itself, so
/// that after a day a person has to know.
async fn put_off(service: &TradeService, event: &Event, error: &SinkError) -> Result<(), TradeError> {
    let (event_id, attempts) = (event.event_id, event.attempts.saturating_add(1));
    let (store, now) = (&service.ports().store, service.ports().clock.now());
    let retry_at = now.plus(doubled(FIRST_WAIT, LONGEST_WAIT, attempts));
    let reason = error.to_string();
    let is_over = event
        .refused_since
        .is_some_and(|since| now.since(since) >= GIVE_UP_AFTER);
    match error.fault {
        SinkFault::Refused if is_over => {
            let order = &event.message.product_order_no;
            tracing::error!(
                %event_id, attempts, reason,
                "event given up: it was refused for a day, and the later events of order {order} wait behind it. \
                 Remove the cause, then `trade resend {event_id}` or POST /trade/admin/events/{event_id}/resend"
            );
            store.event_refused(event_id, now, None, &reason).await?;
        }
        SinkFault::Refused => {
            tracing::warn!(%event_id, attempts, reason, "event refused");
            store
                .event_refused(event_id, now, Some(retry_at), &reason)
                .await?;
        }
        SinkFault::Away => {
            tracing::warn!(%event_id, attempts, reason, "event not taken");
            store.event_failed(event_id, retry_at, &reason).await?;
        }
    }
    Ok(())
}
