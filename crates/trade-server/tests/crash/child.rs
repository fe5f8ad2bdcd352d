//! The server as a process of its own: it does what its parent says on standard input.

use std::{
    env,
    io::{BufRead, stdin},
    path::PathBuf,
    sync::{Arc, OnceLock},
};

use tokio::net::TcpListener;
use trade_core::{SystemRandom, job};
use trade_server::{
    config::Settings,
    serve::{self, Running},
    wire::Environment,
};

use super::{clock::ToldClock, points::Points, ports::Around};

/// Where its files are; without it, this is no child.
pub(crate) const FOLDER: &str = "CRASH_FOLDER";
/// Where it listens.
pub(crate) const PORT: &str = "CRASH_PORT";
/// What time it is, in epoch ms, until the parent says otherwise.
pub(crate) const NOW: &str = "CRASH_NOW";
/// The fail point at which it ends, if any.
pub(crate) const AT: &str = "CRASH_AT";
/// What each line to the parent begins with: the test harness writes lines of its own.
pub(crate) const SAYS: &str = "child: ";

/// Not a test: what a test starts.
#[test]
fn run() {
    let Ok(folder) = env::var(FOLDER) else {
        return;
    };
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.unwrap().block_on(serve_until_told(PathBuf::from(folder)));
}

fn variable(name: &str) -> String {
    env::var(name).unwrap_or_else(|_| panic!("{name} is not set"))
}

async fn serve_until_told(folder: PathBuf) {
    let now_ms: i64 = variable(NOW).parse().unwrap();
    let clock = Arc::new(ToldClock::new(now_ms));
    let text = std::fs::read_to_string(folder.join("trade.toml")).unwrap();
    let settings = Settings::from_toml(&text).unwrap();
    let around = Arc::new(Around {
        points: Arc::new(Points::new(&folder, env::var(AT).ok())),
        folder,
        sink: OnceLock::new(),
    });
    let environment = Environment {
        clock: clock.clone(),
        random: Arc::new(SystemRandom),
        decorate: around.clone(),
    };
    let listener = TcpListener::bind(format!("127.0.0.1:{}", variable(PORT)))
        .await
        .unwrap();
    let server = serve::start(&settings, listener, environment).await.unwrap();
    println!("{SAYS}ready");
    obey(&server, &around, &clock).await;
}

async fn obey(server: &Running, around: &Around, clock: &ToldClock) {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    std::thread::spawn(move || {
        for line in stdin().lock().lines() {
            let Ok(line) = line else {
                return;
            };
            if tell.send(line).is_err() {
                return;
            }
        }
    });
    while let Some(line) = told.recv().await {
        match line.split_once(' ') {
            Some(("now", ms)) => clock.set(ms.parse().unwrap()),
            None if line == "tick" => tick(server, around).await,
            _ => panic!("`{line}` is nothing a child does"),
        }
        println!("{SAYS}done");
    }
}

/// Every job once, in the order of their names.
async fn tick(server: &Running, around: &Around) {
    let (service, sink) = (server.service(), around.sink.get().unwrap());
    let limit = 50;
    // A tick that fails is tried again by the next one, as in the clockwork of the jobs.
    let _closed = job::close_expired(service, limit).await;
    let _relayed = job::relay_events(service, &**sink, limit).await;
    let _refunded = job::sync_refund(service, limit).await;
    let _synced = job::sync_trading(service, limit).await;
}
