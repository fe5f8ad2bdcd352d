//! What all parts of a simulation share: true time, chance, the channels' books, and what was promised.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    future::{Future, poll_fn},
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
    time::Duration,
};

use fastrand::Rng;
use trade_core::{Channel, TradingOrderNo, memory::MemoryStore, service::TradeService};

use super::{
    Flaw,
    executor::{Owner, Task},
    ledger::Ledger,
    post::Letter,
};
use crate::{fixture::START, oracle::Promises};

/// A row that is stuck after so many retries is stuck for good.
const PATIENCE: u32 = 100;

/// How often things go wrong, in percent.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Weather {
    /// Calls to a channel.
    pub(super) calls: u8,
    /// Operations of the store.
    pub(super) store: u8,
    /// Deliveries of events.
    pub(super) sink: u8,
    /// Deliveries of notices that get lost.
    pub(super) post: u8,
    /// Actions that end an instance.
    pub(super) crashes: u8,
}

impl Weather {
    /// From calm to foul, and sometimes without any notice at all.
    pub(super) fn of(rng: &mut Rng) -> Self {
        let mut one_of = |choices: [u8; 4]| choices[rng.usize(0..4)];
        Self {
            calls: one_of([0, 10, 25, 50]),
            store: one_of([0, 0, 3, 10]),
            sink: one_of([0, 10, 30, 50]),
            post: one_of([0, 20, 60, 100]),
            crashes: one_of([0, 2, 4, 8]),
        }
    }
}

/// An instance of the service, when it runs.
#[derive(Debug, Default)]
pub(super) struct Node {
    pub(super) service: Option<TradeService>,
    /// How far its clock is off, in ms.
    pub(super) skew_ms: i64,
    /// How often it was started.
    pub(super) starts: u32,
}

pub(super) struct State {
    pub(super) rng: Rng,
    pub(super) now_ms: i64,
    pub(super) weather: Weather,
    pub(super) flaw: Option<Flaw>,
    pub(super) ledger: Ledger,
    pub(super) store: Arc<MemoryStore>,
    pub(super) nodes: Vec<Node>,
    pub(super) letters: Vec<Letter>,
    /// Codes that were handed out.
    pub(super) codes: Vec<(Channel, TradingOrderNo)>,
    /// Which refund a caller's number is of.
    pub(super) refund_numbers: BTreeMap<String, i64>,
    pub(super) promises: Promises,
    /// Calls to a channel, by trading.
    pub(super) calls: BTreeMap<TradingOrderNo, u32>,
    /// Whether store or books have changed since the oracle last looked.
    pub(super) changed: bool,
    /// What the parts found out themselves.
    pub(super) wrong: BTreeSet<String>,
    /// Tasks of instances that were begun, so that one can tell whether it was alone.
    pub(super) begun: u64,
    /// Tasks of instances that have not ended.
    pub(super) busy: usize,
    /// How often a person has had a row tried again; numbers of refunds are negative.
    pub(super) retried: BTreeMap<i64, u32>,
    /// Numbers that a flawed service changed.
    pub(super) renumbered: i64,
    story: Option<Vec<String>>,
    timers: BTreeMap<(i64, u64), Waker>,
    timers_set: u64,
    spawned: Vec<(Owner, Task)>,
}

impl State {
    pub(super) fn new(seed: u64, flaw: Option<Flaw>, told: bool) -> Self {
        let mut rng = Rng::with_seed(seed);
        Self {
            weather: Weather::of(&mut rng),
            rng,
            now_ms: START.ms(),
            flaw,
            ledger: Ledger::default(),
            store: Arc::default(),
            nodes: vec![Node::default(), Node::default()],
            letters: Vec::new(),
            codes: Vec::new(),
            refund_numbers: BTreeMap::new(),
            promises: Promises::default(),
            calls: BTreeMap::new(),
            changed: false,
            wrong: BTreeSet::new(),
            begun: 0,
            busy: 0,
            retried: BTreeMap::new(),
            renumbered: 0,
            story: told.then(Vec::new),
            timers: BTreeMap::new(),
            timers_set: 0,
            spawned: Vec::new(),
        }
    }

    /// Whether something that goes wrong so often goes wrong now.
    pub(super) fn chance(&mut self, percent: u8) -> bool {
        percent > 0 && self.rng.u8(0..100) < percent
    }

    /// Tells what happens, when somebody wants to know.
    pub(super) fn tell(&mut self, line: impl FnOnce() -> String) {
        let seconds = (self.now_ms - START.ms()) / 1000;
        let millis = (self.now_ms - START.ms()) % 1000;
        if let Some(story) = &mut self.story {
            story.push(format!("{seconds:>6}.{millis:03} {}", line()));
        }
    }

    pub(super) fn spawn(&mut self, owner: Owner, task: impl Future<Output = ()> + Send + 'static) {
        self.spawned.push((owner, Box::pin(task)));
    }

    /// An instance that runs, any of them.
    pub(super) fn some_node(&mut self) -> Option<(usize, TradeService)> {
        let running = |(index, node): (usize, &Node)| Some((index, node.service.clone()?));
        let mut running: Vec<_> = self.nodes.iter().enumerate().filter_map(running).collect();
        if running.is_empty() {
            return None;
        }
        let index = self.rng.usize(0..running.len());
        Some(running.swap_remove(index))
    }

    /// Whether a person has the patience to have a row tried once more.
    pub(super) fn retries(&mut self, row: i64) -> bool {
        let times = self.retried.entry(row).or_default();
        *times += 1;
        *times <= PATIENCE
    }

    /// When the next sleeper wakes.
    pub(super) fn next_timer(&self) -> Option<i64> {
        self.timers.keys().next().map(|(at, _)| *at)
    }
}

/// The state, shared.
#[derive(Clone)]
pub(super) struct World(Arc<Mutex<State>>);

impl fmt::Debug for World {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("World")
    }
}

impl World {
    pub(super) fn new(state: State) -> Self {
        Self(Arc::new(Mutex::new(state)))
    }

    pub(super) fn with<R>(&self, look: impl FnOnce(&mut State) -> R) -> R {
        look(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }

    pub(super) fn tell(&self, line: impl FnOnce() -> String) {
        self.with(|state| state.tell(line));
    }

    pub(super) fn spawn(&self, owner: Owner, task: impl Future<Output = ()> + Send + 'static) {
        self.with(|state| state.spawn(owner, task));
    }

    pub(super) fn take_spawned(&self) -> Vec<(Owner, Task)> {
        self.with(|state| std::mem::take(&mut state.spawned))
    }

    /// Lets others go first, or does not.
    pub(super) async fn pause(&self) {
        if self.with(|state| state.rng.bool()) {
            let mut paused = false;
            poll_fn(|context| {
                if paused {
                    return Poll::Ready(());
                }
                paused = true;
                context.waker().wake_by_ref();
                Poll::Pending
            })
            .await;
        }
    }

    pub(super) async fn sleep(&self, duration: Duration) {
        let ms = i64::try_from(duration.as_millis()).unwrap_or(i64::MAX);
        let until = self.with(|state| state.now_ms.saturating_add(ms));
        poll_fn(|context| {
            self.with(|state| {
                if state.now_ms >= until {
                    return Poll::Ready(());
                }
                state.timers_set += 1;
                let key = (until, state.timers_set);
                state.timers.insert(key, context.waker().clone());
                Poll::Pending
            })
        })
        .await;
    }

    /// Moves true time on and wakes whoever slept until then.
    pub(super) fn advance_to(&self, at_ms: i64) {
        let due = self.with(|state| {
            state.now_ms = state.now_ms.max(at_ms);
            let later = state.timers.split_off(&(state.now_ms + 1, 0));
            std::mem::replace(&mut state.timers, later)
        });
        due.into_values().for_each(Waker::wake);
    }

    /// Takes the world apart: its instances hold it, and it holds them.
    pub(super) fn end(&self) -> Vec<String> {
        let (nodes, timers, spawned, story) = self.with(|state| {
            (
                std::mem::take(&mut state.nodes),
                std::mem::take(&mut state.timers),
                std::mem::take(&mut state.spawned),
                state.story.take(),
            )
        });
        drop((nodes, timers, spawned));
        story.unwrap_or_default()
    }
}
