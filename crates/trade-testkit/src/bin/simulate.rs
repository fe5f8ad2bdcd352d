//! Runs worlds of the simulation: many by their seeds, or one with its story.
#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it is a program for people"
)]

use std::process::ExitCode;

use clap::Parser;
use trade_core::{SystemClock, port::Clock};
use trade_testkit::sim::{self, Flaw, Setup};

/// Runs the simulation of the payment services and says what was wrong, if anything was.
#[derive(Debug, Parser)]
struct Arguments {
    /// The one world to run; without it, many are run.
    #[arg(long)]
    seed: Option<u64>,
    /// How many worlds to run.
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// The first of them.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// How many steps a world has before faults stop.
    #[arg(long, default_value_t = 200)]
    steps: u32,
    /// What is to be wrong with the service: the name of a guard, `NewTradeNumber` or `NewRefundNumber`.
    #[arg(long)]
    without: Option<String>,
    /// Tells what happened, line by line.
    #[arg(long)]
    story: bool,
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    let mut setup = Setup {
        steps: arguments.steps,
        told: arguments.story,
        ..Setup::default()
    };
    if let Some(name) = &arguments.without {
        let flaws = Flaw::all();
        let Some(flaw) = flaws.iter().find(|flaw| flaw.to_string() == *name) else {
            let names: Vec<_> = flaws.iter().map(ToString::to_string).collect();
            eprintln!(
                "there is no `{name}` to be without; there are: {}",
                names.join(", ")
            );
            return ExitCode::from(2);
        };
        setup.flaw = Some(*flaw);
    }
    let failed = match arguments.seed {
        Some(seed) => {
            let report = sim::run(&Setup { seed, ..setup });
            print!("{report}");
            !report.faults.is_empty()
        }
        None => many(&arguments, &setup),
    };
    ExitCode::from(u8::from(failed))
}

fn many(arguments: &Arguments, setup: &Setup) -> bool {
    let clock = SystemClock::default();
    let started = clock.monotonic();
    let many = sim::run_many(
        arguments.from..arguments.from.saturating_add(arguments.seeds),
        setup,
    );
    println!(
        "{} worlds of {} steps in {:.1} s: {:?}",
        many.worlds,
        setup.steps,
        clock.monotonic().saturating_sub(started).as_secs_f64(),
        many.happened
    );
    if let Some(report) = &many.failed {
        print!("{report}");
    }
    many.failed.is_some()
}
