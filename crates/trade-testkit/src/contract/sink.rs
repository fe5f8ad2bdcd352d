//! What every [`EventSink`] promises: what it takes, arrives.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use trade_core::{Event, port::EventSink};

use super::Promise;
use crate::fixture;

/// Reads what has arrived at the other end so far, repeats included, as message bodies.
pub type Arrived = Arc<dyn Fn() -> Pin<Box<dyn Future<Output = Vec<String>> + Send>> + Send + Sync>;

/// A sink under test and its other end.
#[derive(Clone)]
pub struct Subject {
    /// The sink; nobody else uses it.
    pub sink: Arc<dyn EventSink>,
    /// Its other end.
    pub arrived: Arrived,
}

impl fmt::Debug for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Subject")
            .field("sink", &self.sink)
            .finish_non_exhaustive()
    }
}

/// Every promise of a sink that is up.
#[must_use]
pub fn promises() -> Vec<Promise<Subject>> {
    vec![
        Promise::new(arrives_whole_and_in_order),
        Promise::new(published_again_arrives_again),
    ]
}

fn event(number: i64) -> Event {
    fixture::paid_event(number, number, number)
}

/// What was taken arrives byte for byte, in the order it was published.
pub async fn arrives_whole_and_in_order(subject: Subject) {
    let mut expected = Vec::new();
    for number in 1..=5 {
        let event = event(number);
        subject.sink.publish(&event).await.expect("the sink is up");
        expected.push(event.body().expect("a message serializes"));
    }
    assert_eq!((subject.arrived)().await, expected);
}

/// The same event may be published again: it is taken and arrives with the same id.
pub async fn published_again_arrives_again(subject: Subject) {
    let event = event(7);
    for _ in 0..2 {
        subject.sink.publish(&event).await.expect("the sink is up");
    }
    let body = event.body().expect("a message serializes");
    assert_eq!((subject.arrived)().await, [body.clone(), body]);
}
