//! Whole worlds, by their seeds: what must hold holds in all of them, and whatever is made wrong shows.
//!
//! `SIM_SEEDS` says how many worlds, `SIM_FROM` the first one's seed, `SIM_STEPS` how long each goes on.
//! A world that fails prints how to see it again.
#![allow(
    clippy::expect_used,
    clippy::panic,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a test fails by panicking, and tells what it ran"
)]

use std::env;

use trade_testkit::sim::{self, Flaw, Setup};

/// Without optimisation a world takes a while; the full run says how many it wants.
const SEEDS: u64 = 400;
/// A flaw that shows in none of so many worlds shows in none.
const PATIENCE: u64 = 60_000;

fn number(name: &str, default: u64) -> u64 {
    match env::var(name) {
        Ok(text) => text
            .parse()
            .unwrap_or_else(|_| panic!("{name} is `{text}`, not a number")),
        Err(_) => default,
    }
}

fn setup() -> Setup {
    let steps = number("SIM_STEPS", 200);
    Setup {
        steps: u32::try_from(steps).expect("a number of steps"),
        ..Setup::default()
    }
}

#[test]
fn every_world_holds() {
    let (from, seeds) = (number("SIM_FROM", 0), number("SIM_SEEDS", SEEDS));
    let many = sim::run_many(from..from + seeds, &setup());
    println!("{} worlds from seed {from}: {:?}", many.worlds, many.happened);
    if let Some(report) = many.failed {
        panic!("{report}");
    }
    assert_eq!(many.worlds, seeds);
    // A world in which nothing happens proves nothing.
    let happened = many.happened;
    let (some, few) = (seeds / 2, seeds / 40);
    assert!(
        happened.tradings > 2 * some && happened.payments > some,
        "{happened:?}"
    );
    assert!(happened.refunds > some && happened.events > seeds, "{happened:?}");
    assert!(
        happened.surpluses > few && happened.starts > 2 * seeds,
        "{happened:?}"
    );
}

#[test]
fn what_once_failed_holds() {
    for line in include_str!("../seeds.txt")
        .lines()
        .filter(|line| !line.starts_with('#'))
    {
        let mut words = line.split_whitespace();
        let mut next = || {
            words
                .next()
                .expect("a seed and its steps")
                .parse()
                .expect("a number")
        };
        let seed: u64 = next();
        let steps = u32::try_from(next()).expect("a number of steps");
        let report = sim::run(&Setup {
            seed,
            steps,
            ..Setup::default()
        });
        assert!(report.faults.is_empty(), "{line}\n{report}");
    }
}

#[test]
fn a_seed_is_the_same_world_every_time() {
    for seed in 0..20 {
        let setup = Setup {
            seed,
            told: true,
            ..Setup::default()
        };
        let first = sim::run(&setup);
        assert!(first.story.len() > 20, "{first}");
        assert_eq!(first, sim::run(&setup));
        let untold = sim::run(&Setup { told: false, ..setup });
        assert_eq!((untold.happened, untold.faults), (first.happened, first.faults));
    }
}

#[test]
fn every_flaw_shows() {
    for flaw in Flaw::all() {
        let many = sim::run_many(
            0..PATIENCE,
            &Setup {
                flaw: Some(flaw),
                ..Setup::default()
            },
        );
        let Some(report) = many.failed else {
            panic!("{flaw} makes no difference in {PATIENCE} worlds: what it breaks is not looked at");
        };
        println!("{flaw}: seed {}, {}", report.seed, report.faults.join("; "));
        // The same world is well without the flaw: it is the flaw that shows.
        let sound = sim::run(&Setup {
            seed: report.seed,
            ..Setup::default()
        });
        assert!(sound.faults.is_empty(), "{flaw}: {sound}");
    }
}
