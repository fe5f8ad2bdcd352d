//! A shop with everything it needs: sandbox, server, a tap on the notices, and a clock to turn.

use std::{
    path::PathBuf,
    sync::{
        Arc, OnceLock,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::{
    Router,
    body::Bytes,
    extract::State,
    http::{HeaderMap, StatusCode, Uri},
    response::{IntoResponse, Response},
};
use reqwest::Client;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::Mutex};
use trade_core::SystemRandom;
use trade_sandbox::{Sandbox, SandboxConfig};
use trade_server::{
    config::Settings,
    serve::{self, Running},
    wire::{Decorate, Environment},
};

use crate::clock::ToldClock;
pub(crate) use crate::merchant::{bank, keys, payment, settings};

/// A notice as it passed the tap.
#[derive(Debug, Clone)]
pub(crate) struct Tapped {
    pub(crate) path: String,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Vec<u8>,
}

#[derive(Debug, Default)]
struct Tap {
    seen: Mutex<Vec<Tapped>>,
    hold: AtomicBool,
    server: OnceLock<String>,
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) server: Running,
    pub(crate) http: Client,
    pub(crate) base: String,
    /// The settings file, as the commands read it.
    pub(crate) settings: PathBuf,
    clock: Arc<ToldClock>,
    tap: Arc<Tap>,
    folder: tempfile::TempDir,
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(SandboxConfig::default()).await
    }

    pub(crate) async fn with(config: SandboxConfig) -> Self {
        let config = SandboxConfig {
            frozen_clock: true,
            ..config
        };
        let sandbox = Sandbox::start_with_keys(config, keys()).await.unwrap();
        let kit = sandbox.merchant();
        Self::against(sandbox, &kit.wechat.base_url, &kit.alipay.gateway_url).await
    }

    /// A server whose ports are decorated.
    pub(crate) async fn decorated(decorate: Arc<dyn Decorate>) -> Self {
        let config = SandboxConfig {
            frozen_clock: true,
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start_with_keys(config, keys()).await.unwrap();
        let kit = sandbox.merchant();
        let urls = [&kit.wechat.base_url, &kit.alipay.gateway_url].map(String::as_str);
        Self::around(decorate, sandbox, urls, &[], "").await
    }

    /// A server whose channels are somewhere else than the sandbox that made the keys.
    pub(crate) async fn against(sandbox: Sandbox, wechat_url: &str, gateway_url: &str) -> Self {
        let plain = Environment::default().decorate;
        Self::around(plain, sandbox, [wechat_url, gateway_url], &[], "").await
    }

    /// A server with more settings (section, key, value), and with decorated ports.
    pub(crate) async fn set(more: &[(&str, &str, &str)], decorate: Arc<dyn Decorate>) -> Self {
        Self::set_and(more, "", decorate).await
    }

    /// The same, and settings as they stand in its file.
    pub(crate) async fn set_and(
        more: &[(&str, &str, &str)],
        appended: &str,
        decorate: Arc<dyn Decorate>,
    ) -> Self {
        let config = SandboxConfig {
            frozen_clock: true,
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start_with_keys(config, keys()).await.unwrap();
        let kit = sandbox.merchant();
        let urls = [&kit.wechat.base_url, &kit.alipay.gateway_url].map(String::as_str);
        Self::around(decorate, sandbox, urls, more, appended).await
    }

    async fn around(
        decorate: Arc<dyn Decorate>,
        sandbox: Sandbox,
        [wechat_url, gateway_url]: [&str; 2],
        more: &[(&str, &str, &str)],
        appended: &str,
    ) -> Self {
        let tap = Arc::new(Tap::default());
        let tap_url = start_tap(Arc::clone(&tap)).await;
        let folder = tempfile::tempdir().unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}", listener.local_addr().unwrap());
        tap.server.set(base.clone()).unwrap();
        let mut text = settings(&sandbox, &tap_url, wechat_url, gateway_url, folder.path());
        for (section, key, value) in more {
            let mut table: toml::Table = text.parse().unwrap();
            let section = table.entry(*section).or_insert_with(|| toml::Table::new().into());
            section
                .as_table_mut()
                .unwrap()
                .insert((*key).into(), (*value).into());
            text = table.to_string();
        }
        text.push_str(appended);
        let file = folder.path().join("trade.toml");
        std::fs::write(&file, &text).unwrap();
        let settings = Settings::from_toml(&text).unwrap();
        let clock = Arc::new(ToldClock::new(sandbox.now_ms()));
        let environment = Environment {
            clock: clock.clone(),
            random: Arc::new(SystemRandom),
            decorate,
        };
        let server = serve::start(&settings, listener, environment).await.unwrap();
        let http = Client::builder().no_proxy().build().unwrap();
        Self {
            sandbox,
            server,
            http,
            base,
            settings: file,
            clock,
            tap,
            folder,
        }
    }

    /// Stops the server in order; what it kept stays as long as the folder is held.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.server.stop().await;
        self.folder
    }

    /// Time passes for the server and for the channels.
    pub(crate) fn advance(&self, by: Duration) {
        self.sandbox.advance(by);
        self.clock.set(self.sandbox.now_ms());
    }

    /// Keeps notices from the server from now on; the channel is told to come again.
    pub(crate) fn hold_notices(&self) {
        self.tap.hold.store(true, Ordering::SeqCst);
    }

    /// The first notice that passed the tap, waiting for it.
    pub(crate) async fn tapped(&self) -> Tapped {
        for _ in 0..1000 {
            if let Some(first) = self.tap.seen.lock().await.first() {
                return first.clone();
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no notice in ten seconds: {:?}", self.sandbox.notices());
    }

    /// Alipay's notice about that trading, as it passed the tap, waiting for it.
    pub(crate) async fn tapped_about(&self, trading_order_no: &str) -> Tapped {
        for _ in 0..6000 {
            let seen = self.tap.seen.lock().await;
            let about = |notice: &&Tapped| String::from_utf8_lossy(&notice.body).contains(trading_order_no);
            if let Some(notice) = seen.iter().find(about) {
                return notice.clone();
            }
            drop(seen);
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("no notice about {trading_order_no}: {:?}", self.sandbox.notices());
    }

    pub(crate) async fn post(&self, path: &str, body: &Value) -> (StatusCode, Value) {
        read(
            self.http
                .post(format!("{}{path}", self.base))
                .json(body)
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn post_empty(&self, path: &str) -> (StatusCode, Value) {
        read(
            self.http
                .post(format!("{}{path}", self.base))
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    pub(crate) async fn get(&self, path: &str) -> (StatusCode, Value) {
        read(
            self.http
                .get(format!("{}{path}", self.base))
                .send()
                .await
                .unwrap(),
        )
        .await
    }

    /// Creates a payment and returns the answer.
    pub(crate) async fn create(&self, channel: &str, order: i64) -> Value {
        let (status, body) = self.post("/trade/inner/native", &payment(channel, order)).await;
        assert_eq!(status, StatusCode::OK, "{body}");
        body
    }

    pub(crate) fn pay(&self, channel: &str, trading_order_no: &str) {
        self.sandbox.pay(bank(channel), trading_order_no).unwrap();
    }

    pub(crate) async fn row(&self, trading_order_no: &str) -> Value {
        self.get(&format!("/trade/inner/tradings/{trading_order_no}"))
            .await
            .1
    }

    /// Creates, pays and waits for the settlement; returns the trading's number.
    pub(crate) async fn paid(&self, channel: &str, order: i64) -> String {
        let created = self.create(channel, order).await;
        let number = created["tradingOrderNo"].as_str().unwrap().to_owned();
        self.pay(channel, &number);
        self.until_state(&number, "settled").await;
        number
    }

    /// A refund under a number of the order system's own.
    pub(crate) fn part(product_refund_no: &str, trading_order_no: &str, yuan: &str) -> Value {
        json!({
            "productAppId": "jzo2o.orders",
            "productRefundNo": product_refund_no,
            "tradingOrderNo": trading_order_no,
            "refundAmount": yuan,
            "reason": "退一部分",
        })
    }

    /// Reads a path again and again until its answer is as wanted.
    pub(crate) async fn until(&self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let mut body = Value::Null;
        for _ in 0..1500 {
            body = self.get(path).await.1;
            if wanted(&body) {
                return body;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("{path} is not as wanted in fifteen seconds: {body}");
    }

    /// Waits until the row says what is wanted; says what it says instead when it does not.
    pub(crate) async fn until_state(&self, trading_order_no: &str, state: &str) -> Value {
        let mut row = Value::Null;
        for _ in 0..1500 {
            row = self.row(trading_order_no).await;
            if row["state"] == state {
                return row;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("not {state} in fifteen seconds: {row}");
    }

    /// Waits as time goes on, minute by minute: a job that was looking at the row while the clock was
    /// moved comes back to it a minute later.
    pub(crate) async fn until_state_in_time(&self, trading_order_no: &str, state: &str) -> Value {
        for _ in 0..10 {
            for _ in 0..200 {
                let row = self.row(trading_order_no).await;
                if row["state"] == state {
                    return row;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
            self.advance(Duration::from_secs(61));
        }
        panic!(
            "not {state} in ten minutes: {}",
            self.row(trading_order_no).await["state"]
        );
    }

    pub(crate) async fn announced(&self) -> Vec<trade_core::Event> {
        self.server
            .service()
            .ports()
            .store
            .events_after(0, 1000)
            .await
            .unwrap()
    }

    /// Sends a notice to the server as a channel would.
    pub(crate) async fn send(&self, notice: &Tapped) -> StatusCode {
        let url = format!("{}{}", self.base, notice.path);
        let request = self
            .http
            .post(url)
            .headers(notice.headers.clone())
            .body(notice.body.clone());
        request.send().await.unwrap().status()
    }
}

async fn read(response: reqwest::Response) -> (StatusCode, Value) {
    let status = response.status();
    let text = response.text().await.unwrap();
    (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
}

async fn start_tap(tap: Arc<Tap>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}", listener.local_addr().unwrap());
    let router = Router::new().fallback(pass).with_state(tap);
    tokio::spawn(async move { axum::serve(listener, router).await });
    url
}

async fn pass(State(tap): State<Arc<Tap>>, uri: Uri, mut headers: HeaderMap, body: Bytes) -> Response {
    headers.remove("host");
    headers.remove("content-length");
    let notice = Tapped {
        path: uri.path().to_owned(),
        headers,
        body: body.to_vec(),
    };
    tap.seen.lock().await.push(notice.clone());
    if tap.hold.load(Ordering::SeqCst) {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    }
    let url = format!("{}{}", tap.server.get().unwrap(), notice.path);
    let client = Client::builder().no_proxy().build().unwrap();
    let answer = client
        .post(url)
        .headers(notice.headers)
        .body(notice.body)
        .send()
        .await
        .unwrap();
    (answer.status(), answer.bytes().await.unwrap()).into_response()
}
