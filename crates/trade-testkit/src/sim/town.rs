//! Who goes next: chance picks a task that can go on, or has somebody begin something.

use std::sync::Arc;

use futures_util::FutureExt;
use trade_core::{
    Channel, Role, Snowflake,
    handler::{PayHandler, Registry},
    job,
    memory::MemoryLock,
    port::{Clock, IdSource, Lock},
    service::{Policy, Ports, TradeService},
};

use super::{
    Happened, Report, Setup,
    channel::SimChannel,
    client::ask,
    clock::NodeClock,
    executor::{Owner, Tasks},
    people,
    ports::{CallCounter, NoLock, SimSink},
    post::{MERCHANT, STRANGER, enterprise},
    shop,
    store::Network,
    world::{State, World},
};
use crate::{
    gated::GatedStore,
    oracle::{self, Faults, Rows},
};

/// Of a hundred steps, so many begin something although somebody could go on.
const EAGER: u8 = 20;
/// More tasks than this at once make a step nothing.
const CROWDED: usize = 24;
/// What one tick of a job takes on.
const BATCH: u32 = 10;

pub(super) struct Town {
    pub(super) world: World,
    pub(super) tasks: Tasks,
    steps: u32,
    /// Whether an instance has a lock of its own, or one that keeps nobody out.
    locked: bool,
    faults: Faults,
}

impl Town {
    pub(super) fn new(setup: &Setup) -> Self {
        let mut state = State::new(setup.seed, setup.flaw, setup.told);
        let locked = state.rng.bool();
        let (weather, two) = (state.weather, state.rng.bool());
        state.tell(|| format!("{weather:?}, a lock: {locked}, two instances: {two}"));
        let town = Self {
            world: World::new(state),
            tasks: Tasks::default(),
            steps: 0,
            locked,
            faults: Faults::new(),
        };
        town.start(0);
        if two {
            town.start(1);
        }
        town
    }

    pub(super) fn is_well(&self) -> bool {
        self.faults.is_empty()
    }

    pub(super) fn find(&mut self, fault: String) {
        self.faults.push(fault);
    }

    /// Lets the world go on for so many steps, or until something is wrong.
    pub(super) fn live(&mut self, steps: u32) {
        while self.steps < steps && self.is_well() {
            self.steps += 1;
            self.admit();
            let ready = self.tasks.ready();
            let eager = self.world.with(|state| state.chance(EAGER));
            if ready.is_empty() || (eager && ready.len() < CROWDED) {
                self.begin_something();
            } else {
                self.go_on(&ready);
            }
            self.judge();
        }
    }

    pub(super) fn go_on(&mut self, ready: &[usize]) {
        let place = self.world.with(|state| state.rng.usize(0..ready.len()));
        self.tasks.poll(ready[place]);
    }

    /// Takes in the tasks that others have begun.
    pub(super) fn admit(&mut self) {
        for (owner, task) in self.world.take_spawned() {
            self.tasks.admit(owner, task);
        }
        let busy = self.tasks.of(Owner::Node(0)) + self.tasks.of(Owner::Node(1));
        self.world.with(|state| state.busy = busy);
    }

    fn begin_something(&mut self) {
        let world = self.world.clone();
        match self.world.with(|state| state.rng.u8(0..100)) {
            0..28 => self.wait(),
            28..50 => self.tick(),
            50..74 => self.world.spawn(Owner::World, shop::act(world)),
            74..88 => people::pay(&world),
            88..91 => people::attack(&world),
            91..96 => self.operate(),
            96..98 => people::console_refund(&world),
            98 => self.world.with(|state| state.ledger.short = !state.ledger.short),
            _ => self.set_a_clock_wrong(),
        }
    }

    /// Time passes: until somebody wakes, for seconds, or for long.
    fn wait(&self) {
        let until = self.world.with(|state| match state.rng.u8(0..10) {
            0..6 => state.next_timer().unwrap_or(state.now_ms + 1_000),
            6..9 => state.now_ms + state.rng.i64(1..60_000),
            _ => state.now_ms + state.rng.i64(60_000..25 * 60_000),
        });
        self.world.advance_to(until);
    }

    /// A job's time has come at some instance.
    fn tick(&self) {
        let kind = self.world.with(|state| state.rng.u8(0..4));
        let world = self.world.clone();
        self.world.spawn(Owner::World, async move {
            let sink = SimSink(world.clone());
            ask(&world, async move |service| match kind {
                0 => job::sync_trading(&service, BATCH).await,
                1 => job::close_expired(&service, BATCH).await,
                2 => job::sync_refund(&service, BATCH).await,
                _ => job::relay_events(&service, &sink, BATCH).await,
            })
            .await;
        });
    }

    /// An instance ends without warning, or is started.
    fn operate(&mut self) {
        let (node, runs, ends) = self.world.with(|state| {
            let node = state.rng.usize(0..state.nodes.len());
            let runs = state.nodes[node].service.is_some();
            (node, runs, state.chance(state.weather.crashes.saturating_mul(8)))
        });
        if runs && ends {
            self.world.tell(|| format!("operator: instance {node} is gone"));
            let _gone = self.world.with(|state| state.nodes[node].service.take());
            self.tasks.kill(Owner::Node(node));
        } else if !runs && self.tasks.of(Owner::Node(node)) == 0 {
            self.start(node);
        }
    }

    fn set_a_clock_wrong(&self) {
        self.world.with(|state| {
            let node = state.rng.usize(0..state.nodes.len());
            let skew_ms = state.rng.i64(-600_000..600_000);
            state.nodes[node].skew_ms = skew_ms;
            state.tell(|| format!("operator: the clock of instance {node} is {skew_ms} ms off"));
        });
    }

    /// Starts an instance, which may fail as any start may.
    pub(super) fn start(&self, node: usize) {
        let world = self.world.clone();
        let locked = self.locked;
        self.world.spawn(Owner::Node(node), async move {
            if let Some(service) = service_of(&world, node, locked).await {
                world.with(|state| {
                    state.tell(|| format!("operator: instance {node} runs"));
                    state.nodes[node].service = Some(service);
                    state.nodes[node].starts += 1;
                });
            }
        });
    }

    /// Compares rows and books, when something has changed.
    pub(super) fn judge(&mut self) {
        let changed = self.world.with(|state| std::mem::take(&mut state.changed));
        if changed {
            self.compare(oracle::always);
        }
        let wrong = self.world.with(|state| std::mem::take(&mut state.wrong));
        self.faults.extend(wrong);
    }

    pub(super) fn compare(&mut self, question: fn(&Rows, &oracle::Truth, &oracle::Promises) -> Faults) {
        let rows = self.rows();
        let faults = self.world.with(|state| {
            let truth = state.ledger.truth(state.now_ms);
            question(&rows, &truth, &state.promises)
        });
        self.faults.extend(faults);
    }

    pub(super) fn rows(&self) -> Rows {
        let store = self.world.with(|state| Arc::clone(&state.store));
        let rows = Rows::read(&*store).now_or_never();
        rows.expect("memory never waits").expect("memory never fails")
    }

    pub(super) fn end(mut self, setup: &Setup) -> Report {
        let rows = self.rows();
        let surplus = |row: &&trade_core::Trading| row.role == Some(Role::Surplus);
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let happened = self.world.with(|state| {
            let orders = &state.ledger.orders;
            Happened {
                tradings: count(rows.tradings().count()),
                payments: count(orders.iter().filter(|order| order.paid_ms > 0).count()),
                surpluses: count(rows.tradings().filter(surplus).count()),
                refunds: count(state.ledger.refunds.len()),
                events: count(state.promises.announced.len()),
                starts: state.nodes.iter().map(|node| u64::from(node.starts)).sum(),
                most_calls: state.calls.values().copied().max().map_or(0, u64::from),
            }
        });
        self.tasks = Tasks::default();
        Report {
            seed: setup.seed,
            steps: setup.steps,
            faults: self.faults,
            happened,
            story: self.world.end(),
        }
    }
}

async fn service_of(world: &World, node: usize, locked: bool) -> Option<TradeService> {
    let clock: Arc<dyn Clock> = Arc::new(NodeClock {
        world: world.clone(),
        node,
    });
    let inner = world.with(|state| Arc::clone(&state.store));
    let store = Arc::new(GatedStore::new(inner, Network(world.clone())));
    let number = i64::try_from(node).ok()?;
    let marks = Arc::clone(&store);
    let ids = match Snowflake::start(number, Arc::clone(&clock), marks).await {
        Ok(ids) => ids,
        Err(error) => {
            world.tell(|| format!("operator: instance {node} does not start: {error}"));
            return None;
        }
    };
    let ids: Arc<dyn IdSource> = Arc::new(ids);
    let lock: Arc<dyn Lock> = if locked {
        Arc::new(MemoryLock::new(
            Arc::clone(&clock),
            std::time::Duration::from_secs(30),
        ))
    } else {
        Arc::new(NoLock)
    };
    let ports = Ports {
        store,
        registry: registry(world),
        clock,
        ids,
        lock,
        calls: Arc::new(CallCounter(world.clone())),
    };
    Some(TradeService::new(ports, Policy::default()))
}

/// The merchant at both channels, and a stranger whose notices the instance can verify too.
fn registry(world: &World) -> Registry {
    let merchants = [MERCHANT, STRANGER].map(enterprise);
    let handlers = merchants.into_iter().flat_map(|enterprise| {
        [Channel::WechatPay, Channel::AliPay].map(|channel| {
            let handler: Arc<dyn PayHandler> = Arc::new(SimChannel {
                world: world.clone(),
                channel,
                enterprise,
            });
            handler
        })
    });
    Registry::new(handlers)
}
