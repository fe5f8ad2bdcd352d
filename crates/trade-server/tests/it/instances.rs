//! Two instances as processes on one database and one broker, and one of them is killed in the middle of its work.

use std::{
    collections::{BTreeMap, BTreeSet},
    env,
    path::Path,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use axum::http::StatusCode;
use futures_util::{StreamExt, stream};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::watch, task::JoinHandle, time::Instant};
use trade_core::{ProductAppId, SystemClock, TradeStatusMsg, TradingState};
use trade_mq::{Consumer, ConsumerSettings, Handled, ListenError, Listener};
use trade_sandbox::{Sandbox, SandboxConfig};
use trade_store::SqlStore;
use trade_testkit::oracle::{self, Promises, Rows};

use crate::{
    books::truth,
    broker::{self, Post},
    process::{Serving, trade},
    server::{self, Server},
    world::{World, bank, keys, payment, settings},
};

const ORDERS: i64 = 40;
/// After so many orders one instance is killed.
const BEFORE: i64 = 20;
const PATIENCE: Duration = Duration::from_secs(180);

/// What an order system hears.
#[derive(Clone, Default)]
struct Heard(Arc<Mutex<Vec<TradeStatusMsg>>>);

#[async_trait]
impl Listener for Heard {
    async fn on_message(&self, message: &TradeStatusMsg) -> Result<Handled, ListenError> {
        self.0.lock().unwrap().push(message.clone());
        Ok(Handled::Applied)
    }
}

/// The shop: two instances, of which the first may be gone.
struct Shop {
    sandbox: Sandbox,
    http: Client,
    bases: [String; 2],
}

impl Shop {
    /// Asks instance `first`, or the other one when it does not answer; as a client behind a balancer does.
    async fn post(&self, first: usize, path: &str, key: &str, body: &Value) -> Value {
        let limit = Instant::now() + PATIENCE;
        let mut at = first;
        loop {
            let url = format!("{}{path}", self.bases[at % 2]);
            let sent = self
                .http
                .post(url)
                .header("idempotency-key", key)
                .json(body)
                .send()
                .await;
            let answer = match sent {
                Ok(response) => (Some(response.status()), response.json().await.unwrap_or_default()),
                Err(error) => (None, Value::String(error.to_string())),
            };
            if answer.0 == Some(StatusCode::OK) {
                return answer.1;
            }
            assert!(Instant::now() < limit, "{path} {body}: {answer:?}");
            at += 1;
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// An order's whole way, its requests going to both instances in turn.
    async fn buy(&self, order: i64) {
        let first = usize::try_from(order).unwrap();
        let channels = ["WECHAT_PAY", "ALI_PAY"];
        let mut channel = channels[first / 2 % 2];
        let pay = |channel, change| {
            let mut body = payment(channel, order);
            body["changeChannel"] = json!(change);
            body
        };
        let path = "/trade/inner/native";
        let mut created = self
            .post(first, path, &format!("create-{order}"), &pay(channel, false))
            .await;
        if order % 4 == 0 {
            channel = channels[(first / 2 + 1) % 2];
            created = self
                .post(first + 1, path, &format!("switch-{order}"), &pay(channel, true))
                .await;
        }
        let number = created["tradingOrderNo"]
            .as_str()
            .unwrap_or_else(|| panic!("{created}"));
        self.sandbox.pay(bank(channel), number).unwrap();
        if order % 5 == 0 {
            self.until_settled(number).await;
            let part = World::part(&format!("r-{order}"), number, "5.00");
            self.post(
                first + 1,
                "/trade/inner/refunds",
                &format!("refund-{order}"),
                &part,
            )
            .await;
        }
    }

    async fn until_settled(&self, number: &str) {
        let limit = Instant::now() + PATIENCE;
        for at in 0_usize.. {
            let url = format!("{}/trade/inner/tradings/{number}", self.bases[at % 2]);
            if let Ok(answer) = self.http.get(url).send().await {
                let row: Value = answer.json().await.unwrap_or_default();
                if row["state"] == "settled" {
                    return;
                }
            }
            assert!(Instant::now() < limit, "{number} was paid and is not settled");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    }
}

/// An address nobody listens on now.
pub(crate) async fn free_address() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    listener.local_addr().unwrap().to_string()
}

pub(crate) fn redis_url() -> String {
    env::var("REDIS_URL").unwrap_or_else(|_| "redis://127.0.0.1:6379/0".into())
}

/// Starts an instance. The channels send their notices for its tradings to itself.
async fn instance(node: i64, sandbox: &Sandbox, more: &Value) -> (Serving, tempfile::TempDir) {
    let address = free_address().await;
    instance_at(&address, &address, node, sandbox, more).await
}

/// Starts an instance at an address. The channels send their notices for its tradings to another.
pub(crate) async fn instance_at(
    address: &str,
    notified: &str,
    node: i64,
    sandbox: &Sandbox,
    more: &Value,
) -> (Serving, tempfile::TempDir) {
    let folder = tempfile::tempdir().unwrap();
    let kit = sandbox.merchant();
    let (wechat, alipay) = (&kit.wechat.base_url, &kit.alipay.gateway_url);
    let notified = format!("http://{notified}");
    let text = settings(sandbox, &notified, wechat, alipay, folder.path());
    let mut table: toml::Table = text.parse().unwrap();
    let own = toml::Table::try_from(json!({"listen": address, "node": node, "drain_secs": 0})).unwrap();
    table.insert("server".into(), own.into());
    for (section, value) in toml::Table::try_from(more).unwrap() {
        match (table.get_mut(&section), value) {
            (Some(toml::Value::Table(there)), toml::Value::Table(more)) if section == "server" => {
                there.extend(more);
            }
            (_, value) => {
                table.insert(section, value);
            }
        }
    }
    let file = folder.path().join("trade.toml");
    std::fs::write(&file, table.to_string()).unwrap();
    (Serving::start(&file).await, folder)
}

/// So many orders are settled, and everything is refunded and announced; waits for it.
pub(crate) async fn at_rest(store: &SqlStore, orders: i64) -> Rows {
    let limit = Instant::now() + PATIENCE;
    loop {
        let rows = Rows::read(store).await.unwrap();
        let winners = rows
            .tradings()
            .filter(|row| row.state == TradingState::Settled)
            .count();
        let open = rows.tradings().filter(|row| row.state.is_live()).count();
        let running = rows.refunds().filter(|row| !row.state.is_final()).count();
        if (i64::try_from(winners).unwrap(), open, running, rows.unsent()) == (orders, 0, 0, 0) {
            return rows;
        }
        let state = format!(
            "{winners} settled, {open} open, {running} refunds run, {} unsent",
            rows.unsent()
        );
        assert!(Instant::now() < limit, "{state}");
        tokio::time::sleep(Duration::from_millis(200)).await;
    }
}

/// So many events of one order system an instance has in hand at the most.
const IN_HAND: usize = 16;

/// What was heard is what was committed: every event, in the order of its order, and at most those that the killed
/// instance had in hand twice.
fn heard_all(rows: &Rows, heard: &[TradeStatusMsg]) {
    let ids = |messages: &[TradeStatusMsg]| {
        messages
            .iter()
            .map(|it| it.event_id.unwrap().get())
            .collect::<Vec<_>>()
    };
    let told: BTreeSet<_> = ids(heard).into_iter().collect();
    let committed: BTreeSet<_> = rows.events().iter().map(|event| event.event_id.get()).collect();
    assert_eq!(told, committed);
    assert!(
        heard.len() <= committed.len() + IN_HAND,
        "{} of {}",
        heard.len(),
        committed.len()
    );
    let mut last = BTreeMap::new();
    for message in heard {
        let seq = message.seq.unwrap();
        let before = last.insert(message.product_order_no, seq).unwrap_or(0);
        assert!(
            seq == before + 1 || seq == before,
            "order {:?}: {before}, then {seq}",
            message.product_order_no
        );
    }
}

/// An order system's listener on an exchange of its own.
struct Listening {
    post: Post,
    heard: Heard,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Listening {
    async fn start(broker: &str) -> Self {
        let post = Post::at(broker);
        post.declare().await;
        let heard = Heard::default();
        let apps = [ProductAppId::new("jzo2o.orders").unwrap()];
        let consumer = ConsumerSettings::new(post.settings.clone(), &post.queue, apps);
        let (listener, clock) = (Arc::new(heard.clone()), Arc::new(SystemClock::new()));
        let consumer = Consumer::new(consumer, listener, clock).unwrap();
        let (stop, signal) = watch::channel(false);
        let task = tokio::spawn(async move { consumer.run(signal).await });
        Self {
            post,
            heard,
            stop,
            task,
        }
    }

    /// What was heard, once it is so many messages; then nobody listens any more.
    async fn end(self, count: usize) -> Vec<TradeStatusMsg> {
        let limit = Instant::now() + PATIENCE;
        while self.heard.0.lock().unwrap().len() < count {
            assert!(Instant::now() < limit, "not everything was heard");
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        self.stop.send(true).unwrap();
        self.task.await.unwrap();
        self.heard.0.lock().unwrap().clone()
    }
}

/// What is kept agrees with the channels' books, and `trade audit` says so, too.
pub(crate) async fn agrees(sandbox: &Sandbox, rows: &Rows, config: &Path) {
    let promises = Promises {
        announced: rows.events().iter().map(|event| event.event_id.get()).collect(),
        ..Promises::default()
    };
    let truth = truth(&sandbox.ledger(), sandbox.now_ms());
    let faults = oracle::always(rows, &truth, &promises);
    assert!(faults.is_empty(), "{faults:#?}");
    let mut audit = trade(&["audit"], config);
    let audit = tokio::task::spawn_blocking(move || audit.output().unwrap())
        .await
        .unwrap();
    assert!(audit.status.success(), "{audit:?}");
}

async fn killed_in_the_middle(engine: &Server, broker: &str) {
    let database = engine.empty().await;
    let name = database.url().rsplit('/').next().unwrap().to_owned();
    let listening = Listening::start(broker).await;
    let sandbox = Sandbox::start_with_keys(SandboxConfig::default(), keys())
        .await
        .unwrap();
    let more = json!({
        "store": {"url": database.url()},
        "rabbitmq": {"url": broker, "exchange": listening.post.settings.exchange},
        "redis": {"url": redis_url(), "prefix": name},
        "jobs": {"interval_ms": 50},
    });
    let (mut first, _first_folder) = instance(1, &sandbox, &more).await;
    let (second, second_folder) = instance(2, &sandbox, &more).await;
    let http = Client::builder().no_proxy().timeout(Duration::from_secs(20));
    let shop = Shop {
        sandbox,
        http: http.build().unwrap(),
        bases: [first.base.clone(), second.base.clone()],
    };
    // Killed while orders are under way, at no chosen moment.
    let mut bought = stream::iter(1..=ORDERS)
        .map(|order| shop.buy(order))
        .buffer_unordered(8);
    for done in 1..=ORDERS {
        bought.next().await.unwrap();
        if done == BEFORE {
            first.kill();
        }
    }
    drop(bought);

    let store = SqlStore::connect(&database.url()).await.unwrap();
    let rows = at_rest(&store, ORDERS).await;
    agrees(&shop.sandbox, &rows, &second_folder.path().join("trade.toml")).await;
    heard_all(&rows, &listening.end(rows.events().len()).await);
    let (status, log) = second.end().await;
    assert!(status.success(), "{log}");
    store.close().await.unwrap();
    database.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn when_one_of_two_instances_is_killed_the_other_finishes_its_work() {
    let Some(broker) = broker::url() else {
        return;
    };
    for engine in server::all() {
        killed_in_the_middle(&engine, &broker).await;
    }
}
