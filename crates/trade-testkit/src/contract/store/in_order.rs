//! The order of an order's events while they are committed and claimed at the same time.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use trade_core::{Event, ProductOrderNo};

use super::{Promise, Store, outbox::announce};
use crate::fixture::at;

/// How many orders there are, with two events each.
const ORDERS: i64 = 40;
/// How many commit, and how many claim.
const EACH: i64 = 4;

/// The promises of this file.
#[must_use]
pub fn promises() -> Vec<Promise<Store>> {
    vec![Promise::new(no_claim_overtakes_a_commit)]
}

/// How many events of each order were announced.
type Sent = Arc<Mutex<BTreeMap<ProductOrderNo, i64>>>;

/// While events are committed, no claim has two of an order, or one before all earlier ones were announced.
pub async fn no_claim_overtakes_a_commit(store: Store) {
    let (sent, is_over) = (Sent::default(), Arc::new(AtomicBool::new(false)));
    let relays: Vec<_> = (0..EACH)
        .map(|_| tokio::spawn(relay(store.clone(), Arc::clone(&sent), Arc::clone(&is_over))))
        .collect();
    let commits: Vec<_> = (0..EACH)
        .map(|part| {
            let store = store.clone();
            tokio::spawn(async move {
                for number in (1..=ORDERS).filter(|number| number % EACH == part) {
                    announce(&store, number, 2).await;
                }
            })
        })
        .collect();
    for commit in commits {
        commit
            .await
            .expect("events are committed while others are claimed");
    }
    is_over.store(true, Ordering::SeqCst);
    for relay in relays {
        relay.await.unwrap_or_else(|broken| panic!("{broken}"));
    }
    let sent = sent.lock().unwrap();
    let all = usize::try_from(ORDERS).unwrap();
    assert_eq!(sent.values().filter(|count| **count == 2).count(), all);
}

/// Announces until nothing is left, and looks at each claim.
async fn relay(store: Store, sent: Sent, is_over: Arc<AtomicBool>) {
    loop {
        let is_last = is_over.load(Ordering::SeqCst);
        let events = store.claim_events(at(1000), at(9000), 7).await.unwrap();
        let orders: BTreeSet<_> = events
            .iter()
            .map(|event| event.message.product_order_no)
            .collect();
        assert_eq!(orders.len(), events.len(), "two of an order: {events:?}");
        for event in &events {
            announced(&sent, event);
            store.event_sent(event.event_id, at(1001)).await.unwrap();
        }
        if events.is_empty() {
            if is_last {
                return;
            }
            tokio::time::sleep(Duration::from_millis(1)).await;
        }
    }
}

fn announced(sent: &Sent, event: &Event) {
    let mut sent = sent.lock().unwrap();
    let count = sent.entry(event.message.product_order_no).or_default();
    *count += 1;
    assert_eq!(event.message.seq, Some(*count), "it overtook another: {event:?}");
}
