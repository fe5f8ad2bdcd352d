//! What the server does in a second, on every engine: measured from outside, at a process of its own, against the
//! sandbox, with the driver on the same machine.
//!
//! `cargo bench` takes minutes; `cargo bench -- --full` measures longer and with a million rows. `cargo test
//! --all-targets` runs it without `--bench`: everything once with a handful of rows, to show that it works.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a driver ends by panicking, and prints what it measures"
)]

#[path = "../../tests/common/broker.rs"]
mod broker;
mod letterbox;
mod load;
#[path = "../../tests/common/merchant.rs"]
mod merchant;
mod pending;
#[path = "../../tests/it/process.rs"]
#[allow(dead_code, reason = "the tests use all of it")]
mod process;
#[path = "../../../trade-store/tests/it/server.rs"]
#[allow(dead_code, reason = "the store's own tests use all of it")]
mod server;
mod shop;

use std::env;

use trade_sandbox::faults::{Fault, FaultKind};

use self::{
    load::rate,
    shop::{Engine, Shop, TICK_ROWS},
};

/// How much is done.
struct Scale {
    payments: i64,
    ticks: usize,
    pending: &'static [i64],
}

const HANDFUL: Scale = Scale {
    payments: 8,
    ticks: 2,
    pending: &[200],
};
const SHORT: Scale = Scale {
    payments: 1000,
    ticks: 20,
    pending: &[10_000, 100_000],
};
const FULL: Scale = Scale {
    payments: 5000,
    ticks: 50,
    pending: &[10_000, 100_000, 1_000_000],
};

/// Requests in flight, when the channel answers at once and when it takes its time.
const AT_ONCE: usize = 16;
const AT_ONCE_SLOW: usize = 64;
const SLOW_MS: u32 = 50;

/// What was measured at an engine: what, and how much.
struct Measured {
    engine: String,
    rows: Vec<(String, String)>,
}

impl Measured {
    fn add(&mut self, what: impl Into<String>, value: impl Into<String>) {
        let (what, value) = (what.into(), value.into());
        println!("{}: {what}: {value}", self.engine);
        self.rows.push((what, value));
    }
}

async fn payments(shop: &Shop, scale: &Scale, measured: &mut Measured) {
    let fast = shop.create(scale.payments, AT_ONCE).await;
    measured.add("payments, channel at 0 ms", fast.load.rate_and_latency());
    shop.sandbox.fault(Fault {
        times: u32::MAX,
        ..Fault::new(FaultKind::Delay { delay_ms: SLOW_MS })
    });
    let slow = shop.create(scale.payments, AT_ONCE_SLOW).await;
    shop.sandbox.withdraw_faults();
    measured.add(
        format!("payments, channel at {SLOW_MS} ms"),
        slow.load.rate_and_latency(),
    );
    let notices = shop.pay(&fast.numbers).await;
    let settled = shop.deliver(notices, AT_ONCE).await;
    measured.add("notices settled", settled.rate_and_latency());
    let (events, elapsed) = shop.relay().await;
    assert_eq!(
        events,
        scale.payments.unsigned_abs(),
        "one event for each payment"
    );
    measured.add("events announced", format!("{}/s", rate(events, elapsed)));
}

async fn ticks(shop: &Shop, scale: &Scale, rows: i64, measured: &mut Measured) {
    let raw = shop.outsider().await;
    // Enough that every busy tick finds some that the channel knows.
    let busy = scale.ticks.div_ceil(2);
    let known = TICK_ROWS * i64::try_from(busy).unwrap();
    shop.create(3 * known, AT_ONCE).await;
    pending::tradings(&raw, rows).await;
    for job in ["sync_trading", "close_expired", "sync_refund", "relay_events"] {
        let idle = shop.tick(job, scale.ticks).await;
        measured.add(
            format!("{job}, {rows} pending, none due"),
            idle.typical_and_worst(),
        );
    }
    pending::all_due(&raw).await;
    for job in ["sync_trading", "close_expired"] {
        let busy = shop.tick(job, busy).await;
        measured.add(
            format!("{job}, {rows} pending, all due"),
            busy.typical_and_worst(),
        );
    }
    pending::all_expired(&raw).await;
    for job in ["sync_trading", "close_expired"] {
        let busy = shop.tick(job, busy).await;
        measured.add(
            format!("{job}, {rows} pending, all expired"),
            busy.typical_and_worst(),
        );
    }
    let paid = shop.create(1, 1).await.numbers;
    let notices = shop.pay(&paid).await;
    shop.deliver(notices, 1).await;
    pending::events(&raw, rows).await;
    let relayed = shop.tick("relay_events", busy).await;
    measured.add(
        format!("relay_events, {rows} waiting, all due"),
        relayed.typical_and_worst(),
    );
    let scrape = shop.scrape(scale.ticks).await;
    measured.add(format!("/metrics, {rows} pending"), scrape.typical_and_worst());
    raw.close().await.unwrap();
}

async fn measure(engine: &Engine, scale: &Scale) -> Measured {
    let shop = Shop::open(engine).await;
    let mut measured = Measured {
        engine: shop.engine().await,
        rows: Vec::new(),
    };
    measured.add("memory at rest", shop.memory("VmRSS:"));
    payments(&shop, scale, &mut measured).await;
    measured.add("memory at most, under that load", shop.memory("VmHWM:"));
    shop.close().await;
    for &rows in scale.pending {
        let shop = Shop::open(engine).await;
        ticks(&shop, scale, rows, &mut measured).await;
        shop.close().await;
    }
    measured
}

/// The measures beside each other, as a table of Markdown.
fn print(all: &[Measured]) {
    let engines: Vec<_> = all.iter().map(|measured| measured.engine.as_str()).collect();
    println!("\n| | {} |", engines.join(" | "));
    println!("|---|{}", "---|".repeat(engines.len()));
    for (at, (what, _)) in all[0].rows.iter().enumerate() {
        let values: Vec<_> = all.iter().map(|measured| measured.rows[at].1.as_str()).collect();
        println!("| {what} | {} |", values.join(" | "));
    }
}

#[tokio::main]
async fn main() {
    let arguments: Vec<_> = env::args().collect();
    let has = |wanted: &str| arguments.iter().any(|argument| argument == wanted);
    let scale = match (has("--bench"), has("--full")) {
        (false, _) => HANDFUL,
        (true, false) => SHORT,
        (true, true) => FULL,
    };
    let mut all = Vec::new();
    for engine in Engine::all() {
        all.push(measure(&engine, &scale).await);
    }
    print(&all);
}
