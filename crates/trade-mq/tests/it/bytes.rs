//! Lines that break at a chosen byte of connecting, declaring, publishing and confirming, or of consuming: nothing is
//! taken for sent that is not there, nothing is lost, and nobody waits for ever.

use std::{collections::BTreeSet, sync::Arc, time::Duration};

use futures_util::{StreamExt, stream};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::mpsc,
    time::Instant,
};
use trade_core::{
    memory::ManualClock,
    port::{EventSink, SinkFault},
};
use trade_mq::{Handled, RabbitSettings, RabbitSink};
use trade_testkit::{
    fixture,
    proxy::{Break, Fault, Proxy, Way, points},
};

use crate::support::{BOTH, Corner, Heard, PATIENCE, consumer, event, line, start};

const FAULTS: [Fault; 3] = [Fault::Cut, Fault::Stall, Fault::HalfClose];
/// A publish ends within ten seconds; a busy machine may see it later.
const ROOM: Duration = Duration::from_secs(25);

/// Breaks at about so many bytes of each direction, of every kind.
fn breaks(to_server: u64, to_client: u64, few: u64) -> Vec<Break> {
    let ways = [(Way::ToServer, to_server), (Way::ToClient, to_client)];
    let at = ways.map(|(way, total)| points(total, few).into_iter().map(move |after| (way, after)));
    let at: Vec<_> = at.into_iter().flatten().collect();
    let all = FAULTS.into_iter().flat_map(|fault| {
        at.iter().map(move |(way, after)| Break {
            fault,
            way: *way,
            after: *after,
        })
    });
    all.collect()
}

fn sink(corner: &Corner, url: String) -> (RabbitSink, Arc<ManualClock>) {
    let clock = Arc::new(ManualClock::new(fixture::START));
    let settings = RabbitSettings {
        exchange: corner.exchange.clone(),
        ..RabbitSettings::new(url)
    };
    (RabbitSink::new(settings, clock.clone()).unwrap(), clock)
}

/// Publishes an event over a line that breaks, until it is taken; whether the first attempt failed.
async fn publish(corner: &Corner, number: i64, fault: Break) -> bool {
    let (proxy, url) = line().await;
    proxy.next(fault);
    let (sink, clock) = sink(corner, url);
    for attempt in 0..10 {
        let began = Instant::now();
        let published = sink.publish(&event(number)).await;
        let took = began.elapsed();
        assert!(took < ROOM, "{fault:?}: attempt {attempt} took {took:?}");
        match published {
            Ok(()) => return attempt > 0,
            Err(error) => assert_eq!(error.fault, SinkFault::Away, "{fault:?}: {error}"),
        }
        clock.advance(Duration::from_secs(60));
    }
    panic!("{fault:?}: never taken");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_event_is_sent_once_it_is_there_wherever_the_line_breaks() {
    let corner = Corner::with_queue(&BOTH).await;
    let (proxy, url) = line().await;
    let (whole, _clock) = sink(&corner, url);
    whole.publish(&event(1)).await.unwrap();
    let passed = proxy.passed();
    let breaks = breaks(passed.to_server, passed.to_client, 8);
    let tries = (2..)
        .zip(breaks)
        .map(|(number, fault)| publish(&corner, number, fault));
    let tries: Vec<bool> = stream::iter(tries).buffer_unordered(16).collect().await;
    let failed = tries.iter().filter(|failed| **failed).count();
    assert!(
        failed * 2 > tries.len(),
        "{failed} of {} lines broke in use",
        tries.len()
    );
    let there: BTreeSet<String> = corner.drain(&corner.queue).await.into_iter().collect();
    for number in (1..).take(tries.len() + 1) {
        assert!(
            there.contains(&event(number).body().unwrap()),
            "{number} is taken for sent and not there"
        );
    }
}

/// Many at once over one line: one failure of the line is one failure, and none waits for the others' attempts.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_over_a_line_that_stalls_ends_in_time_and_goes_out_once_it_is_back() {
    let corner = Corner::with_queue(&BOTH).await;
    for (way, after) in [(Way::ToServer, 100), (Way::ToClient, 600), (Way::ToServer, 1500)] {
        let (proxy, url) = line().await;
        let fault = Fault::Stall;
        proxy.next(Break { fault, way, after });
        let (sink, clock) = sink(&corner, url);
        let sink = Arc::new(sink);
        let crowd = async || {
            let began = Instant::now();
            let tasks: Vec<_> = (1..=20)
                .map(|number| {
                    let sink = Arc::clone(&sink);
                    tokio::spawn(async move { sink.publish(&event(number)).await })
                })
                .collect();
            let mut taken = 0;
            for task in tasks {
                match task.await.unwrap() {
                    Ok(()) => taken += 1,
                    Err(error) => assert_eq!(error.fault, SinkFault::Away, "{error}"),
                }
            }
            assert!(began.elapsed() < ROOM, "{after}: they took {:?}", began.elapsed());
            taken
        };
        assert!(crowd().await < 20, "{after}: the line never stalled");
        // After one failure the next attempt is due after a second.
        clock.advance(Duration::from_secs(1));
        assert_eq!(crowd().await, 20, "{after}");
    }
}

/// A line to the broker on which every byte is late.
async fn late_line(by: Duration) -> String {
    let (proxy, url) = line().await;
    let mut url = url::Url::parse(&url).unwrap();
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    url.set_port(Some(listener.local_addr().unwrap().port())).unwrap();
    tokio::spawn(async move {
        while let Ok((near, _)) = listener.accept().await {
            let far = TcpStream::connect(proxy.address()).await.unwrap();
            let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
            tokio::spawn(late(from_near, to_far, by));
            tokio::spawn(late(from_far, to_near, by));
        }
    });
    url.into()
}

async fn late(mut from: OwnedReadHalf, mut to: OwnedWriteHalf, by: Duration) {
    let (tell, mut told) = mpsc::unbounded_channel();
    tokio::spawn(async move {
        while let Some((at, bytes)) = told.recv().await {
            tokio::time::sleep_until(at).await;
            let bytes: Vec<u8> = bytes;
            let _gone = to.write_all(&bytes).await;
        }
    });
    let mut bytes = vec![0; 16 * 1024];
    while let Ok(read @ 1..) = from.read(&mut bytes).await {
        let at = Instant::now() + by;
        let _gone = tell.send((at, bytes[..read].to_vec()));
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_crowd_over_a_slow_line_waits_for_its_own_confirms_alone() {
    let corner = Corner::with_queue(&BOTH).await;
    // A confirm takes 0.4 s, forty one after another would take sixteen.
    let (sink, _clock) = sink(&corner, late_line(Duration::from_millis(200)).await);
    let sink = Arc::new(sink);
    let began = Instant::now();
    let tasks: Vec<_> = (1..=40)
        .map(|number| {
            let sink = Arc::clone(&sink);
            tokio::spawn(async move { sink.publish(&event(number)).await })
        })
        .collect();
    for task in tasks {
        task.await.unwrap().unwrap();
    }
    assert!(began.elapsed() < ROOM, "they took {:?}", began.elapsed());
    assert_eq!(corner.drain(&corner.queue).await.len(), 40);
}

/// Consumes three messages over a line that breaks.
async fn consume(fault: Option<Break>) -> Proxy {
    let corner = Corner::with_queue(&BOTH).await;
    for number in 1..=3 {
        corner.sink().publish(&event(number)).await.unwrap();
    }
    let (proxy, url) = line().await;
    fault.into_iter().for_each(|fault| proxy.next(fault));
    let heard = Heard::new(|_| Ok(Handled::Applied));
    let settings = corner.settings_at(format!("{url}?heartbeat=1"));
    let running = start(consumer(settings, &corner.queue), &heard);
    let all_heard = async {
        while !(1..=3).all(|number| heard.ids().contains(&number)) {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    let all_heard = tokio::time::timeout(PATIENCE, all_heard).await;
    assert!(all_heard.is_ok(), "{fault:?}: heard {:?} only", heard.ids());
    running.stop().await;
    proxy
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_message_is_handled_wherever_the_line_breaks() {
    let passed = consume(None).await.passed();
    let breaks = breaks(passed.to_server, passed.to_client, 4);
    let tries = breaks.into_iter().map(|fault| consume(Some(fault)));
    let proxies: Vec<Proxy> = stream::iter(tries).buffer_unordered(8).collect().await;
    assert!(proxies.iter().all(|proxy| proxy.passed().connections > 0));
}
