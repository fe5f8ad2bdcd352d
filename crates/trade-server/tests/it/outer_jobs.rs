//! Jobs run from outside, in parts, and the token that this takes.

use std::{
    sync::{
        Arc, OnceLock,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use async_trait::async_trait;
use axum::http::StatusCode;
use serde_json::Value;
use trade_core::{
    Event,
    port::{EventSink, SinkError},
};
use trade_server::wire::{Decorate, Environment};

use crate::world::World;

pub(crate) const TOKEN: &str = "canary-0123456789-0123456789";

/// A world whose own clockwork stands still.
async fn world() -> World {
    let more = [("jobs", "enabled", "false"), ("admin", "token", TOKEN)];
    World::set(&more, Environment::default().decorate).await
}

async fn run(world: &World, path: &str, authorization: Option<&str>) -> (StatusCode, Value) {
    let mut request = world.http.post(format!("{}/trade/admin/{path}", world.base));
    if let Some(value) = authorization {
        request = request.header("authorization", value);
    }
    let response = request.send().await.unwrap();
    let status = response.status();
    (status, response.json().await.unwrap())
}

pub(crate) async fn with_token(world: &World, path: &str) -> (StatusCode, Value) {
    run(world, path, Some(&format!("Bearer {TOKEN}"))).await
}

#[tokio::test]
async fn parts_together_do_all_of_the_work_and_each_only_its_own() {
    let world = world().await;
    world.hold_notices();
    let mut numbers = Vec::new();
    for order in 1..=9 {
        let created = world.create("WECHAT_PAY", order).await;
        numbers.push(created["tradingOrderNo"].as_str().unwrap().to_owned());
    }
    world.advance(Duration::from_secs(3600));
    let mut done = 0;
    for index in 0..3 {
        let path = format!("jobs/close_expired?shardIndex={index}&shardTotal=3&count=100");
        let (status, report) = with_token(&world, &path).await;
        assert_eq!(status, StatusCode::OK, "{report}");
        done += report["changed"].as_u64().unwrap();
        for number in &numbers {
            let is_in_part = number.parse::<u64>().unwrap() % 3 <= index;
            let state = world.row(number).await["state"].clone();
            assert_eq!(
                state == "cancelled",
                is_in_part,
                "{number} after part {index}: {state}"
            );
        }
    }
    assert_eq!(done, 9);
    let (_, report) = with_token(&world, "jobs/relay_events?count=1").await;
    assert_eq!(report["changed"], 1, "{report}");
    let (_, report) = with_token(&world, "jobs/relay_events").await;
    assert_eq!(report["changed"], 8, "{report}");
}

#[tokio::test]
async fn who_has_no_token_starts_nothing() {
    let world = world().await;
    let wrong = [
        None,
        Some("Bearer canary".to_owned()),
        Some(format!("Basic {TOKEN}")),
        Some(TOKEN.to_owned()),
    ];
    for path in ["jobs/sync_trading", "tradings/1/retry"] {
        for authorization in &wrong {
            let (status, problem) = run(&world, path, authorization.as_deref()).await;
            assert_eq!(status, StatusCode::UNAUTHORIZED, "{path} {authorization:?}");
            let text = problem.to_string();
            assert!(text.contains("admin.token") && !text.contains(TOKEN), "{text}");
        }
    }
    let (status, _) = world.get("/trade/admin/stuck").await;
    assert_eq!(status, StatusCode::UNAUTHORIZED);
    let small = run(&world, "jobs/prune", Some(&format!("bearer {TOKEN}"))).await;
    assert_eq!(small.0, StatusCode::OK, "the scheme's case does not matter");
}

#[tokio::test]
async fn without_a_token_in_the_settings_jobs_are_closed_and_the_rest_is_open() {
    let world = World::new().await;
    let (status, problem) = run(&world, "jobs/sync_trading", Some("Bearer x")).await;
    assert_eq!(status, StatusCode::FORBIDDEN);
    assert!(problem.to_string().contains("admin.token"), "{problem}");
    assert_eq!(world.get("/trade/admin/stuck").await.0, StatusCode::OK);
}

#[tokio::test]
async fn what_makes_no_sense_is_refused_by_name() {
    let world = world().await;
    for (path, status, told) in [
        ("jobs/nothing", StatusCode::NOT_FOUND, "sync_refund"),
        (
            "jobs/sync_trading?shardIndex=0",
            StatusCode::BAD_REQUEST,
            "shardTotal",
        ),
        (
            "jobs/sync_trading?shardTotal=2",
            StatusCode::BAD_REQUEST,
            "shardIndex",
        ),
        (
            "jobs/sync_trading?shardIndex=2&shardTotal=2",
            StatusCode::BAD_REQUEST,
            "shardIndex",
        ),
        (
            "jobs/sync_trading?shardIndex=0&shardTotal=0",
            StatusCode::BAD_REQUEST,
            "shardIndex",
        ),
        (
            "jobs/sync_trading?shardIndex=-1&shardTotal=2",
            StatusCode::BAD_REQUEST,
            "shardIndex",
        ),
        (
            "jobs/sync_trading?shardIndex=x&shardTotal=2",
            StatusCode::BAD_REQUEST,
            "shardIndex",
        ),
        ("jobs/sync_trading?count=0", StatusCode::BAD_REQUEST, "count"),
        (
            "jobs/sync_trading?count=99999999999",
            StatusCode::BAD_REQUEST,
            "count",
        ),
    ] {
        let (answered, problem) = with_token(&world, path).await;
        assert_eq!(answered, status, "{path}: {problem}");
        assert!(
            problem["detail"].as_str().unwrap().contains(told),
            "{path}: {problem}"
        );
    }
}

/// A sink that panics at the first event it is offered.
#[derive(Debug, Default)]
struct Panics {
    offered: AtomicU32,
    inner: OnceLock<Arc<dyn EventSink>>,
}

#[async_trait]
impl EventSink for Panics {
    async fn publish(&self, event: &Event) -> Result<(), SinkError> {
        assert!(self.offered.fetch_add(1, Ordering::SeqCst) > 0, "the first event");
        self.inner.get().unwrap().publish(event).await
    }
}

#[derive(Debug)]
struct WithPanics(Arc<Panics>);

impl Decorate for WithPanics {
    fn sink(&self, sink: Arc<dyn EventSink>) -> Arc<dyn EventSink> {
        self.0.inner.set(sink).unwrap();
        self.0.clone()
    }
}

#[tokio::test]
async fn a_job_whose_tick_panics_ticks_again() {
    let panics = Arc::new(Panics::default());
    let world = World::decorated(Arc::new(WithPanics(Arc::clone(&panics)))).await;
    world.paid("ALI_PAY", 1).await;
    while panics.offered.load(Ordering::SeqCst) == 0 {
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
    // The claim of the tick that panicked ends.
    world.advance(Duration::from_secs(31));
    world
        .until("/metrics", |text| {
            text.to_string().contains("trade_unsent_events 0")
        })
        .await;
    assert!(panics.offered.load(Ordering::SeqCst) > 1);
}
