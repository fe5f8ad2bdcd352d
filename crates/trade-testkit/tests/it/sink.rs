//! The sink in memory.

use std::sync::Arc;

use trade_core::{Event, memory::MemorySink};
use trade_testkit::contract::{self, sink};

#[tokio::test]
async fn memory_sink_keeps_every_promise() {
    contract::check_all(sink::promises(), async || {
        let sink = Arc::new(MemorySink::default());
        let end = Arc::clone(&sink);
        sink::Subject {
            sink,
            arrived: Arc::new(move || {
                let published = end.published();
                let bodies: Result<Vec<_>, _> = published.iter().map(Event::body).collect();
                Box::pin(async { bodies.unwrap() })
            }),
        }
    })
    .await;
}
