//! The real clock and the one that moves when told.

use std::sync::Arc;

use trade_core::{SystemClock, memory::ManualClock};
use trade_testkit::{
    contract::{self, clock},
    fixture::START,
};

#[tokio::test(flavor = "multi_thread")]
async fn manual_clock_keeps_every_promise() {
    contract::check_all(clock::promises(), async || {
        let manual = Arc::new(ManualClock::new(START));
        let clock = Arc::clone(&manual);
        clock::Subject {
            clock,
            pass: Arc::new(move |by| manual.advance(by)),
        }
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn system_clock_keeps_every_promise() {
    contract::check_all(clock::promises(), async || clock::Subject {
        clock: Arc::new(SystemClock::new()),
        pass: Arc::new(|_| {}),
    })
    .await;
}
