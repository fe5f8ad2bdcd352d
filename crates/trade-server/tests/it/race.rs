//! Sixty-four at a barrier, on the real server and every engine of the store; with the lock of the process, with
//! that of Redis, with one that ends while its owner is at work, and with one that keeps nobody out.

use std::{sync::Arc, time::Duration};

use axum::http::StatusCode;
use futures_util::future::join_all;
use serde_json::{Value, json};
use tokio::sync::Barrier;
use trade_core::Timestamp;
use trade_server::wire::Decorate;
use trade_testkit::oracle::{self, Promises, Rows};

use crate::{
    books::{codes_die_at, truth},
    locks::{WithRedis, WithoutLock},
    server::{self, Server},
    world::{World, bank, payment},
};

const TASKS: usize = 64;
/// A world that needs more rounds does not come to rest. Most of them wait for the jobs of a busy machine.
const ROUNDS: u32 = 5_000;

/// As the server has it.
const LEASE: Duration = Duration::from_secs(30);
/// Over before anything is done: the lock ends while its owner is at work, and the next one has it, too.
const TOO_SHORT: Duration = Duration::from_millis(1);

/// Has it happen in a world with the lock of the process, in one with that of Redis, in one without; and on every
/// database server with a lock in Redis that ends too soon, and without.
async fn in_every_world(race: impl AsyncFn(&World)) {
    race(&World::new().await).await;
    race(&World::decorated(Arc::new(WithoutLock)).await).await;
    if let Some(redis) = WithRedis::with_lease(LEASE).await {
        race(&World::decorated(Arc::new(redis.clone())).await).await;
        redis.was_used();
    }
    for server in server::all() {
        on(&server, Arc::new(WithoutLock), &race).await;
        if let Some(redis) = WithRedis::with_lease(TOO_SHORT).await {
            on(&server, Arc::new(redis.clone()), &race).await;
            redis.was_used();
        }
    }
}

async fn on(server: &Server, lock: Arc<dyn Decorate>, race: &impl AsyncFn(&World)) {
    let database = server.empty().await;
    let url = database.url();
    // Sixty-four at once wait for a few connections, on a busy machine for longer than a second.
    let more = [
        ("store", "url", url.as_str()),
        ("store", "acquire_timeout_ms", "60000"),
    ];
    let world = World::set(&more, lock).await;
    race(&world).await;
    drop(world.stop().await);
    database.end().await;
}

/// Has sixty-four do something at the same moment.
async fn at_once<T>(work: impl AsyncFn(usize) -> T) -> Vec<T> {
    let barrier = Barrier::new(TASKS);
    let tasks = (0..TASKS).map(async |index| {
        barrier.wait().await;
        work(index).await
    });
    join_all(tasks).await
}

/// Time goes on until nothing is due; then everything must be as it must.
pub(crate) async fn at_rest(world: &World) -> Rows {
    let store = Arc::clone(&world.server.service().ports().store);
    for _ in 0..ROUNDS {
        assert!(world.sandbox.quiet().await);
        let rows = Rows::read(&*store).await.unwrap();
        let now_ms = world.sandbox.now_ms();
        let tradings = rows.tradings().filter_map(|row| row.next_check_at);
        let due = tradings.chain(rows.refunds().filter_map(|row| row.next_check_at));
        let due = due
            .map(Timestamp::ms)
            .chain(codes_die_at(&world.sandbox.ledger(), now_ms))
            .min();
        match due {
            None if rows.unsent() == 0 => {
                let truth = truth(&world.sandbox.ledger(), now_ms);
                let faults = oracle::at_rest(&rows, &truth, &announced(&rows));
                assert!(faults.is_empty(), "{faults:#?}");
                return rows;
            }
            // Whatever is due now the jobs are at.
            Some(at_ms) if at_ms > now_ms => {
                world.advance(Duration::from_millis(u64::try_from(at_ms - now_ms).unwrap()));
            }
            Some(_) | None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    }
    panic!("it does not come to rest");
}

/// The sink of the process takes every event: what was sent was announced.
fn announced(rows: &Rows) -> Promises {
    Promises {
        announced: rows.events().iter().map(|event| event.event_id.get()).collect(),
        ..Promises::default()
    }
}

fn number(answer: &Value) -> String {
    answer["tradingOrderNo"]
        .as_str()
        .unwrap_or_else(|| panic!("{answer}"))
        .to_owned()
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_creates_one_trading_comes() {
    in_every_world(async |world: &World| {
        let request = payment("WECHAT_PAY", 1);
        let answers = at_once(async |_| world.post("/trade/inner/native", &request).await).await;
        let made: Vec<_> = answers
            .iter()
            .filter(|(status, _)| *status == StatusCode::OK)
            .collect();
        assert!(!made.is_empty(), "{answers:?}");
        let first = number(&made[0].1);
        for (status, answer) in &answers {
            match *status {
                StatusCode::OK => assert_eq!(number(answer), first),
                _ => assert_eq!(answer["retryable"], true, "{answer}"),
            }
        }
        assert_eq!(world.sandbox.ledger().orders.len(), 1);
        let again = world.create("WECHAT_PAY", 1).await;
        assert_eq!(number(&again), first);
        assert_eq!(at_rest(world).await.tradings().count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_notice_and_a_poll_settle_once() {
    in_every_world(async |world: &World| {
        world.hold_notices();
        let created = world.create("ALI_PAY", 1).await;
        let trading = number(&created);
        world.pay("ALI_PAY", &trading);
        let notice = world.tapped().await;
        let path = format!("/trade/inner/tradings/findTradResultByTradingOrderNo?tradingOrderNo={trading}");
        let answers = at_once(async |index| {
            if index % 2 == 0 {
                world.send(&notice).await
            } else {
                world.get(&path).await.0
            }
        })
        .await;
        assert!(
            answers.iter().all(|status| *status == StatusCode::OK),
            "{answers:?}"
        );
        let rows = at_rest(world).await;
        let settled = rows
            .events()
            .iter()
            .filter(|event| event.message.status_name == "YJS");
        assert_eq!(settled.count(), 1);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn refunds_together_never_exceed_what_was_paid() {
    in_every_world(async |world: &World| {
        let trading = world.paid("WECHAT_PAY", 1).await;
        let answers = at_once(async |index| {
            let part = World::part(&format!("r-{index}"), &trading, "1.00");
            world.post("/trade/inner/refunds", &part).await
        })
        .await;
        let taken = answers
            .iter()
            .filter(|(status, _)| *status == StatusCode::OK)
            .count();
        assert_eq!(taken, 19, "{answers:?}");
        let refused = answers.iter().filter(|(status, _)| *status != StatusCode::OK);
        for (status, problem) in refused {
            assert_eq!(
                (*status, &problem["code"]),
                (StatusCode::CONFLICT, &json!(1024)),
                "{problem}"
            );
        }
        // They wait their turn, a minute each, and all of them go back.
        let rows = at_rest(world).await;
        assert_eq!(
            rows.tradings().map(|row| row.refunded.get()).collect::<Vec<_>>(),
            [1900]
        );
        assert_eq!(world.sandbox.ledger().refunded_fen(bank("WECHAT_PAY")), 1900);
    })
    .await;
}

/// A wish without a number of its own cannot be told from its repeat: together they are one refund.
#[tokio::test(flavor = "multi_thread")]
async fn of_64_refunds_without_a_number_one_is_made() {
    in_every_world(async |world: &World| {
        let trading = world.paid("WECHAT_PAY", 1).await;
        let path = format!("/trade/inner/refund-record/refund?tradingOrderNo={trading}&refundAmount=1.00");
        let answers = at_once(async |_| world.post(&path, &Value::Null).await).await;
        let (made, put_off): (Vec<_>, Vec<_>) =
            answers.iter().partition(|(status, _)| *status == StatusCode::OK);
        assert!(!made.is_empty(), "{put_off:?}");
        for (_, answer) in &made {
            assert_eq!(answer["refundNo"], made[0].1["refundNo"], "{answer}");
        }
        for (_, problem) in put_off {
            assert_eq!(problem["retryable"], true, "{problem}");
        }
        let rows = at_rest(world).await;
        assert_eq!(rows.refunds().count(), 1);
        assert_eq!(world.sandbox.ledger().refunded_fen(bank("WECHAT_PAY")), 100);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn switch_and_payment_have_one_winner() {
    in_every_world(async |world: &World| {
        let orders: Vec<i64> = (1..=i64::try_from(TASKS / 2).unwrap()).collect();
        let mut old = Vec::new();
        for order in &orders {
            old.push(number(&world.create("ALI_PAY", *order).await));
        }
        // Of each order, one switches and pays at the new channel, the other pays the old code.
        at_once(async |index| {
            let place = index / 2;
            if index % 2 == 0 {
                // A code may be dead by now: then nobody pays it.
                let _refused = world.sandbox.pay(bank("ALI_PAY"), &old[place]);
                return;
            }
            let mut request = payment("WECHAT_PAY", orders[place]);
            request["changeChannel"] = json!(true);
            let (status, answer) = world.post("/trade/inner/native", &request).await;
            if status == StatusCode::OK {
                let _refused = world.sandbox.pay(bank("WECHAT_PAY"), &number(&answer));
            }
        })
        .await;
        let rows = at_rest(world).await;
        let winners = rows
            .tradings()
            .filter(|row| row.role == Some(trade_core::Role::Winner));
        assert_eq!(winners.count(), orders.len());
        let ledger = world.sandbox.ledger();
        let kept = ["ALI_PAY", "WECHAT_PAY"]
            .map(|channel| ledger.paid_fen(bank(channel)) - ledger.refunded_fen(bank(channel)));
        let owed = 1990 * i64::try_from(orders.len()).unwrap();
        assert_eq!(kept.iter().sum::<i64>(), owed, "{kept:?}");
    })
    .await;
}
