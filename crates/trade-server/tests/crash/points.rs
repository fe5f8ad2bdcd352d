//! Fail points: named places at which the process can be made to end.

use std::{
    collections::BTreeMap,
    fs::{File, OpenOptions},
    io::Write,
    path::Path,
    sync::{Mutex, PoisonError},
};

/// Counts how often each place is reached, and ends the process at one of them.
#[derive(Debug)]
pub(crate) struct Points {
    end_at: Option<String>,
    reached: Mutex<Reached>,
}

#[derive(Debug)]
struct Reached {
    times: BTreeMap<String, u32>,
    log: File,
}

/// Where a process writes which points it has reached.
pub(crate) const LOG: &str = "points.log";

impl Points {
    pub(crate) fn new(folder: &Path, end_at: Option<String>) -> Self {
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .open(folder.join(LOG));
        let reached = Reached {
            times: BTreeMap::new(),
            log: log.unwrap(),
        };
        Self {
            end_at,
            reached: Mutex::new(reached),
        }
    }

    /// A place was reached, for the first, second, ... time: `name:before#1`.
    pub(crate) fn reach(&self, name: &str, side: &str) {
        let mut reached = self.reached.lock().unwrap_or_else(PoisonError::into_inner);
        let place = format!("{name}:{side}");
        let times = reached.times.entry(place.clone()).or_default();
        *times += 1;
        let point = format!("{place}#{times}");
        writeln!(reached.log, "{point}").unwrap();
        if self.end_at.as_ref() == Some(&point) {
            // No destructor runs, nothing is flushed: as when the machine is gone.
            std::process::abort();
        }
    }
}
