//! The promises of every sink.

use std::sync::Arc;

use trade_core::SystemClock;
use trade_testkit::contract::{check_all, sink};

use crate::receiver::Receiver;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sink_keeps_the_promises_of_sinks() {
    check_all(sink::promises(), async || {
        let receiver = Receiver::start().await;
        sink::Subject {
            sink: Arc::new(receiver.sink(Arc::new(SystemClock::new()))),
            arrived: Arc::new(move || {
                let bodies = receiver.bodies();
                Box::pin(async move { bodies })
            }),
        }
    })
    .await;
}
