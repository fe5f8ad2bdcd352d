//! The jobs and their settings: parts at once share the work, each job keeps its own interval, and a payer has as
//! long as the settings say.

use std::time::Duration;

use axum::http::StatusCode;
use futures_util::future::join_all;
use trade_core::{TradingOrderNo, port::CallStore};
use trade_server::{jobs::Job, wire::Environment};
use trade_store::SqlStore;

use crate::{
    metrics::samples,
    outer_jobs::{TOKEN, with_token},
    server::{self, Server},
    world::{World, bank},
};

const ROWS: u64 = 24;

/// A world whose own clockwork stands still, with more settings.
async fn standing(more: &[(&str, &str, &str)]) -> World {
    let still = [("jobs", "enabled", "false"), ("admin", "token", TOKEN)];
    World::set(&[&still, more].concat(), Environment::default().decorate).await
}

/// What a tick did: the rows that were due, that moved, that another had, and that failed.
async fn tick(world: &World, job: &str) -> [u64; 4] {
    let (status, report) = with_token(world, &format!("jobs/{job}")).await;
    assert_eq!(status, StatusCode::OK, "{report}");
    ["due", "changed", "taken", "failed"].map(|name| report[name].as_u64().unwrap())
}

async fn number(world: &World, channel: &str, order: i64) -> TradingOrderNo {
    let created = world.create(channel, order).await;
    TradingOrderNo::from_digits(created["tradingOrderNo"].as_str().unwrap()).unwrap()
}

/// Three parts that overlap, each asked for twice at the same moment.
async fn at_once(server: &Server) {
    let database = server.empty().await;
    let url = database.url();
    let world = standing(&[("store", "url", &url)]).await;
    let mut numbers = Vec::new();
    for order in 1..=i64::try_from(ROWS).unwrap() {
        numbers.push(number(&world, "WECHAT_PAY", order).await);
    }
    world.advance(Duration::from_secs(3600));
    let parts = [
        "close_expired?shardIndex=0&shardTotal=2",
        "close_expired?shardIndex=1&shardTotal=2",
        "close_expired",
    ];
    let reports = join_all(parts.iter().chain(&parts).map(|part| tick(&world, part))).await;
    let sum = |place: usize| reports.iter().map(|report| report[place]).sum::<u64>();
    assert_eq!((sum(1), sum(3)), (ROWS, 0), "{reports:?}");
    assert_eq!(tick(&world, "close_expired").await, [0; 4]);
    // Stopped, so that the record of the calls is whole.
    drop(world.stop().await);
    let store = SqlStore::connect(&url).await.unwrap();
    for number in numbers {
        let calls = store.calls_of(number).await.unwrap();
        let closes = calls.iter().filter(|call| call.operation == "close");
        assert_eq!(closes.count(), 1, "{calls:?}");
    }
    store.close().await.unwrap();
    database.end().await;
}

#[tokio::test(flavor = "multi_thread")]
async fn parts_that_tick_at_once_move_each_row_once() {
    for server in server::all() {
        at_once(&server).await;
    }
}

/// How often each job has ticked.
async fn ticks(world: &World) -> [u64; 5] {
    let counted = samples(world).await;
    Job::ALL.map(|job| {
        let sample = format!("trade_job_ticks_total{{job=\"{}\",outcome=\"ok\"}}", job.name());
        let ticked = counted.get(&sample).copied().unwrap_or_default();
        format!("{ticked:.0}").parse().unwrap()
    })
}

#[tokio::test]
async fn each_job_ticks_at_its_own_interval() {
    for (place, job) in Job::ALL.into_iter().enumerate() {
        let own = format!("{}_ms", job.name());
        let seldom = [("jobs", "interval_ms", "60000"), ("jobs", "prune_ms", "3600000")];
        let more = [&seldom[..], &[("jobs", own.as_str(), "10")]].concat();
        let world = World::set(&more, Environment::default().decorate).await;
        let ticked = async {
            loop {
                let counted = ticks(&world).await;
                // Compared with each other, so that a slow machine changes nothing.
                let seldom = (0..5).all(|other| other == place || counted[other] <= 2);
                assert!(seldom, "{job:?} {counted:?}");
                if counted[place] >= 30 && !counted.contains(&0) {
                    return;
                }
                tokio::time::sleep(Duration::from_millis(10)).await;
            }
        };
        let ticked = tokio::time::timeout(Duration::from_secs(120), ticked).await;
        ticked.unwrap_or_else(|_| panic!("{job:?} does not tick at its own interval"));
    }
}

#[tokio::test]
async fn a_payer_has_as_long_as_the_settings_say_and_the_channel_knows() {
    let world = standing(&[("server", "pay_within_mins", "5")]).await;
    world.hold_notices();
    let store = &world.server.service().ports().store;
    let mut numbers = Vec::new();
    for (channel, order) in ["WECHAT_PAY", "ALI_PAY"].into_iter().zip(1..) {
        let created_ms = world.sandbox.now_ms();
        let number = number(&world, channel, order).await;
        let expires_ms = store.trading(number).await.unwrap().unwrap().expires_at.ms();
        assert_eq!(expires_ms - created_ms, 5 * 60 * 1000, "{channel}");
        let ledger = world.sandbox.ledger();
        let known = ledger.order(bank(channel), &number.to_string());
        if let Some(order) = known {
            // The channels count in whole seconds.
            assert_eq!(order.payable_until_ms / 1000, expires_ms / 1000, "{channel}");
        }
        assert!(
            known.is_some() || channel == "ALI_PAY",
            "only Alipay knows nothing before a scan"
        );
        numbers.push(number.to_string());
    }
    world.advance(Duration::from_secs(4 * 60 + 58));
    assert_eq!(tick(&world, "close_expired").await[1], 0);
    for number in &numbers {
        assert_eq!(world.row(number).await["state"], "paying.placed");
    }
    world.advance(Duration::from_secs(3));
    assert_eq!(tick(&world, "close_expired").await[1], 2);
    for number in &numbers {
        assert_eq!(world.row(number).await["state"], "cancelled");
    }
}
