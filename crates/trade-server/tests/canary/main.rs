//! Secrets stay in: each setting that is one holds text found nowhere else, the server does everything it can
//! do and fails in every way at hand, and the text must not turn up in its log at the most talkative level,
//! its answers, its metrics, its events, its errors, or its database.
//!
//! A program of its own, since the log and the hook for panics are the whole process's; what else is said of
//! the log is tested here, too, where no other test runs without one.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::unwrap_in_result,
    clippy::as_conversions,
    clippy::string_slice,
    reason = "a test fails by panicking"
)]

#[path = "../common/clock.rs"]
mod clock;
mod found;
#[path = "../common/kept.rs"]
mod kept;
mod logs;
#[path = "../common/merchant.rs"]
mod merchant;
#[path = "../../../trade-store/tests/it/server.rs"]
#[allow(dead_code, reason = "the store's own tests use all of it")]
mod server;
#[path = "../it/world.rs"]
#[allow(dead_code, reason = "the other tests use all of it")]
mod world;

use std::{
    env, panic,
    path::Path,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::{Method, StatusCode};
use sea_orm::{ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, Statement};
use tokio::net::TcpListener;
use tracing_subscriber::{EnvFilter, util::SubscriberInitExt};
use trade_core::port::{StoreError, TradeStore};
use trade_sandbox::faults::{Fault, FaultKind};
use trade_server::{
    config::{LogFormat, Settings},
    serve, telemetry,
    wire::{Decorate, Environment},
};
use trade_testkit::{
    gated::{Gate, GatedStore, Operation},
    proxy::{Line, Proxy},
};

use self::{
    found::Canaries,
    kept::Kept,
    world::{Tapped, World, bank, payment},
};

const DATABASE: &str = "canary-db-7c1f20ab94e3";
const BROKER: &str = "canary-mq-51d0aa83fe27";
const REDIS: &str = "canary-redis-e4a91b07c6d2";
const TOKEN: &str = "canary-token-0f6e2b9d41c8a7753e19";
const PANIC: &str = "canary-panic-88b2c6f01d4e";
const ENCRYPT: &str = "canary-encrypt-3b7f19ce05";
const HEADER: &str = "canary-header-a8d7c2f3b961";

const WEBHOOK: &str = "canary-url-2c9e60d7b1f4";
const SECRETS: [&str; 2] = [
    "whsec_Y2FuYXJ5LXdlYmhvb2stNWUwYjkxZjdkMw==",
    "whsec_Y2FuYXJ5LWJlZm9yZS0zYzhkMmE2MTQwYmU=",
];

/// Panics with a secret in its message, once it is told to.
#[derive(Debug, Clone, Default)]
struct Panicking(Arc<AtomicBool>);

impl Gate for Panicking {
    async fn pass<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let here = operation.name == "TradingStore::list_tradings" && self.0.load(Ordering::SeqCst);
        assert!(!here, "{PANIC}");
        call.await
    }
}

impl Decorate for Panicking {
    fn store(&self, store: Arc<dyn TradeStore>) -> Arc<dyn TradeStore> {
        Arc::new(GatedStore::new(store, self.clone()))
    }
}

/// A line to a broker that knows nobody of that name and password; none where there is no broker. It is down at first,
/// since a server that is not let in at the start does not start.
async fn broker() -> Option<Proxy> {
    if env::var_os("TRADE_TEST_EMBEDDED").is_some() {
        return None;
    }
    let told = env::var("RABBITMQ_URL").unwrap_or_else(|_| "amqp://guest:guest@127.0.0.1:5672/%2f".into());
    let host = told.rsplit('@').next().unwrap().split('/').next().unwrap();
    let proxy = Proxy::start(host.to_owned()).await;
    proxy.set(Line::Cut).await;
    Some(proxy)
}

/// Has the broker refuse the server, which is tried for until then, and tells of it in the log.
async fn refused_by(broker: &Proxy, log: &Kept) {
    let refusals = || log.text().matches("ACCESS_REFUSED").count();
    let before = refusals();
    broker.set(Line::Open).await;
    let refused = async {
        while refusals() == before {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    let refused = tokio::time::timeout(Duration::from_secs(60), refused).await;
    refused.expect("the broker refuses the server");
}

/// An order system that takes nothing, and the settings that send it everything.
async fn webhook() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let host = listener.local_addr().unwrap();
    let refuses = axum::Router::new().fallback(async || (StatusCode::BAD_GATEWAY, "nobody is in"));
    tokio::spawn(async move { axum::serve(listener, refuses).await });
    let [secret, previous] = SECRETS;
    format!(
        "[[webhook]]\nurl = \"http://shop:{WEBHOOK}@{host}/{WEBHOOK}?token={WEBHOOK}\"\nsecret = \"{secret}\"\n\
         previous_secret = \"{previous}\"\n"
    )
}

/// The same database for a user with a secret password.
fn with_password(url: &str) -> String {
    let (scheme, rest) = url.split_once("://").unwrap();
    let (user, host) = rest.split_once('@').unwrap();
    let user = match scheme {
        "mysql" => guest(),
        // A server that trusts this machine does not look at the password.
        _ => user.split(':').next().unwrap().to_owned(),
    };
    format!("{scheme}://{user}:{DATABASE}@{host}")
}

/// Whom MySQL or MariaDB, which look at passwords, let in by the secret one.
fn guest() -> String {
    format!("canary_{}", std::process::id())
}

/// Has that guest come, or go. What this connection asks for is not logged.
async fn at_the_door(host: &DatabaseConnection, come: bool) {
    if host.get_database_backend() == DatabaseBackend::MySql {
        // Who comes from this machine may be taken for somebody of `localhost` first.
        for place in ["%", "localhost"] {
            let who = format!("'{}'@'{place}'", guest());
            let commands = if come {
                vec![
                    format!("CREATE USER {who} IDENTIFIED BY '{DATABASE}'"),
                    format!("GRANT ALL ON *.* TO {who}"),
                ]
            } else {
                vec![format!("DROP USER {who}")]
            };
            for command in commands {
                host.execute_unprepared(&command).await.unwrap();
            }
        }
    }
}

/// Everything an operator, an order system, a payer, a channel and a stranger do, right and wrong. Every
/// answer is kept.
async fn drive(world: &World, log: &Kept, answers: &Kept, panicking: &Panicking) {
    let mut numbers = Vec::new();
    for (channel, order) in ["WECHAT_PAY", "ALI_PAY"].into_iter().zip(1..) {
        let number = world.paid(channel, order).await;
        let (status, refund) = world
            .post(
                "/trade/inner/refunds",
                &World::part(&format!("r-{order}"), &number, "5.00"),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{refund}");
        for kind in [FaultKind::Garbage, FaultKind::DropAfter, FaultKind::BadSignature] {
            world.sandbox.fault(Fault::new(kind).at(bank(channel)));
            let (_, body) = world
                .post("/trade/inner/native", &payment(channel, order + 100))
                .await;
            answers.add(&body.to_string());
        }
        numbers.push(number);
    }
    wrong_things(world, answers, &numbers[0]).await;
    panicking.0.store(true, Ordering::SeqCst);
    let path = "/trade/inner/tradings?productOrderNo=1";
    let status = ask(world, answers, Method::GET, path, "").await;
    assert_eq!(status, StatusCode::INTERNAL_SERVER_ERROR, "it panicked");
    panicking.0.store(false, Ordering::SeqCst);
    let events = world.announced().await;
    assert!(!events.is_empty());
    for event in events {
        answers.add(&event.body().unwrap());
    }
    // The broker does not let us in, which the relay tells with every event.
    // The receiver refuses them, which is the louder word.
    let (told, why) = ("event refused", "nobody is in");
    for _ in 0..6000 {
        let text = log.text();
        if text.contains(told) && text.contains(why) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("the relay never said: {told}: {why}");
}

/// Notices that are cut off, every kind of page, and bodies that are none.
async fn wrong_things(world: &World, answers: &Kept, order: &str) {
    let genuine = world.tapped().await;
    for end in [0, 1, genuine.body.len() / 2, genuine.body.len() - 1] {
        let body = genuine.body[..end].to_vec();
        let cut = Tapped {
            body,
            ..genuine.clone()
        };
        assert!(world.send(&cut).await.is_client_error(), "cut at {end}");
    }
    world.advance(Duration::from_secs(61));
    for path in [
        "/metrics",
        "/livez",
        "/readyz",
        "/nowhere",
        "/trade/admin/stuck",
        "/trade/inner/refunds?tradingOrderNo=x",
        "/trade/inner/tradings?productOrderNo=1",
        "/trade/inner/tradings/5",
        "/trade/inner/tradings?limit=x",
        &format!("/trade/inner/tradings/{order}"),
        &format!("/trade/inner/tradings/{order}/timeline"),
        &format!("/trade/inner/tradings/{order}/history"),
        &format!("/trade/inner/refunds?tradingOrderNo={order}"),
    ] {
        ask(world, answers, Method::GET, path, "").await;
    }
    for body in [
        "",
        "{",
        "[]",
        "{\"tradingAmount\": 1e99}",
        "{\"enterpriseId\": \"\u{0}\"}",
        "\u{fffd}",
    ] {
        for path in [
            "/trade/inner/native",
            "/trade/inner/refunds",
            "/trade/open/notify/wx/1001",
        ] {
            ask(world, answers, Method::POST, path, body).await;
        }
    }
    let job = "/trade/admin/jobs/relay_events";
    ask(world, answers, Method::POST, job, "").await;
}

/// Asks with a secret in the headers where callers carry one, once rightly and once not.
async fn ask(world: &World, answers: &Kept, method: Method, path: &str, body: &str) -> StatusCode {
    let mut status = StatusCode::OK;
    for token in [HEADER, TOKEN] {
        let url = format!("{}{path}", world.base);
        let request = world.http.request(method.clone(), url).body(body.to_owned());
        let answer = request.bearer_auth(token).send().await.unwrap();
        status = answer.status();
        answers.add(&format!("{:?}", answer.headers()));
        answers.add(&answer.text().await.unwrap());
    }
    status
}

/// What the errors say of a server that does not start.
async fn refusals(world: &World, answers: &Kept) {
    let text = std::fs::read_to_string(&world.settings).unwrap();
    let mut wrong = vec![text.replace("private_key = \"", &format!("private_key = \"{ENCRYPT}"))];
    let mut encrypted: toml::Table = text.parse().unwrap();
    encrypted["merchant"][0]["alipay"]
        .as_table_mut()
        .unwrap()
        .insert("encrypt_key".into(), ENCRYPT.into());
    wrong.push(encrypted.to_string());
    wrong.push(text.replace("amqp://", "http://"));
    wrong.push(text.replace("whsec_", "whsec"));
    wrong.push(text.replace("http://shop", "ftp://shop"));
    wrong.push(text.replace("@127.0.0.1", "@orders.example.com"));
    wrong.push(format!("{text}\nencrypt_key = \"{ENCRYPT}\""));
    for url in server::all().iter().map(server::Server::as_stranger) {
        let mut table: toml::Table = text.parse().unwrap();
        let url = url.replace("hunter2", DATABASE);
        table["store"]
            .as_table_mut()
            .unwrap()
            .insert("url".into(), url.into());
        wrong.push(table.to_string());
    }
    for (number, text) in wrong.into_iter().enumerate() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let error: Box<dyn std::error::Error> = match Settings::from_toml(&text) {
            Err(error) => Box::new(error),
            Ok(settings) => {
                answers.add(&format!("{settings:?}"));
                let started = serve::start(&settings, listener, Environment::default()).await;
                Box::new(started.err().unwrap_or_else(|| panic!("settings {number} work")))
            }
        };
        let mut cause: Option<&dyn std::error::Error> = Some(&*error);
        while let Some(error) = cause {
            answers.add(&format!("{error} {error:?}"));
            cause = error.source();
        }
        answers.add(&as_a_program(&world.settings, &text).await);
    }
}

/// What the real binary says, at the most talkative level, before it ends.
async fn as_a_program(beside: &Path, settings: &str) -> String {
    let file = beside.with_file_name("wrong.toml");
    std::fs::write(&file, settings).unwrap();
    let mut command = Command::new(env!("CARGO_BIN_EXE_trade"));
    command
        .args(["serve", "--config"])
        .arg(&file)
        .env("RUST_LOG", "trace");
    let ran = tokio::task::spawn_blocking(move || command.output())
        .await
        .unwrap()
        .unwrap();
    assert!(!ran.status.success(), "these settings cannot work");
    let said = [ran.stdout, ran.stderr].concat();
    assert!(!said.is_empty());
    String::from_utf8_lossy(&said).into_owned()
}

/// The first column of what is asked for.
async fn column(database: &DatabaseConnection, question: &str) -> Vec<String> {
    let question = Statement::from_string(database.get_database_backend(), question);
    let rows = database.query_all_raw(question).await.unwrap();
    rows.iter().map(|row| row.try_get_by_index(0).unwrap()).collect()
}

/// Every row of every table, as text.
async fn dump(url: &str) -> String {
    let database = Database::connect(url).await.unwrap();
    // For each table the question that has its rows as text.
    let questions = match database.get_database_backend() {
        DatabaseBackend::Postgres => {
            "SELECT 'SELECT t::text FROM \"' || tablename || '\" t' FROM pg_tables WHERE schemaname = 'public'"
        }
        _ => {
            "SELECT CONVERT(CONCAT('SELECT CONVERT(CONCAT_WS(''|'', ', \
             GROUP_CONCAT('`', COLUMN_NAME, '`'), ') USING utf8mb4) FROM `', TABLE_NAME, '`') USING utf8mb4) \
             FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = DATABASE() GROUP BY TABLE_NAME"
        }
    };
    let mut text = String::new();
    for question in column(&database, questions).await {
        text.extend(column(&database, &question).await);
    }
    database.close().await.unwrap();
    assert!(text.contains("日常保洁"), "the rows were read");
    text
}

/// One world with its secrets, driven, stopped and searched.
async fn tried(log: &Kept, url: Option<&str>) {
    let panicking = Panicking::default();
    let line = broker().await;
    let address = line
        .as_ref()
        .map_or_else(|| "127.0.0.1:1".to_owned(), |line| line.address().to_string());
    let broker = format!("amqp://guest:{BROKER}@{address}/%2f");
    let secret_url = url.map(with_password);
    let redis = format!("redis://:{REDIS}@127.0.0.1:6379");
    let mut more = vec![
        ("redis", "url", redis.as_str()),
        ("server", "node", "0"),
        ("rabbitmq", "url", broker.as_str()),
        ("admin", "token", TOKEN),
        ("log", "level", "trace"),
    ];
    more.extend(secret_url.as_deref().map(|url| ("store", "url", url)));
    let world = World::set_and(&more, &webhook().await, Arc::new(panicking.clone())).await;
    let kit = world.sandbox.merchant();
    let mut canaries = Canaries::of([DATABASE, BROKER, REDIS, TOKEN, PANIC, ENCRYPT, HEADER, WEBHOOK]);
    for secret in SECRETS {
        canaries.plant(secret);
        canaries.plant(secret.trim_start_matches("whsec_"));
    }
    canaries.plant(&kit.wechat.private_key_pem);
    canaries.plant(&kit.wechat.apiv3_key);
    canaries.plant(&kit.alipay.app_private_key);
    let answers = Kept::default();
    drive(&world, log, &answers, &panicking).await;
    if let Some(line) = &line {
        refused_by(line, log).await;
    }
    refusals(&world, &answers).await;
    let folder = world.stop().await;
    match url {
        Some(url) => canaries.not_in("the database", &dump(url).await),
        None => {
            for file in std::fs::read_dir(folder.path()).unwrap() {
                let path = file.unwrap().path();
                if path
                    .file_name()
                    .unwrap()
                    .to_str()
                    .unwrap()
                    .starts_with("trade.db")
                {
                    canaries.not_in(
                        "the database",
                        &String::from_utf8_lossy(&std::fs::read(path).unwrap()),
                    );
                }
            }
        }
    }
    canaries.not_in("the answers", &answers.text());
    canaries.not_in("the log", &log.text());
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn no_secret_leaves_the_server() {
    let log = Kept::default();
    let everything = EnvFilter::new("trace");
    telemetry::subscriber(LogFormat::Json, everything, log.clone(), false).init();
    let before = panic::take_hook();
    telemetry::log_panics();
    let logging = panic::take_hook();
    // The log is searched; why this test itself fails shall still be seen.
    panic::set_hook(Box::new(move |panic| {
        logging(panic);
        before(panic);
    }));
    tried(&log, None).await;
    for engine in server::all() {
        let database = engine.empty().await;
        let host = database.outsider().await;
        at_the_door(&host, true).await;
        tried(&log, Some(&database.url())).await;
        at_the_door(&host, false).await;
        host.close().await.unwrap();
        database.end().await;
    }

    // That nothing was found means something only if it was all there.
    let text = log.text();
    for target in ["hyper", "sqlx", "rustls", "trade_core", "trade_server", "lapin"] {
        let there = text.contains(&format!("\"target\":\"{target}"));
        assert!(there || target == "rustls", "nothing is logged by {target}");
    }
    assert!(text.contains("\"level\":\"TRACE\""));
    let panicked = text
        .lines()
        .find(|line| line.contains("\"message\":\"panicked\""))
        .unwrap();
    assert!(
        panicked.contains("\"request_id\":\"") && panicked.contains("canary/main.rs"),
        "{panicked}"
    );
}
