//! A store with events that wait, and the job that announces them.

use std::{sync::Arc, time::Duration};

use crate::fixture;
use trade_core::{
    Step, TradingState,
    handler::Registry,
    job,
    memory::{ManualClock, MemoryLock, MemoryStore},
    port::{Census as _, EventSink, Outbox as _, TradingStore},
    service::{Policy, Ports, TradeService},
};

/// Events of some orders, in a store of their own, under a clock to turn.
#[derive(Debug)]
pub struct Outbox {
    /// The time.
    pub clock: Arc<ManualClock>,
    /// Where the events are.
    pub store: Arc<MemoryStore>,
    /// What the job works with.
    pub service: TradeService,
}

impl Outbox {
    /// `orders` orders with `each` events; those of order 1 have the ids 101, 102 and so on.
    ///
    /// # Panics
    /// The store refuses them.
    pub async fn with_events(orders: i64, each: i64) -> Self {
        let clock = Arc::new(ManualClock::new(fixture::at(1000)));
        let store = Arc::new(MemoryStore::default());
        let ids = trade_core::Snowflake::start(1, clock.clone(), store.clone())
            .await
            .unwrap();
        let ports = Ports {
            store: store.clone(),
            registry: Registry::new([]),
            clock: clock.clone(),
            ids: Arc::new(ids),
            lock: Arc::new(MemoryLock::new(clock.clone(), Duration::from_secs(30))),
            calls: store.clone(),
        };
        for order in 1..=orders {
            announce(&store, order, each).await;
        }
        let service = TradeService::new(ports, Policy::default());
        Self {
            clock,
            store,
            service,
        }
    }

    /// One tick.
    ///
    /// # Panics
    /// The store failed.
    pub async fn relay(&self, sink: &dyn EventSink, limit: u32) -> job::Report {
        job::relay_events(&self.service, sink, limit).await.unwrap()
    }

    /// Whether any event was not announced yet.
    ///
    /// # Panics
    /// The store failed.
    pub async fn is_waiting(&self) -> bool {
        self.store.counts().await.unwrap().unsent_events > 0
    }

    /// The bodies of all events, in order of commit.
    ///
    /// # Panics
    /// The store failed.
    pub async fn bodies(&self) -> Vec<String> {
        let events = self.store.events_after(0, 10_000).await.unwrap();
        events.iter().map(|event| event.body().unwrap()).collect()
    }
}

async fn announce(store: &MemoryStore, order: i64, events: i64) {
    let mut row = fixture::trading(order);
    store
        .insert_trading(&row, &fixture::first_entry(&row))
        .await
        .unwrap();
    for index in 1..=events {
        let mut change = fixture::change(&row, TradingState::Paying(Step::Placed));
        change.event = Some(fixture::event(&change.after, order * 100 + index));
        store.commit_trading(&change).await.unwrap();
        row = change.after;
    }
}
