//! The promises of every sink.

use std::sync::Arc;

use trade_testkit::contract::{check_all, sink};

use crate::support::{BOTH, Corner};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_sink_keeps_the_promises_of_sinks() {
    check_all(sink::promises(), async || {
        let corner = Arc::new(Corner::with_queue(&BOTH).await);
        sink::Subject {
            sink: Arc::new(corner.sink()),
            arrived: Arc::new(move || {
                let corner = Arc::clone(&corner);
                Box::pin(async move { corner.drain(&corner.queue).await })
            }),
        }
    })
    .await;
}
