//! The parent's side of a server: starts it, talks to it, notices its end, and starts it again.

use std::{
    io::{BufRead, BufReader, Write},
    net::TcpListener,
    path::Path,
    process::{Child, ChildStdin, Command, Stdio},
    time::Duration,
};

use reqwest::Client;
use serde_json::{Value, json};
use tempfile::TempDir;
use tokio::sync::mpsc;
use trade_sandbox::{Sandbox, SandboxConfig, SandboxKeys};

use super::{
    child::{AT, FOLDER, NOW, PORT, SAYS},
    merchant,
};

/// The store, when it is in a file.
pub(crate) const FILE: &str = "trade.db";
/// So often somebody who gets no answer asks again.
const TRIES: u32 = 8;

/// A server, its channels, and whoever uses it.
pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) folder: TempDir,
    port: u16,
    http: Client,
    process: Process,
    /// How often the server ended before it was told to.
    pub(crate) ends: u32,
}

struct Process {
    child: Child,
    stdin: ChildStdin,
    lines: mpsc::UnboundedReceiver<String>,
}

impl World {
    /// `store_url`: where the store is, when it is not in a file.
    pub(crate) async fn new(keys: &SandboxKeys, end_at: Option<&str>, store_url: Option<&str>) -> Self {
        let config = SandboxConfig {
            frozen_clock: true,
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start_with_keys(config, keys).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let port = free_port();
        std::fs::write(
            folder.path().join("trade.toml"),
            settings(&sandbox, port, folder.path(), store_url),
        )
        .unwrap();
        let process = start(folder.path(), port, sandbox.now_ms(), end_at);
        let http = Client::builder()
            .no_proxy()
            .timeout(Duration::from_secs(20))
            .build();
        let mut world = Self {
            sandbox,
            folder,
            port,
            http: http.unwrap(),
            process,
            ends: 0,
        };
        world.wait_for("ready").await;
        world
    }

    /// Waits until the server says that, and starts it again for as long as it ends instead.
    async fn wait_for(&mut self, word: &str) -> bool {
        let mut word = word;
        let mut whole = true;
        loop {
            match self.process.lines.recv().await {
                Some(line) if line == word => return whole,
                Some(_) => {}
                None => {
                    self.start_again();
                    word = "ready";
                    whole = false;
                }
            }
        }
    }

    fn start_again(&mut self) {
        let status = self.process.child.wait().unwrap();
        assert!(!status.success(), "it ended by itself: {status}");
        self.ends += 1;
        assert!(self.ends < 3, "it ends again and again: {status}");
        self.process = start(self.folder.path(), self.port, self.sandbox.now_ms(), None);
    }

    async fn told(&mut self, order: &str) {
        for _ in 0..TRIES {
            let sent = writeln!(self.process.stdin, "{order}");
            let sent = sent.and_then(|()| self.process.stdin.flush());
            let answered = self.wait_for("done").await;
            if sent.is_ok() && answered {
                return;
            }
        }
        panic!("`{order}` is not done");
    }

    /// Every job of the server runs once.
    pub(crate) async fn tick(&mut self) {
        self.told("tick").await;
    }

    /// Time passes, for the server and for the channels.
    pub(crate) async fn advance(&mut self, by: Duration) {
        self.sandbox.advance(by);
        self.tell_time().await;
    }

    /// Posts until there is an answer, as a client does who wants one: the same again, with the same key.
    pub(crate) async fn post(&mut self, path: &str, key: &str, body: &Value) -> (u16, Value) {
        for _ in 0..TRIES {
            let url = format!("http://127.0.0.1:{}{path}", self.port);
            let request = self.http.post(url).header("Idempotency-Key", key).json(body);
            let Ok(response) = request.send().await else {
                self.tell_time().await;
                continue;
            };
            let status = response.status().as_u16();
            let Ok(text) = response.text().await else {
                self.tell_time().await;
                continue;
            };
            let answer: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
            if answer["retryable"] == true || status >= 500 {
                // Whoever was at work on it has ended: in a minute it is free again.
                self.advance(Duration::from_secs(61)).await;
                self.tick().await;
                continue;
            }
            return (status, answer);
        }
        panic!("{path} is not answered");
    }

    /// Tells the server what time it is; one that has ended is started again and told, too.
    async fn tell_time(&mut self) {
        let now_ms = self.sandbox.now_ms();
        self.told(&format!("now {now_ms}")).await;
    }

    /// Every notice that is due is delivered, to a server that runs.
    pub(crate) async fn notices(&mut self) {
        assert!(self.sandbox.quiet().await);
        self.tell_time().await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ended = self.process.child.kill();
        let _status = self.process.child.wait();
    }
}

fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    listener.local_addr().unwrap().port()
}

fn start(folder: &Path, port: u16, now_ms: i64, end_at: Option<&str>) -> Process {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command
        .args(["--exact", "child::run", "--nocapture"])
        .env(FOLDER, folder)
        .env(PORT, port.to_string())
        .env(NOW, now_ms.to_string())
        .env_remove(AT)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null());
    if let Some(point) = end_at {
        command.env(AT, point);
    }
    let mut child = command.spawn().unwrap();
    let (stdin, stdout) = (child.stdin.take().unwrap(), child.stdout.take().unwrap());
    let (tell, lines) = mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in BufReader::new(stdout).lines().map_while(Result::ok) {
            // The harness ends its own line only after the test.
            if let Some((_, said)) = line.split_once(SAYS)
                && tell.send(said.to_owned()).is_err()
            {
                return;
            }
        }
    });
    Process { child, stdin, lines }
}

fn settings(sandbox: &Sandbox, port: u16, folder: &Path, store_url: Option<&str>) -> String {
    let kit = sandbox.merchant();
    let notify = format!("http://127.0.0.1:{port}");
    let urls = [&kit.wechat.base_url, &kit.alipay.gateway_url];
    let text = merchant::settings(sandbox, &notify, urls[0], urls[1], folder);
    let mut table: toml::Table = text.parse().unwrap();
    let jobs = toml::Table::try_from(json!({"enabled": false})).unwrap();
    table.insert("jobs".into(), jobs.into());
    if let Some(url) = store_url {
        let store = toml::Table::try_from(json!({"url": url, "connections": 4})).unwrap();
        table.insert("store".into(), store.into());
    }
    table.to_string()
}
