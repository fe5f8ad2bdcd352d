//! What the log says: an id on every line of a request, one line of access, nothing about health.

use std::sync::Arc;

use axum::http::StatusCode;
use serde_json::{Value, json};
use tracing::subscriber::DefaultGuard;
use tracing_subscriber::EnvFilter;
use trade_core::port::{StoreError, TradeStore};
use trade_server::{config::LogFormat, telemetry, wire::Decorate};
use trade_testkit::gated::{Gate, GatedStore, Operation};

use crate::{
    kept::Kept,
    world::{World, payment},
};

/// The log of this thread, on which the whole world of a test runs.
struct Log(Kept);

impl Log {
    fn start(filter: EnvFilter) -> (Self, DefaultGuard) {
        let kept = Kept::default();
        let subscriber = telemetry::subscriber(LogFormat::Json, filter, kept.clone(), false);
        (Self(kept), tracing::subscriber::set_default(subscriber))
    }

    /// Every line, each a JSON object.
    fn lines(&self) -> Vec<Value> {
        let text = self.0.text();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    /// The lines of a request.
    fn of(&self, request_id: &str) -> Vec<Value> {
        let mut lines = self.lines();
        lines.retain(|line| in_span(line, "request_id", &json!(request_id)));
        lines
    }
}

fn in_span(line: &Value, field: &str, value: &Value) -> bool {
    let spans = line["spans"].as_array();
    spans.is_some_and(|spans| spans.iter().any(|span| span[field] == *value))
}

/// Sends a request under an id, and returns status, the answer's id, and its body.
async fn ask(request: reqwest::RequestBuilder) -> (StatusCode, String, Value) {
    let response = request.send().await.unwrap();
    let id = response.headers()["x-request-id"].to_str().unwrap().to_owned();
    let status = response.status();
    let text = response.text().await.unwrap();
    (
        status,
        id,
        serde_json::from_str(&text).unwrap_or(Value::String(text)),
    )
}

#[tokio::test]
async fn every_request_has_an_id_in_its_lines_its_answer_and_its_problem() {
    let (kept, _guard) = Log::start(telemetry::filter("debug"));
    let world = World::new().await;
    let create = |id: &str, order: i64| {
        let request = world.http.post(format!("{}/trade/inner/native", world.base));
        let payment = payment("WECHAT_PAY", order);
        request.header("x-request-id", id).json(&payment)
    };
    let (status, id, created) = ask(create("order-7.A_1", 1)).await;
    assert_eq!((status, id.as_str()), (StatusCode::OK, "order-7.A_1"));
    assert!(
        created["request_id"].is_null(),
        "only problems name it: {created}"
    );
    let lines = kept.of("order-7.A_1");
    // The call is made in a task of its own, and still is a part of the request.
    let call = lines.iter().find(|line| line["message"] == "channel answered");
    let call = call.unwrap_or_else(|| panic!("{lines:#?}"));
    let number: i64 = created["tradingOrderNo"].as_str().unwrap().parse().unwrap();
    assert!(in_span(call, "trading_order_no", &json!(number)), "{call}");
    let access: Vec<_> = lines
        .iter()
        .filter(|line| line["message"] == "answered")
        .collect();
    assert_eq!(access.len(), 1, "{lines:#?}");
    assert_eq!(access[0]["level"], "INFO");
    assert_eq!(access[0]["route"], "/trade/inner/native");
    assert_eq!(
        (&access[0]["status"], &access[0]["method"]),
        (&json!(200), &json!("POST"))
    );
    assert!(access[0]["duration_ms"].is_u64(), "{}", access[0]);

    // One that reads is told at `debug`, one that fails at `info`, with the id in its problem.
    let show = |number: &str| {
        world
            .http
            .get(format!("{}/trade/inner/tradings/{number}", world.base))
    };
    let (status, made, _) = ask(show(&number.to_string())).await;
    assert_eq!(status, StatusCode::OK);
    let lines = kept.of(&made);
    assert_eq!(
        (lines.len(), &lines[0]["level"]),
        (1, &json!("DEBUG")),
        "{lines:?}"
    );
    let (status, made, problem) = ask(show("5").header("x-request-id", "seen")).await;
    assert_eq!((status, made.as_str()), (StatusCode::NOT_FOUND, "seen"));
    assert_eq!(problem["request_id"], "seen", "{problem}");
    assert_eq!(kept.of("seen")[0]["level"], "INFO");
    // A failed request whose work is in a task of its own.
    let (status, _, problem) = ask(create("bad-amount", 2).json(&json!({}))).await;
    assert_eq!(
        (status, &problem["request_id"]),
        (StatusCode::BAD_REQUEST, &json!("bad-amount"))
    );

    // Whatever cannot be an id is replaced, and never repeated.
    let long = "x".repeat(65);
    for unsafe_id in ["", "a b", "a\"b", "编号", long.as_str()] {
        let request = show("5").header("x-request-id", unsafe_id.as_bytes());
        let (_, made, problem) = ask(request).await;
        assert_ne!(made, unsafe_id);
        assert_eq!(made.len(), 32, "{made}");
        assert_eq!(problem["request_id"], made.as_str());
    }
    let twice = show("5")
        .header("x-request-id", "one")
        .header("x-request-id", "two");
    assert_eq!(ask(twice).await.1.len(), 32);
}

#[tokio::test]
async fn health_and_metrics_are_not_logged_and_ticks_name_their_job() {
    let (kept, _guard) = Log::start(telemetry::filter("debug"));
    let world = World::new().await;
    for path in ["/livez", "/readyz", "/metrics"] {
        let (status, id, _) = ask(world.http.get(format!("{}{path}", world.base))).await;
        assert_eq!(status, StatusCode::OK, "{path}");
        assert_eq!(kept.of(&id), [] as [Value; 0], "{path}");
    }
    let number = world.paid("ALI_PAY", 1).await;
    let announced = json!("event announced");
    let lines = loop {
        let lines = kept.lines();
        if lines.iter().any(|line| line["message"] == announced) {
            break lines;
        }
        tokio::task::yield_now().await;
    };
    let line = lines.iter().find(|line| line["message"] == announced).unwrap();
    assert!(in_span(line, "job", &json!("relay_events")), "{line}");
    let ticked = line["spans"]
        .as_array()
        .unwrap()
        .iter()
        .any(|span| span["tick"].is_u64());
    assert!(ticked, "{line}");
    assert_eq!(line["trading_order_no"].to_string(), number);
}

#[tokio::test]
async fn a_filter_for_errors_keeps_the_ids() {
    let (kept, _guard) = Log::start(telemetry::filter("error"));
    let world = World::decorated(Arc::new(Panicking)).await;
    let request = world.http.get(format!("{}/trade/inner/tradings/5", world.base));
    let (status, id, problem) = ask(request.header("x-request-id", "boom")).await;
    assert_eq!((status, id.as_str()), (StatusCode::INTERNAL_SERVER_ERROR, "boom"));
    assert_eq!(problem["request_id"], "boom", "{problem}");
    let mut lines = kept.of("boom");
    lines.retain(|line| line["message"] == "a request handler panicked");
    assert_eq!(lines.len(), 1, "{lines:?}");
}

/// Looking for a trading panics.
#[derive(Debug)]
struct Panicking;

impl Gate for Panicking {
    async fn pass<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        assert_ne!(operation.name, "TradingStore::trading", "as the test wants");
        call.await
    }
}

impl Decorate for Panicking {
    fn store(&self, store: Arc<dyn TradeStore>) -> Arc<dyn TradeStore> {
        Arc::new(GatedStore::new(store, Self))
    }
}
