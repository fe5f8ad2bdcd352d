//! Every fail point once.

use std::{
    env,
    sync::{
        Mutex, OnceLock,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use trade_sandbox::SandboxKeys;
use trade_testkit::oracle::Faults;

use super::{
    engines::{self, Empty, Server},
    points::LOG,
    rest, scenario,
    server::World,
};

/// Names one point to run alone.
const ONLY: &str = "CRASH_ONLY";
/// Sweeps every point, when set; otherwise one of each run of points between which nothing is written.
const EVERY: &str = "CRASH_EVERY";

/// How often jobs tick beside the callers is chance: a point that was not reached is tried so many times.
const ROUNDS: u32 = 5;

/// What became of one server.
pub(crate) struct Run {
    pub(crate) faults: Faults,
    /// The points its processes reached, in order.
    pub(crate) reached: Vec<String>,
    /// How often one of them ended before its time.
    pub(crate) ends: u32,
}

/// Keys take seconds to make; one set serves every world.
pub(crate) fn keys() -> &'static SandboxKeys {
    static KEYS: OnceLock<SandboxKeys> = OnceLock::new();
    KEYS.get_or_init(|| SandboxKeys::generate(Some(7)).unwrap())
}

/// Plays the scenario on a server that ends at that point, and brings it to rest.
pub(crate) fn run(end_at: Option<&str>, engine: Option<&Server>) -> Run {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(1)
        .enable_all()
        .build();
    runtime.unwrap().block_on(async {
        let database = match engine {
            Some(engine) => Some(engine.empty().await),
            None => None,
        };
        let url = database.as_ref().map(Empty::url);
        let mut world = World::new(keys(), end_at, url.as_deref()).await;
        let promises = scenario::play(&mut world).await;
        let faults = rest::judge(&mut world, promises, url.as_deref()).await;
        let log = std::fs::read_to_string(world.folder.path().join(LOG)).unwrap();
        let ends = world.ends;
        drop(world);
        if let Some(database) = database {
            database.end().await;
        }
        Run {
            faults,
            reached: log.lines().map(ToOwned::to_owned).collect(),
            ends,
        }
    })
}

#[test]
fn the_server_may_end_wherever_it_waits() {
    end_wherever_it_waits(None);
}

#[test]
fn so_it_may_with_its_store_on_a_database_server() {
    for engine in engines::all() {
        println!("{engine:?}");
        end_wherever_it_waits(Some(&engine));
    }
}

fn end_wherever_it_waits(engine: Option<&Server>) {
    if let Ok(point) = env::var(ONLY) {
        let run = run(Some(&point), engine);
        assert_eq!(run.ends, 1, "{point} is never reached");
        assert!(run.faults.is_empty(), "{:#?}", run.faults);
        return;
    }
    let quiet = run(None, engine);
    assert!(quiet.faults.is_empty(), "without any crash: {:#?}", quiet.faults);
    assert_eq!(quiet.ends, 0);
    let all = quiet.reached.len();
    let points = match env::var(EVERY) {
        Ok(_) => quiet.reached,
        Err(_) => that_differ(&quiet.reached),
    };
    println!("{} of {all} fail points", points.len());
    let count = points.len();
    let mut missed = points;
    for round in 1..=ROUNDS {
        missed = sweep(&missed, engine);
        // The background writer of the calls keeps no order: one of its points may not come up again.
        missed.retain(|point| !point.starts_with("CallStore::"));
        println!("round {round}: {} not reached: {missed:?}", missed.len());
        if missed.is_empty() {
            return;
        }
    }
    assert!(
        missed.len() * 20 < count,
        "too many are never reached again: {missed:?}"
    );
}

/// From one call that writes to the next, a server leaves the same behind wherever it ends: of those
/// points the first is enough.
fn that_differ(reached: &[String]) -> Vec<String> {
    let first = reached.iter().take(1);
    let after = reached.iter().filter(|point| point.contains(":after#"));
    first.chain(after).cloned().collect()
}

/// Ends a server at each point, two at a time. Which of them were not reached.
fn sweep(points: &[String], engine: Option<&Server>) -> Vec<String> {
    let next = AtomicUsize::new(0);
    let (missed, wrong) = (Mutex::new(Vec::new()), Mutex::new(Vec::new()));
    let cores = thread::available_parallelism().map_or(1, usize::from);
    thread::scope(|scope| {
        for _ in 0..cores {
            scope.spawn(|| {
                while let Some(point) = points.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let run = run(Some(point), engine);
                    if run.ends == 0 {
                        missed.lock().unwrap().push(point.clone());
                    }
                    if !run.faults.is_empty() {
                        let again = format!("{ONLY}={point} cargo test -p trade-server --test crash sweep");
                        let faults = run.faults.join("\n  ");
                        wrong
                            .lock()
                            .unwrap()
                            .push(format!("ended at {point}:\n  {faults}\n  again: {again}"));
                    }
                }
            });
        }
    });
    let wrong: Vec<String> = wrong.into_inner().unwrap();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
    missed.into_inner().unwrap()
}
