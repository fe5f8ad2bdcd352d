//! A sink that keeps what it is given.

use std::sync::{
    Mutex, PoisonError,
    atomic::{AtomicBool, Ordering},
};

use async_trait::async_trait;

use crate::{
    Event,
    port::{EventSink, SinkError},
};

/// Collects events; can be told to take none.
#[derive(Debug, Default)]
pub struct MemorySink {
    events: Mutex<Vec<Event>>,
    down: AtomicBool,
}

impl MemorySink {
    /// Everything published so far, repeats included.
    #[must_use]
    pub fn published(&self) -> Vec<Event> {
        self.events.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Takes no events from now on, or takes them again.
    pub fn set_down(&self, down: bool) {
        self.down.store(down, Ordering::SeqCst);
    }
}

#[async_trait]
impl EventSink for MemorySink {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        if self.down.load(Ordering::SeqCst) {
            return Err(SinkError::away("the sink is set to take nothing"));
        }
        self.events
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(event.clone());
        Ok(())
    }
}
