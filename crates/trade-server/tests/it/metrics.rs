//! What Prometheus reads.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::{Method, StatusCode};
use serde_json::json;
use trade_core::port::{StoreError, TradeStore};
use trade_sandbox::faults::{Fault, FaultKind};
use trade_server::wire::Decorate;
use trade_testkit::gated::{Gate, GatedStore, Operation};

use crate::world::{World, bank, payment};

/// Every sample of the metrics; the text is checked line by line.
#[expect(clippy::disallowed_types, reason = "Prometheus has no other numbers")]
pub(crate) async fn samples(world: &World) -> BTreeMap<String, f64> {
    let url = format!("{}/metrics", world.base);
    let response = world.http.get(url).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::OK);
    let content_type = response.headers()["content-type"].to_str().unwrap().to_owned();
    assert!(
        content_type.starts_with("application/openmetrics-text; version=1.0.0"),
        "{content_type}"
    );
    let text = response.text().await.unwrap();
    let text = text.strip_suffix("# EOF\n").unwrap();
    let mut samples = BTreeMap::new();
    let (mut helped, mut typed) = ("", ("", ""));
    let mut families = BTreeSet::new();
    for line in text.lines() {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            let (name, help) = rest.split_once(' ').unwrap();
            assert!(!help.is_empty() && families.insert(name), "{line}");
            helped = name;
        } else if let Some(rest) = line.strip_prefix("# TYPE ") {
            typed = rest.split_once(' ').unwrap();
        } else {
            let (sample, value) = line.rsplit_once(' ').unwrap();
            let name = sample.split('{').next().unwrap();
            let endings: &[&str] = match typed.1 {
                "gauge" => &[""],
                "counter" => &["_total"],
                "info" => &["_info"],
                "histogram" => &["_bucket", "_sum", "_count"],
                other => panic!("{other}: {line}"),
            };
            let known = endings
                .iter()
                .any(|ending| name == format!("{}{ending}", typed.0));
            assert!(known && helped == typed.0, "{line}");
            let new = samples.insert(sample.to_owned(), value.parse().unwrap());
            assert!(new.is_none(), "twice: {line}");
        }
    }
    samples
}

/// Reads the metrics again and again until a sample is at least as wanted: jobs need their
/// moment.
async fn until(world: &World, sample: &str, wanted: i32) {
    let mut last = None;
    for _ in 0..6000 {
        last = samples(world).await.get(sample).copied();
        if last >= Some(wanted.into()) {
            return;
        }
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    panic!("{sample} is {last:?}, not {wanted} or more");
}

#[tokio::test]
async fn rows_that_wait_and_run_are_counted() {
    let world = World::new().await;
    let empty = samples(&world).await;
    let of_the_store = [
        "trade_open_oldest_seconds",
        "trade_open_tradings",
        "trade_refund_oldest_seconds",
        "trade_running_refunds",
        "trade_stuck{kind=\"event\"}",
        "trade_stuck{kind=\"refund\"}",
        "trade_stuck{kind=\"trading\"}",
        "trade_unknown_oldest_seconds",
        "trade_unknown_refund_oldest_seconds",
        "trade_unknown_refunds",
        "trade_unknown_tradings",
        "trade_unsent_events",
        "trade_unsent_oldest_seconds",
        "trade_waiting_tradings",
        "trade_calls_dropped_total",
    ];
    for name in of_the_store {
        assert_eq!(empty[name], 0.0, "{name}");
    }
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(empty[&format!("trade_build_info{{version=\"{version}\"}}")], 1.0);
    let pool = |state: &str| format!("trade_database_connections{{pool=\"writer\",state=\"{state}\"}}");
    assert_eq!(
        empty[&pool("busy")] + empty[&pool("idle")],
        1.0,
        "SQLite has one writer"
    );

    world.create("ALI_PAY", 1).await;
    let number = world.paid("WECHAT_PAY", 2).await;
    for part in ["r-1", "r-2"] {
        let (status, refund) = world
            .post("/trade/inner/refunds", &World::part(part, &number, "5.00"))
            .await;
        assert_eq!(status, StatusCode::OK, "{refund}");
    }
    let counted = samples(&world).await;
    assert_eq!(
        (
            counted["trade_waiting_tradings"],
            counted["trade_running_refunds"]
        ),
        (1.0, 2.0),
        "{counted:?}"
    );
}

#[tokio::test]
async fn each_settlement_and_notice_is_counted_with_its_lag() {
    let world = World::new().await;
    world.hold_notices();
    for (channel, order) in ["WECHAT_PAY", "ALI_PAY"].into_iter().zip(1..) {
        let created = world.create(channel, order).await;
        let number = created["tradingOrderNo"].as_str().unwrap();
        world.pay(channel, number);
        // Nothing is told of the payment for forty-two seconds; then a job asks.
        world.advance(Duration::from_secs(42));
        world.until_state(number, "settled").await;
        let path = format!("/trade/inner/tradings/{number}");
        world.get(&path).await;
        let counted = samples(&world).await;
        let of = |ending: &str| counted[&format!("trade_paid_to_settled_seconds_{ending}")];
        assert_eq!(of(&format!("count{{channel=\"{channel}\"}}")), 1.0);
        // The channels tell whole seconds.
        let lag = of(&format!("sum{{channel=\"{channel}\"}}"));
        assert!((42.0..44.0).contains(&lag), "{channel}: {lag}");
        assert_eq!(of(&format!("bucket{{le=\"30.0\",channel=\"{channel}\"}}")), 0.0);
        assert_eq!(of(&format!("bucket{{le=\"60.0\",channel=\"{channel}\"}}")), 1.0);
    }

    let notice = world.tapped().await;
    let mut forged = notice.clone();
    forged.body.push(b' ');
    let mut stranger = notice.clone();
    stranger.path = stranger.path.replace("1001", "77");
    let mut huge = notice.clone();
    huge.body = vec![b'x'; 65 * 1024];
    for sent in [&notice, &notice, &forged, &stranger, &huge] {
        world.send(sent).await;
    }
    let counted = samples(&world).await;
    assert_eq!(counted["trade_notices_taken_total{channel=\"WECHAT_PAY\"}"], 2.0);
    for reason in ["bad_signature", "no_merchant", "unreadable"] {
        let name = format!("trade_notices_refused_total{{channel=\"WECHAT_PAY\",reason=\"{reason}\"}}");
        assert_eq!(counted.get(&name), Some(&1.0), "{name}: {counted:?}");
    }
    assert_eq!(
        counted["trade_paid_to_settled_seconds_count{channel=\"WECHAT_PAY\"}"], 1.0,
        "a repeated notice settles nothing"
    );
}

#[tokio::test]
async fn calls_errors_and_the_breaker_are_seen() {
    let world = World::new().await;
    let breaker = "trade_breaker_state{enterprise_id=\"1001\",channel=\"WECHAT_PAY\"}";
    assert_eq!(samples(&world).await[breaker], 0.0);
    world.create("WECHAT_PAY", 1).await;
    let counted = samples(&world).await;
    let place = |outcome: &str| {
        format!(
            "trade_channel_calls_total{{channel=\"WECHAT_PAY\",operation=\"place\",outcome=\"{outcome}\"}}"
        )
    };
    assert_eq!((counted[&place("ok")], counted[&place("unknown")]), (1.0, 0.0));
    let timed = "trade_channel_call_seconds_count{channel=\"WECHAT_PAY\",operation=\"place\"}";
    assert_eq!(counted[timed], 1.0);

    let garbage = Fault::new(FaultKind::Garbage).at(bank("WECHAT_PAY"));
    for order in 2..30 {
        world.sandbox.fault(garbage.clone());
        let payment = payment("WECHAT_PAY", order);
        let (status, problem) = world.post("/trade/inner/native", &payment).await;
        assert!(status.is_server_error(), "{problem}");
        if samples(&world).await[breaker] == 2.0 {
            break;
        }
    }
    let counted = samples(&world).await;
    assert_eq!(counted[breaker], 2.0, "{counted:?}");
    assert!(counted[&place("unknown")] >= 5.0, "{counted:?}");
    let errors = counted
        .iter()
        .filter(|(name, _)| name.starts_with("trade_channel_errors_total{channel=\"WECHAT_PAY\""));
    let errors: Vec<_> = errors.filter(|(_, count)| **count > 0.0).collect();
    assert!(!errors.is_empty(), "{counted:?}");
    let of_alipay = "trade_breaker_state{enterprise_id=\"1001\",channel=\"ALI_PAY\"}";
    assert_eq!(counted[of_alipay], 0.0, "each channel has its own");
    // What the breaker refuses is an error, and took no time at the channel.
    let before = counted[timed];
    let (_, problem) = world
        .post("/trade/inner/native", &payment("WECHAT_PAY", 99))
        .await;
    assert_eq!(problem["channel"]["certainty"], "not_sent", "{problem}");
    let counted = samples(&world).await;
    assert_eq!(counted[timed], before);
    let refused = "trade_channel_errors_total{channel=\"WECHAT_PAY\",code=\"BreakerOpen\"}";
    assert!(counted[refused] >= 1.0, "{counted:?}");
}

#[tokio::test]
async fn requests_are_counted_by_template_and_never_by_what_callers_write() {
    let world = World::new().await;
    world.create("WECHAT_PAY", 1).await;
    for number in 5..25 {
        world.get(&format!("/trade/inner/tradings/{number}")).await;
        world.get(&format!("/nowhere/{number}")).await;
    }
    for odd in ["BREW", "WHEN"] {
        let method = Method::from_bytes(odd.as_bytes()).unwrap();
        let request = world.http.request(method, format!("{}/livez", world.base));
        assert_eq!(
            request.send().await.unwrap().status(),
            StatusCode::METHOD_NOT_ALLOWED
        );
    }
    let counted = samples(&world).await;
    let of = |method: &str, route: &str, status: u16| {
        counted.get(&format!(
            "trade_http_requests_total{{method=\"{method}\",route=\"{route}\",status=\"{status}\"}}"
        ))
    };
    assert_eq!(of("POST", "/trade/inner/native", 200), Some(&1.0), "{counted:?}");
    assert_eq!(
        of("GET", "/trade/inner/tradings/{trading_order_no}", 404),
        Some(&20.0)
    );
    assert_eq!(of("GET", "unmatched", 404), Some(&20.0));
    assert_eq!(of("other", "/livez", 405), Some(&2.0));
    let timed = "trade_http_request_seconds_count{method=\"POST\",route=\"/trade/inner/native\"}";
    assert_eq!(counted[timed], 1.0);
}

#[tokio::test]
async fn jobs_tell_that_they_tick_and_what_they_do() {
    let world = World::new().await;
    world.paid("WECHAT_PAY", 1).await;
    until(
        &world,
        "trade_job_rows_total{job=\"relay_events\",outcome=\"changed\"}",
        1,
    )
    .await;
    let counted = samples(&world).await;
    for job in [
        "sync_trading",
        "close_expired",
        "sync_refund",
        "relay_events",
        "prune",
    ] {
        let ticks = counted[&format!("trade_job_ticks_total{{job=\"{job}\",outcome=\"ok\"}}")];
        let timed = counted[&format!("trade_job_tick_seconds_count{{job=\"{job}\"}}")];
        assert!(ticks >= 1.0 && timed >= 1.0, "{job}: {ticks} {timed}");
        let succeeded = counted[&format!("trade_job_last_success_timestamp_seconds{{job=\"{job}\"}}")];
        assert!(succeeded > 1e9, "{job}: {succeeded}");
    }
}

/// A store that cannot count, and whose looks for due rows fail, once it is told to.
#[derive(Debug, Clone, Default)]
struct Failing(Arc<AtomicBool>);

impl Gate for Failing {
    async fn pass<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        let fails = ["Census::counts", "RefundStore::due_refunds"].contains(&operation.name);
        if fails && self.0.load(Ordering::SeqCst) {
            return Err(StoreError {
                operation: "do what it was asked",
                source: "told to fail".into(),
            });
        }
        call.await
    }
}

impl Decorate for Failing {
    fn store(&self, store: Arc<dyn TradeStore>) -> Arc<dyn TradeStore> {
        Arc::new(GatedStore::new(store, self.clone()))
    }
}

#[tokio::test]
async fn a_store_that_is_down_is_told_and_hides_nothing_else() {
    let failing = Failing::default();
    let world = World::decorated(Arc::new(failing.clone())).await;
    assert_eq!(samples(&world).await["trade_store_up"], 1.0);
    failing.0.store(true, Ordering::SeqCst);
    let counted = samples(&world).await;
    assert_eq!(counted["trade_store_up"], 0.0);
    assert!(
        !counted.contains_key("trade_unsent_events"),
        "an unknown count is no zero"
    );
    assert!(counted.contains_key("trade_calls_dropped_total"), "{counted:?}");
    until(
        &world,
        "trade_job_ticks_total{job=\"sync_refund\",outcome=\"failed\"}",
        1,
    )
    .await;
}

/// The words of a text that look like names of our metrics.
fn names(text: &str) -> BTreeSet<String> {
    let words = text.split(|letter: char| !letter.is_ascii_alphanumeric() && letter != '_');
    let ours = words.filter(|word| word.starts_with("trade_"));
    ours.map(ToOwned::to_owned).collect()
}

#[tokio::test]
async fn every_metric_is_in_the_handbook_and_no_alarm_is_about_another() {
    let world = World::new().await;
    world.paid("WECHAT_PAY", 1).await;
    until(
        &world,
        "trade_job_rows_total{job=\"relay_events\",outcome=\"changed\"}",
        1,
    )
    .await;
    let number = json!(samples(&world).await.keys().collect::<Vec<_>>()).to_string();
    let mut given: BTreeSet<String> = samples(&world)
        .await
        .keys()
        .map(|sample| sample.split('{').next().unwrap().to_owned())
        .collect();
    // With Redis or a broker alone; their own tests read them.
    given.extend(["trade_redis_up", "trade_lock_failures_total", "trade_broker_up"].map(ToOwned::to_owned));
    let docs = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../docs");
    let alerts = fs::read_to_string(docs.join("alerts.example.yml")).unwrap();
    let alarmed = names(&alerts);
    assert!(alarmed.len() >= 12, "{alarmed:?}");
    for name in &alarmed {
        assert!(given.contains(name), "no such metric: {name}; there are {number}");
    }
    let handbook = fs::read_to_string(docs.join("operations.md")).unwrap();
    let (_, section) = handbook.split_once("## Metrics and alarms").unwrap();
    let section = section.split("\n## ").next().unwrap();
    let told = names(section);
    let base = |name: &String| {
        let ending = ["_bucket", "_sum", "_count"]
            .into_iter()
            .find_map(|ending| name.strip_suffix(ending));
        ending.unwrap_or(name).to_owned()
    };
    let given: BTreeSet<String> = given.iter().map(base).collect();
    let missing: Vec<_> = given.difference(&told).collect();
    let invented: Vec<_> = told.difference(&given).collect();
    assert!(
        missing.is_empty() && invented.is_empty(),
        "not in docs/operations.md: {missing:?}; not given: {invented:?}"
    );
}
