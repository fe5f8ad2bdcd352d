//! Callers and a balancer before one instance, until nobody listens there any more.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, AtomicI64, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use reqwest::Client;
use serde_json::Value;
use tokio::task::{JoinHandle, JoinSet};
use trade_sandbox::Sandbox;

use crate::world::{bank, payment};

/// No answer takes longer.
const PATIENCE: Duration = Duration::from_secs(180);
const CALLERS: usize = 6;

/// What callers and a balancer see of one instance.
#[derive(Debug)]
pub(crate) struct Seen {
    base: String,
    next_order: AtomicI64,
    answers: Mutex<BTreeMap<i64, StatusCode>>,
    not_ready: AtomicBool,
    closed: AtomicBool,
}

impl Seen {
    pub(crate) fn at(base: &str) -> Self {
        Self {
            base: base.to_owned(),
            next_order: AtomicI64::new(1),
            answers: Mutex::default(),
            not_ready: AtomicBool::new(false),
            closed: AtomicBool::new(false),
        }
    }

    /// The orders that were answered, and how.
    pub(crate) fn answers(&self) -> BTreeMap<i64, StatusCode> {
        self.answers.lock().unwrap().clone()
    }

    pub(crate) fn was_not_ready(&self) -> bool {
        self.not_ready.load(Ordering::SeqCst)
    }
}

/// One connection for each request, so that none is refused on an old one that the server closes at its end.
pub(crate) fn client() -> Client {
    let client = Client::builder().no_proxy().pool_max_idle_per_host(0);
    client.timeout(PATIENCE).build().unwrap()
}

/// Asks for payments, and pays them, until nobody listens any more.
async fn call(seen: Arc<Seen>, sandbox: Arc<Sandbox>) {
    let http = client();
    while !seen.closed.load(Ordering::SeqCst) {
        let order = seen.next_order.fetch_add(1, Ordering::SeqCst);
        let channel = ["WECHAT_PAY", "ALI_PAY"][usize::try_from(order % 2).unwrap()];
        let request = http.post(format!("{}/trade/inner/native", seen.base));
        let sent = request.json(&payment(channel, order)).send().await;
        let read = match sent {
            Ok(answer) => Ok((answer.status(), answer.json::<Value>().await.unwrap_or_default())),
            Err(error) => Err(error),
        };
        match read {
            Ok((status, body)) => {
                seen.answers.lock().unwrap().insert(order, status);
                if let Some(number) = body["tradingOrderNo"].as_str() {
                    sandbox.pay(bank(channel), number).unwrap();
                }
            }
            Err(error) => assert!(
                seen.not_ready.load(Ordering::SeqCst),
                "turned away before it was said to be not ready: {error}"
            ),
        }
    }
}

/// Asks whether it is ready, as a balancer does: first it is, then it is not, then nobody listens.
async fn watch(seen: Arc<Seen>) {
    let http = client();
    loop {
        match http.get(format!("{}/readyz", seen.base)).send().await {
            Ok(answer) if answer.status() == StatusCode::OK => {
                assert!(!seen.not_ready.load(Ordering::SeqCst), "ready again");
            }
            Ok(answer) => {
                assert_eq!(answer.status(), StatusCode::SERVICE_UNAVAILABLE);
                seen.not_ready.store(true, Ordering::SeqCst);
            }
            Err(error) if error.is_connect() => break,
            // The very last one, which came as the listener was closed.
            Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    seen.closed.store(true, Ordering::SeqCst);
}

/// Callers and a balancer at an instance, until it is gone.
pub(crate) fn start(seen: &Arc<Seen>, sandbox: &Arc<Sandbox>) -> (JoinSet<()>, JoinHandle<()>) {
    let mut callers = JoinSet::new();
    for _ in 0..CALLERS {
        callers.spawn(call(Arc::clone(seen), Arc::clone(sandbox)));
    }
    (callers, tokio::spawn(watch(Arc::clone(seen))))
}
