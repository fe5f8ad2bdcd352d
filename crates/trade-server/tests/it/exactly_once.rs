//! Two instances at work on one database and one broker: whoever does what, every event is in the queue once.
//! And one of them is killed with an event in its hand.

use std::{
    collections::{BTreeMap, BTreeSet},
    time::Duration,
};

use axum::http::StatusCode;
use lapin::{Connection, ConnectionProperties, options::BasicGetOptions};
use reqwest::Client;
use sea_orm::{ConnectionTrait, DatabaseConnection, Statement};
use serde_json::{Value, json};
use tokio::time::timeout;
use trade_core::TradeStatusMsg;
use trade_sandbox::{Sandbox, SandboxConfig};
use trade_server::wire::Environment;
use trade_store::SqlStore;
use trade_testkit::{
    oracle::Rows,
    proxy::{Line, Proxy},
};

use crate::{
    broker::{self, Post},
    instances::{agrees, at_rest, free_address, instance_at},
    outer_jobs::{TOKEN, with_token},
    process::Serving,
    server::{self, Server},
    world::{World, bank, keys, payment},
};

/// A net against hanging, nothing more.
const PATIENCE: Duration = Duration::from_secs(240);
/// Orders of a round; rounds go on until both instances had work of every kind.
const ROUND: i64 = 16;

/// Everything that is in the queue, taken out of it.
async fn emptied(post: &Post) -> Vec<TradeStatusMsg> {
    let connected = Connection::connect(&post.settings.url, ConnectionProperties::default()).await;
    let connection = connected.unwrap();
    let channel = connection.create_channel().await.unwrap();
    let mut messages = Vec::new();
    let taken = BasicGetOptions { no_ack: true };
    while let Some(got) = channel
        .basic_get(post.queue.as_str().into(), taken)
        .await
        .unwrap()
    {
        let batch: Vec<TradeStatusMsg> = serde_json::from_slice(&got.delivery.data).unwrap();
        messages.extend(batch);
    }
    connection.close(200, "done".into()).await.unwrap();
    messages
}

/// The samples of an instance's metrics whose name begins so, added up.
async fn total(http: &Client, base: &str, name: &str) -> u64 {
    let metrics = http.get(format!("{base}/metrics")).send().await.unwrap();
    let text = metrics.text().await.unwrap();
    let samples = text.lines().filter(|line| line.starts_with(name));
    let count = |line: &str| line.rsplit(' ').next().unwrap().parse::<u64>().unwrap();
    samples.map(count).sum()
}

/// What each of two instances has done so far.
async fn work_of(http: &Client, bases: &[String; 2], name: &str) -> [u64; 2] {
    [
        total(http, &bases[0], name).await,
        total(http, &bases[1], name).await,
    ]
}

const NOTICES: &str = "trade_notices_taken_total{";
const ANNOUNCED: &str = "trade_job_rows_total{job=\"relay_events\",outcome=\"changed\"}";

/// Two instances, each told of the payments that were begun at the other.
async fn pair(sandbox: &Sandbox, more: &Value) -> [(Serving, tempfile::TempDir); 2] {
    let (one, other) = (free_address().await, free_address().await);
    [
        instance_at(&one, &other, 1, sandbox, more).await,
        instance_at(&other, &one, 2, sandbox, more).await,
    ]
}

/// Orders are created at the instances in turn, and paid.
async fn buy(http: &Client, sandbox: &Sandbox, bases: &[String; 2], orders: std::ops::RangeInclusive<i64>) {
    for order in orders {
        let place = usize::try_from(order).unwrap();
        let channel = ["WECHAT_PAY", "ALI_PAY"][place / 2 % 2];
        let url = format!("{}/trade/inner/native", bases[place % 2]);
        let answer = http
            .post(url)
            .json(&payment(channel, order))
            .send()
            .await
            .unwrap();
        assert_eq!(answer.status(), StatusCode::OK);
        let created: Value = answer.json().await.unwrap();
        let number = created["tradingOrderNo"].as_str().unwrap();
        sandbox.pay(bank(channel), number).unwrap();
    }
}

/// The queue holds each committed event once, and of each order that it is paid once.
fn each_is_there_once(rows: &Rows, messages: &[TradeStatusMsg], orders: i64) {
    let ids: BTreeSet<_> = messages
        .iter()
        .map(|message| message.event_id.unwrap().get())
        .collect();
    let committed: BTreeSet<_> = rows.events().iter().map(|event| event.event_id.get()).collect();
    assert_eq!(ids, committed);
    assert_eq!(messages.len(), committed.len(), "an event is in the queue twice");
    let mut settled = BTreeMap::new();
    for message in messages.iter().filter(|message| message.status_name == "YJS") {
        *settled.entry(message.product_order_no.get()).or_insert(0) += 1;
    }
    assert_eq!(settled, (1..=orders).map(|order| (order, 1)).collect());
}

async fn each_event_once(engine: &Server, broker: &str) {
    let database = engine.empty().await;
    let post = Post::at(broker);
    post.declare().await;
    let sandbox = Sandbox::start_with_keys(SandboxConfig::default(), keys())
        .await
        .unwrap();
    let more = json!({
        "store": {"url": database.url(), "acquire_timeout_ms": 60_000},
        "rabbitmq": {"url": broker, "exchange": post.settings.exchange},
        "jobs": {"interval_ms": 20},
    });
    let [(first, folder), (second, _other_folder)] = pair(&sandbox, &more).await;
    let bases = [first.base.clone(), second.base.clone()];
    let http = Client::builder().no_proxy().build().unwrap();
    let store = SqlStore::connect(&database.url()).await.unwrap();
    let mut orders = 0;
    let rows = loop {
        buy(&http, &sandbox, &bases, orders + 1..=orders + ROUND).await;
        orders += ROUND;
        let rows = at_rest(&store, orders).await;
        let notices = work_of(&http, &bases, NOTICES).await;
        let announced = work_of(&http, &bases, ANNOUNCED).await;
        assert_eq!(
            announced.iter().sum::<u64>(),
            u64::try_from(rows.events().len()).unwrap()
        );
        if !notices.contains(&0) && !announced.contains(&0) {
            break rows;
        }
    };
    agrees(&sandbox, &rows, &folder.path().join("trade.toml")).await;
    each_is_there_once(&rows, &emptied(&post).await, orders);
    for instance in [first, second] {
        let (status, log) = instance.end().await;
        assert!(status.success(), "{log}");
    }
    store.close().await.unwrap();
    database.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn two_instances_announce_each_event_exactly_once() {
    let Some(broker) = broker::url() else {
        return;
    };
    for engine in server::all() {
        let whole = timeout(PATIENCE, each_event_once(&engine, &broker));
        whole.await.expect("it hangs");
    }
}

/// The broker's address by way of a proxy.
async fn by_way_of_a_proxy(broker: &str) -> (Proxy, String) {
    let host = broker.rsplit('@').next().unwrap().split('/').next().unwrap();
    let proxy = Proxy::start(host).await;
    let url = broker.replacen(host, &proxy.address().to_string(), 1);
    (proxy, url)
}

/// The one event of the database that waits: its id, when it is due, and when it happened.
async fn the_event(raw: &DatabaseConnection) -> Option<[i64; 3]> {
    let waits =
        "SELECT event_id, due_at, occurred_at FROM trade_outbox WHERE due_at IS NOT NULL AND attempts = 0";
    let waits = Statement::from_string(raw.get_database_backend(), waits);
    let row = raw.query_one_raw(waits).await.unwrap()?;
    Some([0, 1, 2].map(|column| row.try_get_by_index(column).unwrap()))
}

/// Waits until the event is claimed: which, and until when.
async fn until_claimed(raw: &DatabaseConnection) -> (i64, i64) {
    loop {
        let [id, due_at, happened_at] = the_event(raw).await.expect("the broker hears nothing");
        if due_at > happened_at {
            return (id, due_at);
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

/// An instance that relays when it is told to.
async fn standing_by(url: &str, broker: &str, exchange: &str) -> World {
    let more = [
        ("store", "url", url),
        ("rabbitmq", "url", broker),
        ("rabbitmq", "exchange", exchange),
        ("jobs", "enabled", "false"),
        ("admin", "token", TOKEN),
    ];
    World::set(&more, Environment::default().decorate).await
}

/// The victim is a process of its own; the survivor lives here, so that its time can be told.
async fn killed_with_an_event_in_hand(engine: &Server, broker: &str) {
    let database = engine.empty().await;
    let post = Post::at(broker);
    post.declare().await;
    let (url, exchange) = (database.url(), post.settings.exchange.clone());
    let survivor = standing_by(&url, broker, &exchange).await;
    let raw = database.outsider().await;
    let (proxy, by_proxy) = by_way_of_a_proxy(broker).await;
    let more = json!({
        "store": {"url": url},
        "rabbitmq": {"url": by_proxy, "exchange": exchange},
        "jobs": {"interval_ms": 20},
    });
    let address = free_address().await;
    let (mut victim, _folder) = instance_at(&address, &address, 1, &survivor.sandbox, &more).await;
    // Its broker says nothing from now on: it keeps in hand what it claims.
    proxy.set(Line::Silent).await;
    survivor.paid("WECHAT_PAY", 1).await;
    let (id, claimed_until) = timeout(PATIENCE, until_claimed(&raw)).await.unwrap();
    victim.kill();
    let (status, log) = victim.ended().await;
    assert_eq!(status.code(), None, "{log}");

    let relay = async || with_token(&survivor, "jobs/relay_events").await.1["changed"].clone();
    let before = u64::try_from(claimed_until - survivor.sandbox.now_ms() - 1).unwrap();
    survivor.advance(Duration::from_millis(before));
    assert_eq!(relay().await, 0, "it is claimed for a millisecond more");
    let [still, due_at, _] = the_event(&raw).await.expect("it waits");
    assert_eq!((still, due_at), (id, claimed_until));
    survivor.advance(Duration::from_millis(1));
    assert_eq!(relay().await, 1);
    let told: Vec<_> = emptied(&post)
        .await
        .iter()
        .map(|message| message.event_id.unwrap().get())
        .collect();
    assert_eq!(told, [id]);
    raw.close().await.unwrap();
    drop(survivor.stop().await);
    database.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_event_in_the_hand_of_a_killed_instance_is_announced_by_another() {
    let Some(broker) = broker::url() else {
        return;
    };
    for engine in server::all() {
        killed_with_an_event_in_hand(&engine, &broker).await;
    }
}
