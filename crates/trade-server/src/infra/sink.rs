//! Events announced: to everyone that is configured, and within the process, where streams wake up and read them
//! from the outbox.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;
use futures_util::future::join_all;
use tokio::sync::watch;
use trade_core::{
    Event, EventId,
    port::{EventSink, SinkError, SinkFault},
};

/// Of so many events it is known who has them already; of more, the newest.
const REMEMBERED: usize = 10_000;

/// Announces within the process. Where nothing else is configured, an event counts as announced once the streams
/// were woken: it stays in the outbox, where a reader that was away reads it up.
#[derive(Debug)]
pub struct LocalSink {
    announced: watch::Sender<u64>,
}

impl LocalSink {
    /// A sink, and the signal that changes with every event.
    #[must_use]
    pub fn new() -> (Self, watch::Receiver<u64>) {
        let (announced, signal) = watch::channel(0);
        (Self { announced }, signal)
    }
}

/// Announces to every sink, and within the process what all of them have taken.
///
/// All are offered an event at once, so that a slow one costs no more than itself. While one does not take it, the
/// others are not offered it again: who has it is remembered, in this process and until a person has it sent again.
/// After a restart, or when another instance goes on with it, they get it twice, with the same id.
#[derive(Debug)]
pub struct Fan {
    sinks: Vec<Arc<dyn EventSink>>,
    local: LocalSink,
    taken: Mutex<BTreeMap<EventId, Vec<bool>>>,
}

impl Fan {
    /// A sink over all of these.
    #[must_use]
    pub fn new(sinks: Vec<Arc<dyn EventSink>>, local: LocalSink) -> Self {
        Self {
            sinks,
            local,
            taken: Mutex::default(),
        }
    }

    fn taken(&self) -> MutexGuard<'_, BTreeMap<EventId, Vec<bool>>> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Who has taken that event already. Of one that is new, or sent again, nobody.
    fn who_has(&self, event: &Event) -> Vec<bool> {
        let known = self.taken().remove(&event.event_id);
        known
            .filter(|_| event.attempts > 0)
            .unwrap_or_else(|| vec![false; self.sinks.len()])
    }

    fn remember(&self, event: &Event, taken: Vec<bool>) {
        let mut known = self.taken();
        known.insert(event.event_id, taken);
        if known.len() > REMEMBERED {
            known.pop_first();
        }
    }
}

#[async_trait]
impl EventSink for Fan {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        let had = self.who_has(event);
        let offers = self
            .sinks
            .iter()
            .zip(&had)
            .map(|(sink, has)| async move { if *has { Ok(()) } else { sink.publish(event).await } });
        let answers = join_all(offers).await;
        let has: Vec<bool> = answers.iter().map(Result::is_ok).collect();
        let errors = answers.into_iter().filter_map(Result::err).collect();
        let Some(error) = together(errors) else {
            return self.local.publish(event).await;
        };
        self.remember(event, has);
        Err(error)
    }
}

/// What several sinks say, as one: refused by one is refused.
fn together(mut errors: Vec<SinkError>) -> Option<SinkError> {
    if errors.len() < 2 {
        return errors.pop();
    }
    let is_refused = errors.iter().any(|error| error.fault == SinkFault::Refused);
    let fault = if is_refused {
        SinkFault::Refused
    } else {
        SinkFault::Away
    };
    let reasons: Vec<_> = errors.into_iter().map(|error| error.reason).collect();
    Some(SinkError::new(fault, reasons.join("; and ")))
}

#[async_trait]
impl EventSink for LocalSink {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        let message = &event.message;
        tracing::info!(
            event_id = event.event_id.get(),
            trading_order_no = message.trading_order_no.get(),
            status = message.status_name,
            "event announced"
        );
        self.announced.send_modify(|count| *count = count.wrapping_add(1));
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use trade_core::memory::MemorySink;
    use trade_testkit::fixture;

    use super::*;

    /// Refuses everything.
    #[derive(Debug)]
    struct Refuse;

    #[async_trait]
    impl EventSink for Refuse {
        async fn publish(&self, _event: &Event) -> Result<(), SinkError> {
            Err(SinkError::refused("no route"))
        }
    }

    fn again(attempts: u32) -> Event {
        Event {
            attempts,
            ..fixture::paid_event(1, 1, 7)
        }
    }

    #[tokio::test]
    async fn it_is_announced_once_all_have_it_and_nobody_gets_it_twice() {
        let (first, second) = (Arc::new(MemorySink::default()), Arc::new(MemorySink::default()));
        let (local, signal) = LocalSink::new();
        let fan = Fan::new(vec![first.clone(), second.clone()], local);
        second.set_down(true);
        for attempts in 0..3 {
            let error = fan.publish(&again(attempts)).await.unwrap_err();
            assert_eq!(error.fault, SinkFault::Away);
        }
        let had = || (first.published().len(), second.published().len());
        assert_eq!((had(), *signal.borrow()), ((1, 0), 0));
        second.set_down(false);
        fan.publish(&again(3)).await.unwrap();
        assert_eq!((had(), *signal.borrow()), ((1, 1), 1));
        // Sent again by a person: everybody gets it.
        fan.publish(&again(0)).await.unwrap();
        assert_eq!((had(), *signal.borrow()), ((2, 2), 2));
    }

    #[tokio::test]
    async fn sent_again_it_goes_to_those_too_that_had_it_while_another_had_not() {
        let (first, second) = (Arc::new(MemorySink::default()), Arc::new(MemorySink::default()));
        let fan = Fan::new(vec![first.clone(), second.clone()], LocalSink::new().0);
        second.set_down(true);
        fan.publish(&again(0)).await.unwrap_err();
        second.set_down(false);
        fan.publish(&again(0)).await.unwrap();
        assert_eq!((first.published().len(), second.published().len()), (2, 1));
    }

    #[tokio::test]
    async fn refused_by_one_is_refused_and_every_reason_is_told() {
        let away = Arc::new(MemorySink::default());
        away.set_down(true);
        let fan = Fan::new(vec![away, Arc::new(Refuse)], LocalSink::new().0);
        let error = fan.publish(&again(0)).await.unwrap_err();
        assert_eq!(error.fault, SinkFault::Refused);
        assert!(error.reason.contains("take nothing; and no route"), "{error}");
    }

    #[tokio::test]
    async fn no_more_is_remembered_than_there_is_room_for() {
        let down = Arc::new(MemorySink::default());
        down.set_down(true);
        let fan = Fan::new(vec![down], LocalSink::new().0);
        for id in 1..=i64::try_from(REMEMBERED).unwrap() + 5 {
            let event = fixture::paid_event(1, 1, id);
            fan.publish(&event).await.unwrap_err();
        }
        assert_eq!(fan.taken().len(), REMEMBERED);
        assert!(
            !fan.taken().contains_key(&fixture::event_id(5)),
            "the oldest went"
        );
    }
}
