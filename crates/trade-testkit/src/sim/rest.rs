//! The end of a world: faults stop, and time runs from one due thing to the next until nothing is due.

use trade_core::{Role, Trading, job};

use super::{client::ask, executor::Owner, people, ports::SimSink, town::Town, world::Weather};
use crate::oracle;

/// A world that needs more rounds than this does not come to rest.
const ROUNDS: u32 = 1_000;
/// So long after an order was paid, no live trading can be paid beside a winner.
const LOSERS_GONE_MS: i64 = 10 * 60_000;
/// In so many rounds old codes are still paid.
const LATE_PAYERS: u32 = 30;
/// An instance that does not start is started again this much later.
const START_AGAIN_MS: i64 = 60_000;
/// What is due now is done within this time.
const STEP_MS: i64 = 1_000;

pub(super) fn bring_to_rest(town: &mut Town) {
    let began_ms = clear_up(town);
    for round in 0..ROUNDS {
        run_out(town);
        start_all(town);
        if !town.is_well() {
            return;
        }
        find_losers(town, began_ms);
        if round < LATE_PAYERS && town.world.with(|state| state.chance(10)) {
            people::pay(&town.world);
            continue;
        }
        retry_what_is_stuck(town);
        let Some(next_ms) = next_due(town) else {
            town.compare(oracle::at_rest);
            return;
        };
        town.world.advance_to(next_ms);
        all_jobs(town);
    }
    town.find(format!("it does not come to rest in {ROUNDS} rounds"));
}

/// The weather is fine, every instance runs, clocks are right, and there is money for refunds. Where no
/// notice came through before, none does now: whatever becomes known must be asked for.
fn clear_up(town: &mut Town) -> i64 {
    town.world.tell(|| "operator: clears up".to_owned());
    town.world.with(|state| {
        let mute = state.weather.post == 100;
        state.weather = Weather {
            post: if mute { 100 } else { 0 },
            ..Weather::default()
        };
        state.ledger.short = false;
        state.nodes.iter_mut().for_each(|node| node.skew_ms = 0);
    });
    run_out(town);
    town.world.with(|state| state.now_ms)
}

/// Starts what does not run. One whose clock was ahead does not start before time has caught up.
fn start_all(town: &mut Town) {
    for node in 0..2 {
        if town.world.with(|state| state.nodes[node].service.is_none()) {
            town.start(node);
        }
    }
    run_out(town);
}

/// Lets everybody go on until all of them wait for something.
fn run_out(town: &mut Town) {
    while town.is_well() {
        town.admit();
        let ready = town.tasks.ready();
        if ready.is_empty() {
            return;
        }
        town.go_on(&ready);
        town.judge();
    }
}

/// A person looks at what asks for one, and has it tried again.
fn retry_what_is_stuck(town: &Town) {
    let rows = town.rows();
    let tradings: Vec<_> = rows
        .tradings()
        .filter(|row| row.stuck.is_some())
        .map(|row| row.trading_order_no)
        .collect();
    let refunds: Vec<_> = rows
        .refunds()
        .filter(|row| row.stuck.is_some())
        .map(|row| row.refund_no)
        .collect();
    for number in tradings {
        if town.world.with(|state| state.retries(number.get())) {
            let world = town.world.clone();
            town.world.spawn(Owner::World, async move {
                ask(&world, async move |service| {
                    service.retry_trading(number).await.ok()
                })
                .await;
            });
        }
    }
    for number in refunds {
        if town.world.with(|state| state.retries(-number.get())) {
            let world = town.world.clone();
            town.world.spawn(Owner::World, async move {
                ask(&world, async move |service| {
                    service.retry_refund(number).await.ok()
                })
                .await;
            });
        }
    }
}

/// When the next thing is due: a sleeper, a row, an event, or the death of a code.
fn next_due(town: &mut Town) -> Option<i64> {
    town.admit();
    let rows = town.rows();
    town.world.with(|state| {
        let now_ms = state.now_ms;
        let due = |at: Option<trade_core::Timestamp>| at.map(trade_core::Timestamp::ms);
        let of_tradings = rows.tradings().filter_map(|row| due(row.next_check_at));
        let of_refunds = rows.refunds().filter_map(|row| due(row.next_check_at));
        let of_codes = state
            .ledger
            .orders
            .iter()
            .filter_map(|order| order.dies_at(now_ms));
        let of_events = (rows.unsent() > 0).then_some(now_ms + STEP_MS);
        let busy = (!town.tasks.ready().is_empty()).then_some(now_ms);
        let sleeper = state.next_timer();
        let down = state.nodes.iter().any(|node| node.service.is_none());
        let start = down.then_some(now_ms + START_AGAIN_MS);
        let all = of_tradings.chain(of_refunds).chain(of_codes);
        let next = all
            .chain(of_events)
            .chain(busy)
            .chain(sleeper)
            .chain(start)
            .min()?;
        Some(next.max(now_ms + STEP_MS))
    })
}

fn all_jobs(town: &Town) {
    let world = town.world.clone();
    town.world.spawn(Owner::World, async move {
        let sink = SimSink(world.clone());
        ask(&world, async move |service| {
            let limit = 50;
            let _trading = job::sync_trading(&service, limit).await;
            let _expired = job::close_expired(&service, limit).await;
            let _refund = job::sync_refund(&service, limit).await;
            let _events = job::relay_events(&service, &sink, limit).await;
        })
        .await;
    });
}

/// The order has been paid for a while: nobody should be able to pay it again.
fn find_losers(town: &mut Town, began_ms: i64) {
    let rows = town.rows();
    let now_ms = town.world.with(|state| state.now_ms);
    let is_old = |row: &&Trading| row.updated_at.ms().max(began_ms) + LOSERS_GONE_MS < now_ms;
    let winners = rows.tradings().filter(|row| row.role == Some(Role::Winner));
    let orders: Vec<_> = winners.filter(is_old).map(|row| row.product_order_no).collect();
    // What has expired is closed too, but after failures not so soon.
    let fresh = |row: &&Trading| row.state.is_live() && row.expires_at.ms() > now_ms;
    let losers = rows
        .tradings()
        .filter(fresh)
        .filter(|row| orders.contains(&row.product_order_no));
    let found: Vec<_> = town.world.with(|state| {
        let mut can_be_paid = |number| {
            state
                .ledger
                .order(number)
                .is_some_and(|order| order.payable(now_ms))
        };
        let numbers = losers.map(|row| row.trading_order_no);
        numbers.filter(|number| can_be_paid(*number)).collect()
    });
    for number in found {
        town.find(format!("{number} can still be paid beside a winner"));
    }
}
