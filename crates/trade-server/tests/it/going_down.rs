//! SIGTERM in the middle of the day: what was begun is finished, what was claimed is free, and nothing keeps the
//! process longer than its patience.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicU32, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode},
};
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, time::timeout};
use trade_core::{SystemClock, port::Clock};
use trade_sandbox::{
    Sandbox, SandboxConfig,
    faults::{Fault, FaultKind},
};
use trade_store::SqlStore;
use trade_testkit::oracle::Rows;
use trade_webhook::{WebhookSecret, verify};

use crate::{
    crowd::{Seen, client, start},
    instances::{agrees, at_rest, free_address, instance_at},
    process::Serving,
    server::{self, Empty, Server},
    world::{keys, payment},
};

const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
/// A net against hanging, nothing more.
const PATIENCE: Duration = Duration::from_secs(180);

/// More than an instance announces at once.
const MORE_THAN_AT_ONCE: usize = 17;

/// An order system that is told over HTTP, and can be made to hold back its answers.
#[derive(Debug)]
struct Receiver {
    holds: AtomicBool,
    /// Rises whenever those that are held are let go.
    round: watch::Sender<u64>,
    in_hand: AtomicU32,
    told: Mutex<Vec<i64>>,
}

/// One that is held, until it is let go or its sender goes away.
struct Held<'a>(&'a AtomicU32);

impl Drop for Held<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::SeqCst);
    }
}

async fn take(State(receiver): State<Arc<Receiver>>, headers: HeaderMap, body: Bytes) -> StatusCode {
    let mut round = receiver.round.subscribe();
    let now = *round.borrow();
    if receiver.holds.load(Ordering::SeqCst) {
        receiver.in_hand.fetch_add(1, Ordering::SeqCst);
        let _held = Held(&receiver.in_hand);
        round.wait_for(|round| *round > now).await.unwrap();
    }
    let secrets = [WebhookSecret::new(SECRET).unwrap()];
    let messages = verify(&headers, &body, &secrets, SystemClock::new().now()).unwrap();
    let ids = messages.iter().map(|message| message.event_id.unwrap().get());
    receiver.told.lock().unwrap().extend(ids);
    StatusCode::NO_CONTENT
}

impl Receiver {
    async fn open() -> (Arc<Self>, Value) {
        let receiver = Arc::new(Self {
            holds: AtomicBool::new(false),
            round: watch::Sender::new(0),
            in_hand: AtomicU32::new(0),
            told: Mutex::default(),
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/payments", listener.local_addr().unwrap());
        let router = Router::new().fallback(take).with_state(Arc::clone(&receiver));
        tokio::spawn(async move { axum::serve(listener, router).await });
        (receiver, json!([{"url": url, "secret": SECRET}]))
    }

    fn let_go(&self) {
        self.round.send_modify(|round| *round += 1);
    }

    fn let_all_go(&self) {
        self.holds.store(false, Ordering::SeqCst);
        self.let_go();
    }
}

/// The events that wait and were never offered: when each is due.
async fn waiting(raw: &DatabaseConnection) -> BTreeMap<i64, i64> {
    let waits = "SELECT event_id, due_at FROM trade_outbox WHERE due_at IS NOT NULL AND attempts = 0";
    let waits = Statement::from_string(raw.get_database_backend(), waits);
    let rows = raw.query_all_raw(waits).await.unwrap();
    let pair = |row: &sea_orm::QueryResult| {
        let [event_id, due_at] = [0, 1].map(|column| row.try_get_by_index(column).unwrap());
        (event_id, due_at)
    };
    rows.iter().map(pair).collect()
}

/// Has the receiver hold events while the instance has claimed more than it announces at once; until when they are
/// claimed.
async fn with_events_claimed(raw: &DatabaseConnection, receiver: &Receiver) -> BTreeMap<i64, i64> {
    receiver.holds.store(true, Ordering::SeqCst);
    loop {
        let (rows, now_ms) = (waiting(raw).await, SystemClock::new().now().ms());
        // The time of a claim is still to come; that of any other event is when it happened.
        let claimed: BTreeMap<_, _> = rows.iter().filter(|row| *row.1 > now_ms).collect();
        let holds = receiver.in_hand.load(Ordering::SeqCst) > 0;
        if holds && claimed.len() >= MORE_THAN_AT_ONCE {
            return claimed.into_iter().map(|(id, until)| (*id, *until)).collect();
        }
        // The next tick claims all that came meanwhile.
        if holds && rows.len() >= 2 * MORE_THAN_AT_ONCE {
            receiver.let_go();
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

/// The `answered` lines of a log about that route: every one is a success.
fn answered_well(log: &str, route: &str) -> usize {
    let route = format!("route=\"{route}");
    let lines: Vec<_> = log
        .lines()
        .filter(|line| line.contains("answered") && line.contains(&route))
        .collect();
    for line in &lines {
        assert!(line.contains("status=20"), "{line}");
    }
    lines.len()
}

/// Channels that take their time, so that there is always something in hand.
async fn slow_channels() -> Arc<Sandbox> {
    let sandbox = Sandbox::start_with_keys(SandboxConfig::default(), keys()).await;
    let sandbox = sandbox.unwrap();
    for operation in ["native", "precreate"] {
        let slow = Fault::new(FaultKind::Delay { delay_ms: 150 }).on(operation);
        sandbox.fault(slow.times(u32::MAX));
    }
    Arc::new(sandbox)
}

async fn told_to_end_under_load(engine: &Server) {
    let (database, sandbox) = (engine.empty().await, slow_channels().await);
    let (receiver, webhook) = Receiver::open().await;
    let address = free_address().await;
    let mut more = json!({
        "store": {"url": database.url(), "acquire_timeout_ms": 60_000},
        "webhook": webhook,
        "jobs": {"interval_ms": 20},
        "server": {"drain_secs": 2},
    });
    let (serving, folder) = instance_at(&address, &address, 1, &sandbox, &more).await;
    let seen = Arc::new(Seen::at(&serving.base));
    let (callers, balancer) = start(&seen, &sandbox);
    let raw = database.outsider().await;
    while seen.answers().len() < 20 {
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    let claimed = with_events_claimed(&raw, &receiver).await;
    serving.terminate();
    balancer.await.unwrap();
    receiver.let_all_go();
    callers.join_all().await;
    let (status, log) = serving.ended().await;
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("stopped") && !log.contains("cut off"), "{log}");
    all_were_answered(&database, &seen, &log).await;
    are_free(&raw, &claimed).await;
    raw.close().await.unwrap();

    more["server"] = json!({});
    drop(folder);
    let orders = i64::try_from(seen.answers().len()).unwrap();
    finished_by_another(&database, &sandbox, &more, orders, &receiver).await;
    database.end().await;
}

/// What was claimed and not announced is due, whatever the time of its claim.
async fn are_free(raw: &DatabaseConnection, claimed: &BTreeMap<i64, i64>) {
    let freed = waiting(raw).await;
    let still: Vec<_> = claimed.iter().filter(|(id, _)| freed.contains_key(id)).collect();
    assert!(!still.is_empty(), "nothing was claimed and not announced");
    for (id, until) in still {
        assert!(freed[id] < *until, "{id} stays claimed until {until}");
    }
}

/// Whatever the instance began was answered, and well; so were the channels.
async fn all_were_answered(database: &Empty, seen: &Seen, log: &str) {
    let answers = seen.answers();
    let bad: Vec<_> = answers
        .iter()
        .filter(|(_, status)| **status != StatusCode::OK)
        .collect();
    assert!(bad.is_empty(), "{bad:?}");
    assert!(seen.was_not_ready(), "it never said that it is not ready");
    assert_eq!(answered_well(log, "/trade/inner/native"), answers.len());
    assert!(answered_well(log, "/trade/open/notify") > 0);
    let store = SqlStore::connect(&database.url()).await.unwrap();
    let rows = Rows::read(&store).await.unwrap();
    for row in rows.tradings() {
        let order = row.product_order_no.get();
        assert!(
            answers.contains_key(&order),
            "order {order} was begun and not answered"
        );
    }
    store.close().await.unwrap();
}

/// A later instance finishes what is left, and everything was announced once.
async fn finished_by_another(
    database: &Empty,
    sandbox: &Sandbox,
    more: &Value,
    orders: i64,
    receiver: &Receiver,
) {
    let address = free_address().await;
    let (later, folder) = instance_at(&address, &address, 2, sandbox, more).await;
    let store = SqlStore::connect(&database.url()).await.unwrap();
    let rows = at_rest(&store, orders).await;
    agrees(sandbox, &rows, &folder.path().join("trade.toml")).await;
    let mut told = receiver.told.lock().unwrap().clone();
    let mut committed: Vec<_> = rows.events().iter().map(|event| event.event_id.get()).collect();
    told.sort_unstable();
    committed.sort_unstable();
    assert_eq!(told, committed, "each event is announced once");
    let (status, log) = later.end().await;
    assert!(status.success(), "{log}");
    store.close().await.unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn told_to_end_under_load_it_answers_all_it_took_and_frees_what_it_claimed() {
    for engine in server::all() {
        let whole = timeout(PATIENCE, told_to_end_under_load(&engine));
        whole.await.expect("it hangs");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_request_that_never_ends_keeps_the_process_no_longer_than_its_patience() {
    let sandbox = Sandbox::start_with_keys(SandboxConfig::default(), keys())
        .await
        .unwrap();
    let stalls = Fault::new(FaultKind::Delay { delay_ms: 170_000 }).on("native");
    let stalls = sandbox.fault(stalls.times(u32::MAX));
    let address = free_address().await;
    let more = json!({"server": {"shutdown_secs": 1}});
    let (serving, folder) = instance_at(&address, &address, 1, &sandbox, &more).await;
    let ask = |base: &str| {
        let request = client().post(format!("{base}/trade/inner/native"));
        request.json(&payment("WECHAT_PAY", 1)).send()
    };
    let unanswered = tokio::spawn(ask(&serving.base));
    let store = SqlStore::open(folder.path().join("trade.db")).await.unwrap();
    let begun = async {
        while Rows::read(&store).await.unwrap().tradings().count() == 0 {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(PATIENCE, begun).await.expect("it is begun");
    store.close().await.unwrap();
    let (status, log) = timeout(PATIENCE, serving.end()).await.expect("it ends");
    assert_eq!(status.code(), Some(0), "{log}");
    assert!(log.contains("did not end in time and were cut off"), "{log}");
    let answer = unanswered.await.unwrap();
    assert!(answer.is_err(), "it was answered first: {answer:?}");

    // The next start finishes what was cut off, under the same number.
    sandbox.withdraw_fault(stalls);
    let again = Serving::start(&folder.path().join("trade.toml")).await;
    let answered = async {
        while ask(&again.base).await.unwrap().status() != StatusCode::OK {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    timeout(PATIENCE, answered).await.expect("it is answered");
    assert_eq!(sandbox.ledger().orders.len(), 1);
    assert!(again.end().await.0.success());
}
