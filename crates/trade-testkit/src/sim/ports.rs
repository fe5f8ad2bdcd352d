//! The small ports: where events are delivered, who counts the calls, and a lock that keeps nobody out.

use async_trait::async_trait;
use trade_core::{
    Event, TradingOrderNo,
    port::{CallEntry, CallLog, EventSink, Lock, LockError, LockToken, SinkError},
};

use super::world::World;

/// A delivery may fail, or succeed and not be known to have.
#[derive(Debug)]
pub(super) struct SimSink(pub(super) World);

#[async_trait]
impl EventSink for SimSink {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        let failed = |reason: &str| Err(SinkError::away(reason));
        self.0.pause().await;
        if self.0.with(|state| state.chance(state.weather.sink)) {
            return failed("nobody takes events now");
        }
        self.0.with(|state| {
            let (id, message) = (event.event_id.get(), &event.message);
            state.tell(|| format!("event {id}: {} {}", message.trading_order_no, message.status_name));
            state.promises.announced.push(id);
            state.changed = true;
        });
        self.0.pause().await;
        if self.0.with(|state| state.chance(state.weather.sink)) {
            return failed("the confirmation is lost");
        }
        Ok(())
    }
}

/// Counts the calls about each trading.
#[derive(Debug)]
pub(super) struct CallCounter(pub(super) World);

/// Retries are bounded: so many calls about one trading are more than any run of bad luck needs.
const MOST_CALLS: u32 = 400;

impl CallLog for CallCounter {
    fn note(&self, call: CallEntry) {
        self.0.with(|state| {
            let number: TradingOrderNo = call.trading_order_no;
            let calls = state.calls.entry(number).or_default();
            *calls += 1;
            if *calls == MOST_CALLS {
                state
                    .wrong
                    .insert(format!("{number} has caused {MOST_CALLS} calls"));
            }
            state.tell(|| {
                format!(
                    "call {} of {number}: {} {}",
                    call.operation, call.outcome, call.code
                )
            });
        });
    }
}

/// A lock that keeps nobody out: nothing may depend on it.
#[derive(Debug)]
pub(super) struct NoLock;

#[async_trait]
impl Lock for NoLock {
    async fn acquire(&self, key: &str, _wait: std::time::Duration) -> Result<LockToken, LockError> {
        Ok(LockToken {
            key: key.to_owned(),
            owner: String::new(),
        })
    }

    async fn release(&self, _token: LockToken) {}
}
