//! A server as a process on an empty database, the sandbox as its channels, and who drives both.

use std::{
    path::Path,
    sync::atomic::{AtomicI64, Ordering},
    time::Duration,
};

use reqwest::Client;
use sea_orm::{ConnectionTrait, Database, DatabaseBackend, DatabaseConnection, Statement};
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::time::Instant;
use trade_sandbox::{Sandbox, SandboxConfig};

use crate::{
    broker::{self, Post},
    letterbox::{Letterbox, Notice},
    load::Load,
    merchant::{bank, keys, payment, settings},
    process::Serving,
    server::{self, Empty, Server},
};

const CHANNEL: &str = "WECHAT_PAY";
const TOKEN: &str = "bench-0123456789-0123456789";
/// The most rows that a tick of a job takes here.
pub(crate) const TICK_ROWS: i64 = 50;

/// Where the server keeps its rows.
#[derive(Clone)]
pub(crate) enum Engine {
    Sqlite,
    Server(Server),
}

impl Engine {
    pub(crate) fn all() -> Vec<Self> {
        let servers = server::all().into_iter().map(Self::Server);
        [Self::Sqlite].into_iter().chain(servers).collect()
    }
}

/// Payments that were created.
pub(crate) struct Created {
    pub(crate) load: Load,
    pub(crate) numbers: Vec<String>,
}

pub(crate) struct Shop {
    pub(crate) sandbox: Sandbox,
    database: Option<Empty>,
    serving: Serving,
    http: Client,
    letterbox: Letterbox,
    /// The order system's number of the next order.
    next_order: AtomicI64,
    /// Its part of the broker, gone with it; none when only what is embedded is measured.
    _post: Option<Post>,
    folder: TempDir,
}

impl Shop {
    pub(crate) async fn open(engine: &Engine) -> Self {
        let sandbox = Sandbox::start_with_keys(SandboxConfig::default(), keys())
            .await
            .unwrap();
        let database = match engine {
            Engine::Sqlite => None,
            Engine::Server(server) => Some(server.empty().await),
        };
        let post = broker::url().map(|url| Post::at(&url));
        if let Some(post) = &post {
            post.declare().await;
        }
        let letterbox = Letterbox::open().await;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("trade.toml");
        let more = differences(database.as_ref(), post.as_ref());
        let kit = sandbox.merchant();
        let (wechat, alipay) = (&kit.wechat.base_url, &kit.alipay.gateway_url);
        let text = settings(&sandbox, &letterbox.url, wechat, alipay, folder.path());
        let mut table: toml::Table = text.parse().unwrap();
        table.extend(toml::Table::try_from(more).unwrap());
        std::fs::write(&file, table.to_string()).unwrap();
        Self {
            serving: Serving::start(&file).await,
            sandbox,
            database,
            http: Client::builder().no_proxy().build().unwrap(),
            letterbox,
            next_order: AtomicI64::new(1),
            _post: post,
            folder,
        }
    }

    /// Creates so many payments, so many of them at once.
    pub(crate) async fn create(&self, count: i64, at_once: usize) -> Created {
        let first = self.next_order.fetch_add(count, Ordering::SeqCst);
        let create = async |order| {
            let url = format!("{}/trade/inner/native", self.serving.base);
            let sent = self.http.post(url).json(&payment(CHANNEL, order)).send();
            let answer: Value = sent.await.unwrap().json().await.unwrap();
            let number = answer["tradingOrderNo"].as_str();
            number.unwrap_or_else(|| panic!("{answer}")).to_owned()
        };
        let (load, numbers) = Load::run((first..first + count).collect(), at_once, create).await;
        Created { load, numbers }
    }

    /// Pays them, and catches the channel's notices on their way.
    pub(crate) async fn pay(&self, numbers: &[String]) -> Vec<Notice> {
        for number in numbers {
            self.sandbox.pay(bank(CHANNEL), number).unwrap();
        }
        self.letterbox.caught(numbers.len()).await
    }

    /// Delivers the notices, so many at once; each is taken only once it is settled.
    pub(crate) async fn deliver(&self, notices: Vec<Notice>, at_once: usize) -> Load {
        let deliver = async |notice: Notice| {
            let url = format!("{}{}", self.serving.base, notice.path);
            let request = self.http.post(url).headers(notice.headers).body(notice.body);
            let answer = request.send().await.unwrap();
            assert!(answer.status().is_success(), "{}", answer.status());
        };
        Load::run(notices, at_once, deliver).await.0
    }

    /// Announces everything there is to announce: how many events, and how long it took.
    pub(crate) async fn relay(&self) -> (u64, Duration) {
        let begun = Instant::now();
        let mut events = 0;
        loop {
            let report = self.job("relay_events", 1000).await;
            assert_eq!(report["failed"], 0, "{report}");
            match report["changed"].as_u64().unwrap() {
                0 => return (events, begun.elapsed()),
                some => events += some,
            }
        }
    }

    /// So many ticks of a job, one after the other.
    pub(crate) async fn tick(&self, job: &str, times: usize) -> Load {
        let tick = async |_| {
            let report = self.job(job, TICK_ROWS).await;
            assert_eq!(report["failed"], 0, "{report}");
        };
        Load::run((0..times).collect(), 1, tick).await.0
    }

    async fn job(&self, job: &str, count: i64) -> Value {
        let url = format!("{}/trade/admin/jobs/{job}?count={count}", self.serving.base);
        let answer = self.http.post(url).bearer_auth(TOKEN).send().await.unwrap();
        assert!(answer.status().is_success(), "{}", answer.status());
        answer.json().await.unwrap()
    }

    /// So many looks at the metrics.
    pub(crate) async fn scrape(&self, times: usize) -> Load {
        let scrape = async |_| {
            let url = format!("{}/metrics", self.serving.base);
            let text = self.http.get(url).send().await.unwrap().text().await.unwrap();
            assert!(text.contains("trade_store_up 1"), "{text}");
        };
        Load::run((0..times).collect(), 1, scrape).await.0
    }

    /// A measure of the server's memory by its name in `/proc`, in MiB.
    pub(crate) fn memory(&self, name: &str) -> String {
        let status = Path::new("/proc")
            .join(self.serving.id().to_string())
            .join("status");
        let Ok(status) = std::fs::read_to_string(status) else {
            return "unknown".to_owned();
        };
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        let kib: u64 = line.split_whitespace().next().unwrap().parse().unwrap();
        format!("{} MiB", kib / 1024)
    }

    /// The database as it calls itself.
    pub(crate) async fn engine(&self) -> String {
        let raw = self.outsider().await;
        let backend = raw.get_database_backend();
        let (name, ask) = match backend {
            DatabaseBackend::Postgres => ("PostgreSQL", "SHOW server_version"),
            DatabaseBackend::MySql => ("MariaDB/MySQL", "SELECT VERSION()"),
            _ => ("SQLite", "SELECT sqlite_version()"),
        };
        let row = raw
            .query_one_raw(Statement::from_string(backend, ask))
            .await
            .unwrap()
            .unwrap();
        let version: String = row.try_get_by_index(0).unwrap();
        raw.close().await.unwrap();
        let version = version.split([' ', '-']).next().unwrap();
        format!("{name} {version}")
    }

    /// Somebody else's connection to the server's database.
    pub(crate) async fn outsider(&self) -> DatabaseConnection {
        match &self.database {
            Some(database) => database.outsider().await,
            None => {
                let file = self.folder.path().join("trade.db");
                let url = format!("sqlite://{}", file.display());
                Database::connect(url).await.unwrap()
            }
        }
    }

    pub(crate) async fn close(self) {
        let (status, log) = self.serving.end().await;
        assert!(status.success(), "{log}");
        if let Some(database) = self.database {
            database.end().await;
        }
    }
}

/// What is different from the settings of a test.
fn differences(database: Option<&Empty>, post: Option<&Post>) -> Value {
    let mut more = json!({
        "server": {"listen": "127.0.0.1:0", "drain_secs": 0},
        "jobs": {"enabled": false},
        "admin": {"token": TOKEN},
    });
    if let Some(database) = database {
        more["store"] = json!({"url": database.url()});
    }
    if let Some(post) = post {
        more["rabbitmq"] = json!({"url": post.settings.url, "exchange": post.settings.exchange});
    }
    more
}
