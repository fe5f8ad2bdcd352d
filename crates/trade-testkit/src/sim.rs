//! A whole world in one thread: two instances of the service over one store, both channels with their
//! books, shops, payers, an attacker and an operator; chance decides who goes next, and time is a number.
//!
//! ```
//! use trade_testkit::sim::{self, Setup};
//!
//! let report = sim::run(&Setup { seed: 7, ..Setup::default() });
//! assert!(report.faults.is_empty(), "{report}");
//! ```
//!
//! One seed is one run, the same every time. At every step that changed something the [oracle](crate::oracle)
//! compares the rows with the channels' books; in the end faults stop, time runs past every deadline, and
//! what must hold at rest is asked too. The program `simulate` runs seeds and tells their story.

mod channel;
mod client;
mod clock;
mod executor;
mod flaw;
mod ledger;
mod many;
mod people;
mod ports;
mod post;
mod rest;
mod shop;

mod store;
mod town;
mod world;

use std::fmt;

pub use flaw::Flaw;
pub use many::{Many, run_many};

use crate::oracle::Faults;

/// How a world begins, and how long it goes on.
#[derive(Debug, Clone, Copy)]
pub struct Setup {
    /// Decides everything that chance decides.
    pub seed: u64,
    /// So many times somebody does something, before faults stop.
    pub steps: u32,
    /// What is wrong with the service, to see whether it is noticed.
    pub flaw: Option<Flaw>,
    /// Whether the story is told: what happened, line by line.
    pub told: bool,
}

impl Default for Setup {
    fn default() -> Self {
        Self {
            seed: 0,
            steps: 200,
            flaw: None,
            told: false,
        }
    }
}

/// What became of a world.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Report {
    /// Its seed.
    pub seed: u64,
    /// How many steps it had.
    pub steps: u32,
    /// What was wrong, a sentence each; nothing, when all is well.
    pub faults: Faults,
    /// What happened in it, so that one can see that something did.
    pub happened: Happened,
    /// What happened, line by line, if it was to be told.
    pub story: Vec<String>,
}

/// How much happened in a world, or in many.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Happened {
    /// Tradings that were begun.
    pub tradings: u64,
    /// Orders that were paid at a channel, second payments among them.
    pub payments: u64,
    /// Payments of orders that were paid already.
    pub surpluses: u64,
    /// Refunds at a channel.
    pub refunds: u64,
    /// Events that were announced, repeats among them.
    pub events: u64,
    /// Starts of an instance.
    pub starts: u64,
    /// The most calls to a channel that one trading caused.
    pub most_calls: u64,
}

impl Happened {
    /// Adds what happened in another world.
    pub fn add(&mut self, other: &Self) {
        self.tradings += other.tradings;
        self.payments += other.payments;
        self.surpluses += other.surpluses;
        self.refunds += other.refunds;
        self.events += other.events;
        self.starts += other.starts;
        self.most_calls = self.most_calls.max(other.most_calls);
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for line in &self.story {
            writeln!(f, "{line}")?;
        }
        writeln!(f, "seed {} of {} steps:", self.seed, self.steps)?;
        for fault in &self.faults {
            writeln!(f, "  {fault}")?;
        }
        if self.faults.is_empty() {
            return writeln!(f, "  all is well");
        }
        writeln!(
            f,
            "see it again: cargo run --profile sim -p trade-testkit --features mutants --bin simulate -- --seed {} \
             --steps {} --story",
            self.seed, self.steps
        )
    }
}

/// Runs one world from its beginning to its rest.
#[must_use]
pub fn run(setup: &Setup) -> Report {
    let _on_again = setup.flaw.map(Flaw::begin);
    let mut town = town::Town::new(setup);
    town.live(setup.steps);
    if town.is_well() {
        rest::bring_to_rest(&mut town);
    }
    town.end(setup)
}
