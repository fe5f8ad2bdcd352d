//! Announces committed events, in order within an order, until they are taken.

use std::{
    collections::BTreeMap,
    sync::atomic::{AtomicBool, Ordering},
    time::Duration,
};

use futures_util::{StreamExt, future::join_all, lock::Mutex, stream};

use super::{Report, Tick, Work};
use crate::{
    Event, Timestamp, doubled,
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
/// A tick begins no event later than this. What is left goes back, and the next tick finds what was committed
/// meanwhile as well: nobody waits longer than one event takes behind a receiver that is slow.
const BEGIN_WITHIN: Duration = Duration::from_secs(3);
const _: () = assert!(BEGIN_WITHIN.as_secs() + ROOM.as_secs() <= CLAIM.as_secs());
/// So many events of one order system are announced at once; those of all order systems side by side, so that one
/// that takes its time holds up no other.
const AT_ONCE: usize = 16;

/// One tick over events. They are claimed, so that any number of instances may relay, and each is announced
/// by one of them; only what an instance had in hand when it died is announced again.
///
/// A claim holds no two events of an order, so that many of a tick are announced at once. One that is not taken
/// keeps back only the later events of its own order. It is offered again after waits that double from a second to
/// five minutes: for ever while its receiver is away, and for a day when it is refused. Then it is stuck until
/// somebody has it sent again.
///
/// # Errors
/// The store failed. What was being announced is announced to its end, and nothing else is begun.
pub async fn relay_events(service: &TradeService, sink: &dyn EventSink, work: impl Into<Work<'_>>) -> Tick {
    let (ports, work) = (service.ports(), work.into());
    let now = ports.clock.now();
    let until = now.plus(CLAIM);
    let relay = Relay {
        service,
        sink,
        work,
        claimed_at: now,
        has_failed: AtomicBool::new(false),
        noting: Mutex::new(()),
    };
    let mut of_apps = BTreeMap::<_, Vec<Event>>::new();
    for event in ports.store.claim_events(now, until, work.limit).await? {
        let app = event.message.product_app_id.clone();
        of_apps.entry(app).or_default().push(event);
    }
    let all = of_apps.into_values().map(|events| relay.all_of(events));
    together(join_all(all).await)
}

/// One tick at work.
struct Relay<'a> {
    service: &'a TradeService,
    sink: &'a dyn EventSink,
    work: Work<'a>,
    claimed_at: Timestamp,
    has_failed: AtomicBool,
    /// Held while it is noted what became of an event: however many are announced at once, the store is asked for one
    /// thing at a time.
    noting: Mutex<()>,
}

impl Relay<'_> {
    /// Announces the events of one order system.
    async fn all_of(&self, events: Vec<Event>) -> Tick {
        let offers = events.into_iter().map(|event| async move {
            let done = self.offer(&event).await;
            if done.is_err() {
                self.has_failed.store(true, Ordering::Relaxed);
            }
            done
        });
        let reports: Vec<Tick> = stream::iter(offers).buffer_unordered(AT_ONCE).collect().await;
        together(reports)
    }

    async fn offer(&self, event: &Event) -> Tick {
        let ports = self.service.ports();
        let mut report = Report::default();
        let is_late = ports.clock.now() > self.claimed_at.plus(BEGIN_WITHIN);
        if is_late || self.work.is_over() || self.has_failed.load(Ordering::Relaxed) {
            let _turn = self.noting.lock().await;
            // Due as it was when it was claimed, and not before what became due since.
            ports.store.release_event(event.event_id, self.claimed_at).await?;
            return Ok(report);
        }
        report.due = 1;
        let published = self.sink.publish(event).await;
        let _turn = self.noting.lock().await;
        match published {
            Ok(()) => {
                ports.store.event_sent(event.event_id, ports.clock.now()).await?;
                report.changed = 1;
            }
            Err(error) => {
                put_off(self.service, event, &error).await?;
                report.failed = 1;
            }
        }
        Ok(report)
    }
}

/// Several reports as one; the first failure, if there is one.
fn together(reports: Vec<Tick>) -> Tick {
    let mut sum = Report::default();
    for report in reports {
        let report = report?;
        sum.due += report.due;
        sum.changed += report.changed;
        sum.taken += report.taken;
        sum.failed += report.failed;
    }
    Ok(sum)
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
