//! A scheduler that hangs up in the middle of a tick it asked for.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::Semaphore,
};
use trade_core::{
    Event,
    port::{EventSink, SinkError},
};
use trade_server::wire::Decorate;

use crate::{outer_jobs::TOKEN, world::World};

/// A net against hanging, nothing more.
const PATIENCE: Duration = Duration::from_secs(120);

/// A sink whose receiver says nothing until it is let go.
#[derive(Debug)]
struct Holding {
    offered: AtomicU32,
    taken: AtomicU32,
    let_go: Semaphore,
    inner: OnceLock<Arc<dyn EventSink>>,
}

#[async_trait]
impl EventSink for Holding {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        self.offered.fetch_add(1, Ordering::SeqCst);
        self.let_go.acquire().await.unwrap().forget();
        self.inner.get().unwrap().publish(event).await?;
        self.taken.fetch_add(1, Ordering::SeqCst);
        Ok(())
    }
}

#[derive(Debug)]
struct WithHolding(Arc<Holding>);

impl Decorate for WithHolding {
    fn sink(&self, sink: Arc<dyn EventSink>) -> Arc<dyn EventSink> {
        self.0.inner.set(sink).unwrap();
        self.0.clone()
    }
}

/// Asks for a tick and, once the tick has an event in hand, hangs up. Returns when the server knows.
async fn hang_up_in_mid_tick(world: &World, holding: &Holding) {
    let address = world.base.strip_prefix("http://").unwrap();
    let request = format!(
        "POST /trade/admin/jobs/relay_events HTTP/1.1\r\nhost: {address}\r\n\
         authorization: Bearer {TOKEN}\r\ncontent-length: 0\r\n\r\n"
    );
    let mut socket = TcpStream::connect(address).await.unwrap();
    socket.write_all(request.as_bytes()).await.unwrap();
    while holding.offered.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    // The server closes its side as soon as it sees the end of ours, and answers nothing.
    socket.shutdown().await.unwrap();
    let mut answer = Vec::new();
    let _reset = socket.read_to_end(&mut answer).await;
    assert!(answer.is_empty(), "{}", String::from_utf8_lossy(&answer));
}

#[tokio::test(flavor = "multi_thread")]
async fn a_tick_whose_caller_hangs_up_is_finished_and_counted() {
    let holding = Arc::new(Holding {
        offered: AtomicU32::new(0),
        taken: AtomicU32::new(0),
        let_go: Semaphore::new(0),
        inner: OnceLock::new(),
    });
    let more = [("jobs", "enabled", "false"), ("admin", "token", TOKEN)];
    let world = World::set(&more, Arc::new(WithHolding(Arc::clone(&holding)))).await;
    world.paid("WECHAT_PAY", 1).await;
    world.paid("ALI_PAY", 2).await;
    let cut = tokio::time::timeout(PATIENCE, hang_up_in_mid_tick(&world, &holding));
    cut.await
        .expect("the server closes a line whose other end is gone");
    holding.let_go.add_permits(2);
    let counted = "trade_job_ticks_total{job=\"relay_events\",outcome=\"ok\"} 1\n";
    let sent = "\ntrade_unsent_events 0\n";
    world
        .until("/metrics", |text| {
            let text = text.as_str().unwrap();
            text.contains(counted) && text.contains(sent)
        })
        .await;
    let times = [&holding.offered, &holding.taken].map(|count| count.load(Ordering::SeqCst));
    assert_eq!(times, [2, 2], "each event is announced once");
}
