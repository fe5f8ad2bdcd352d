//! A whole shop: sandbox, trade server, the two services, the order system, and one clock for all of them.

use std::{
    net::SocketAddr,
    sync::{Arc, OnceLock},
    time::Duration,
};

use axum::http::StatusCode;
use order_system::{Broker, Running, Settings, places};
use reqwest::{Client, Method};
use serde_json::{Value, json};
use tokio::net::TcpListener;
use trade_core::{SystemRandom, Timestamp, port::Clock};
use trade_sandbox::{Channel as Bank, Sandbox, SandboxConfig, SandboxKeys};
use trade_server::{serve, wire::Environment};

use crate::{
    clock::ToldClock,
    parts::{OrderClock, Place, trade_settings},
};

/// The customer of the tests, an address of hers, and a service for 39.90.
pub(crate) const USER: i64 = 1001;
pub(crate) const OTHER_USER: i64 = 1002;

pub(crate) const WECHAT: &str = "WECHAT_PAY";
pub(crate) const ALIPAY: &str = "ALI_PAY";

/// What makes a world another one than the usual.
#[derive(Debug, Default)]
pub(crate) struct With {
    pub(crate) database_url: Option<String>,
    pub(crate) evaluations: bool,
    /// Where the trade server announces, and where the order system hears: URL, URL, exchange and queue.
    pub(crate) broker: Option<(String, String, String, String)>,
    /// Another address of the trade server for the order system.
    pub(crate) trade_url: Option<String>,
}

pub(crate) struct World {
    pub(crate) sandbox: Sandbox,
    pub(crate) http: Client,
    pub(crate) base: String,
    pub(crate) customer: Place,
    pub(crate) foundations: Place,
    pub(crate) clock: Arc<OrderClock>,
    pub(crate) settings: Settings,
    told: Arc<ToldClock>,
    orders: Option<Running>,
    trade: Option<serve::Running>,
    trade_settings: trade_server::config::Settings,
    trade_address: SocketAddr,
    _folder: tempfile::TempDir,
}

/// Keys take seconds to make; one set serves every test.
fn keys() -> &'static SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate(Some(7)).unwrap())
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with(With::default()).await
    }

    pub(crate) async fn with(with: With) -> Self {
        let config = SandboxConfig {
            frozen_clock: true,
            ..SandboxConfig::default()
        };
        let sandbox = Sandbox::start_with_keys(config, keys()).await.unwrap();
        let folder = tempfile::tempdir().unwrap();
        let told = Arc::new(ToldClock::new(sandbox.now_ms()));
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let trade_address = listener.local_addr().unwrap();
        let trade_url = format!("http://{trade_address}");
        let announce = with
            .broker
            .as_ref()
            .map(|(url, _, exchange, _)| (url.as_str(), exchange.as_str()));
        let trade_settings = trade_settings(&sandbox, &trade_url, folder.path(), announce);
        let trade = start_trade(&trade_settings, listener, &told).await;
        let customer = Place::start(places::customer::router()).await;
        let foundations = Place::start(places::foundations::router()).await;
        let file = format!("sqlite://{}", folder.path().join("orders.db").display());
        let database_url = with.database_url.unwrap_or(file);
        let trade_url = with.trade_url.unwrap_or(trade_url);
        let settings = Settings {
            job_interval: Duration::from_millis(50),
            evaluations: with.evaluations,
            demo_users: true,
            remote_timeout: Duration::from_millis(500),
            broker: with.broker.map(|(_, url, exchange, queue)| Broker {
                url: trade_core::Secret::new(url),
                exchange,
                queue,
            }),
            ..Settings::new(database_url, &trade_url, &customer.url, &foundations.url).unwrap()
        };
        let clock = Arc::new(OrderClock::new(Arc::clone(&told)));
        let orders = start_orders(&settings, &clock).await;
        Self {
            base: format!("http://{}", orders.address()),
            http: Client::builder()
                .no_proxy()
                .redirect(reqwest::redirect::Policy::none())
                .build()
                .unwrap(),
            sandbox,
            customer,
            foundations,
            clock,
            settings,
            told,
            orders: Some(orders),
            trade: Some(trade),
            trade_settings,
            trade_address,
            _folder: folder,
        }
    }

    /// Another instance of the order system on the same database; returns its address.
    pub(crate) async fn another(&self) -> (Running, String) {
        let running = start_orders(&self.settings, &self.clock).await;
        let base = format!("http://{}", running.address());
        (running, base)
    }

    /// Ends the order system and starts it again on what it kept.
    pub(crate) async fn restart(&mut self) {
        self.orders.take().unwrap().stop().await;
        let orders = start_orders(&self.settings, &self.clock).await;
        self.base = format!("http://{}", orders.address());
        self.orders = Some(orders);
    }

    /// Ends the order system, so that its database can be dropped.
    pub(crate) async fn stop_orders(&mut self) {
        self.orders.take().unwrap().stop().await;
    }

    pub(crate) async fn trade_down(&mut self) {
        self.trade.take().unwrap().stop().await;
    }

    pub(crate) async fn trade_up(&mut self) {
        let listener = TcpListener::bind(self.trade_address).await.unwrap();
        self.trade = Some(start_trade(&self.trade_settings, listener, &self.told).await);
    }

    /// Time passes for everybody.
    pub(crate) fn advance(&self, by: Duration) {
        self.sandbox.advance(by);
        self.told.set(self.sandbox.now_ms());
        self.clock.advance(by);
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.told.now()
    }

    /// Beijing time, so long from now.
    pub(crate) fn in_time(&self, by: Duration) -> String {
        self.now().plus(by).to_beijing_text()
    }

    pub(crate) async fn call(
        &self,
        method: Method,
        path: &str,
        user: Option<i64>,
        body: Option<&Value>,
    ) -> (StatusCode, Value) {
        let mut call = self.http.request(method, format!("{}{path}", self.base));
        if let Some(user) = user {
            call = call.header("x-user-id", user);
        }
        if let Some(body) = body {
            call = call.json(body);
        }
        let response = call.send().await.unwrap();
        let status = response.status();
        let text = response.text().await.unwrap();
        (status, serde_json::from_str(&text).unwrap_or(Value::String(text)))
    }

    /// A customer's call; the data of a success.
    pub(crate) async fn ok(&self, method: Method, path: &str, body: Option<&Value>) -> Value {
        let path = format!("/orders-manager{path}");
        let (status, answer) = self.call(method, &path, Some(USER), body).await;
        assert_eq!(
            (status, &answer["code"]),
            (StatusCode::OK, &json!(200)),
            "{path}: {answer}"
        );
        answer["data"].clone()
    }

    /// A customer's call that is refused: status, and the message in both languages.
    pub(crate) async fn refused(&self, method: Method, path: &str, body: Option<&Value>) -> (u16, String) {
        let path = format!("/orders-manager{path}");
        let (status, answer) = self.call(method, &path, Some(USER), body).await;
        assert!(!status.is_success(), "{path}: {answer}");
        assert_eq!(answer["data"], Value::Null);
        (status.as_u16(), answer["msg"].as_str().unwrap().to_owned())
    }

    pub(crate) fn booking(&self) -> Value {
        json!({
            "serveId": "11",
            "purNum": 2,
            "serveStartTime": self.in_time(Duration::from_secs(24 * 3600)),
            "addressBookId": 1,
        })
    }

    /// Places an order and returns its number.
    pub(crate) async fn place(&self) -> String {
        self.place_as(&self.booking()).await
    }

    pub(crate) async fn place_as(&self, booking: &Value) -> String {
        let placed = self
            .ok(Method::POST, "/consumer/orders/place", Some(booking))
            .await;
        placed["id"].as_str().unwrap().to_owned()
    }

    /// Asks for a code and returns the answer.
    pub(crate) async fn code(&self, id: &str, channel: &str) -> Value {
        let body = json!({"tradingChannel": channel});
        let path = format!("/consumer/orders/pay/{id}");
        self.ok(Method::PUT, &path, Some(&body)).await
    }

    /// A payer scans and pays.
    pub(crate) fn pay(&self, code: &Value) {
        self.pay_at(code["tradingChannel"].as_str().unwrap(), &number(code));
    }

    pub(crate) fn pay_at(&self, channel: &str, trading: &str) {
        self.sandbox.pay(bank(channel), trading).unwrap();
    }

    pub(crate) async fn detail(&self, id: &str) -> Value {
        self.ok(Method::GET, &format!("/consumer/orders/{id}"), None)
            .await
    }

    pub(crate) async fn status(&self, id: &str) -> i64 {
        self.detail(id).await["ordersStatus"].as_i64().unwrap()
    }

    /// Places an order, pays it, and waits until that is known.
    pub(crate) async fn paid(&self) -> String {
        let id = self.place().await;
        let code = self.code(&id, WECHAT).await;
        self.pay(&code);
        self.until_status(&id, 100).await;
        id
    }

    /// Moves an order on as a worker.
    pub(crate) async fn step(&self, id: &str, step: &str) {
        self.ok(Method::PUT, &format!("/worker/orders/{id}/{step}"), None)
            .await;
    }

    pub(crate) async fn cancel(&self, id: &str) {
        let body = json!({"id": id, "cancelReason": "计划有变"});
        self.ok(Method::PUT, "/consumer/orders/cancel", Some(&body)).await;
    }

    pub(crate) async fn until_status(&self, id: &str, status: i64) -> Value {
        self.until(id, |order| order["ordersStatus"] == status).await
    }

    /// Looks at an order again and again until it is as wanted.
    pub(crate) async fn until(&self, id: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        self.until_in_time(id, Duration::ZERO, wanted).await
    }

    /// The same as time goes on: `by` in each half second.
    pub(crate) async fn until_in_time(
        &self,
        id: &str,
        by: Duration,
        wanted: impl Fn(&Value) -> bool,
    ) -> Value {
        let mut order = Value::Null;
        for round in 0..1200 {
            order = self.detail(id).await;
            if wanted(&order) {
                return order;
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
            if round % 10 == 9 && !by.is_zero() {
                self.advance(by);
            }
        }
        panic!("not as wanted in a minute: {order}");
    }

    /// What the metrics say of a name with its labels.
    pub(crate) async fn metric(&self, name: &str) -> i64 {
        let (_, text) = self.call(Method::GET, "/metrics", None, None).await;
        let text = text.as_str().unwrap().to_owned();
        let line = text.lines().find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name} in {text}"))
            .rsplit(' ')
            .next()
            .unwrap()
            .parse()
            .unwrap()
    }

    /// What a payer paid for good with a trading, in fen.
    pub(crate) fn net_fen(&self, channel: &str, trading: &str) -> i64 {
        self.sandbox.ledger().net_fen(bank(channel), trading)
    }

    /// A trading that the order system does not know of, as after a crash between the trade server's answer
    /// and its mention in the order.
    pub(crate) async fn unknown_trading(&self, id: &str, expires_at: &Value) -> Value {
        let request = json!({
            "enterpriseId": "1001", "productAppId": "jzo2o.orders", "productOrderNo": id,
            "tradingChannel": WECHAT, "tradingAmount": "79.80", "memo": "日常保洁", "expiresAt": expires_at,
        });
        let url = format!("http://{}/trade/inner/native", self.trade_address);
        let answer = self.http.post(url).json(&request).send().await.unwrap();
        answer.json().await.unwrap()
    }

    /// The trading as the trade server has it.
    pub(crate) async fn trading(&self, number: &str) -> Value {
        let url = format!("http://{}/trade/inner/tradings/{number}", self.trade_address);
        self.http.get(url).send().await.unwrap().json().await.unwrap()
    }
}

/// The number of the trading in an answer.
pub(crate) fn number(answer: &Value) -> String {
    answer["tradingOrderNo"].as_str().unwrap().to_owned()
}

fn bank(channel: &str) -> Bank {
    if channel == WECHAT {
        Bank::Wechat
    } else {
        Bank::Alipay
    }
}

async fn start_trade(
    settings: &trade_server::config::Settings,
    listener: TcpListener,
    told: &Arc<ToldClock>,
) -> serve::Running {
    let environment = Environment {
        clock: told.clone(),
        random: Arc::new(SystemRandom),
        ..Environment::default()
    };
    serve::start(settings, listener, environment).await.unwrap()
}

async fn start_orders(settings: &Settings, clock: &Arc<OrderClock>) -> Running {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    order_system::serve(settings.clone(), listener, clock.clone())
        .await
        .unwrap()
}
