//! The line to the database breaks, at any byte.
//!
//! `FAULT_EVERY=1` has it break at every byte, which takes minutes.

use std::{future::Future, time::Duration};

use tokio::time::Instant;

use trade_core::port::TradingStore;
use trade_store::{Settings, SqlStore};
use trade_testkit::{
    fixture,
    proxy::{Break, Fault, Line, Proxy, Way, points},
};

use super::{
    broken::Rig,
    chain,
    server::{self, Server},
};

const WAYS: [Way; 2] = [Way::ToServer, Way::ToClient];
/// Long enough for a busy machine; no test here waits so long.
const LONG: Duration = Duration::from_secs(30);

/// Does something on every server at once.
async fn on_every_server<F: Future<Output = ()> + Send + 'static>(work: fn(Server) -> F) {
    let tasks: Vec<_> = server::all()
        .into_iter()
        .map(|server| tokio::spawn(work(server)))
        .collect();
    for task in tasks {
        task.await.unwrap();
    }
}

/// How many bytes a payment takes on a connection that knows its statements, there and back.
async fn bytes_of_a_payment(rig: &mut Rig) -> [u64; 2] {
    rig.warm().await;
    let before = rig.proxy.passed();
    rig.warm().await;
    let after = rig.proxy.passed();
    [
        after.to_server - before.to_server,
        after.to_client - before.to_client,
    ]
}

async fn cuts_in_use(server: Server) {
    let mut rig = Rig::on(&server, LONG).await;
    let totals = bytes_of_a_payment(&mut rig).await;
    let mut outcomes = [0; 4];
    let (mut lost, mut undone) = (0, 0);
    for (way, total) in WAYS.into_iter().zip(totals) {
        for (fault, few) in [(Fault::Cut, 60), (Fault::HalfClose, 10)] {
            for after in points(total, few) {
                rig.warm().await;
                let fault = Break { fault, way, after };
                rig.proxy.now(fault);
                let told = rig.survives(fault).await;
                outcomes[told.done] += 1;
                lost += usize::from(told.is_unknown());
                undone += usize::from(told.error.is_some() && !told.is_unknown());
            }
        }
    }
    if std::env::var_os("FAULT_AT").is_none() {
        assert!(rig.proxy.passed().broken > 100, "{:?}", rig.proxy.passed());
        // After the last write there are few bytes left: the samples may pass them by, as they may a lost answer
        // to a commit, which has a test of its own.
        assert!(
            outcomes[..3].iter().all(|count| *count > 0),
            "it never broke at one of the writes: {outcomes:?}"
        );
        assert!(undone > 0, "{lost} commits of unknown outcome, {undone} not made");
    }
    rig.end().await;
}

/// The line is cut, or closed one way, anywhere in what a payment says and hears.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_cut_anywhere_leaves_writes_whole() {
    on_every_server(cuts_in_use).await;
}

async fn answers_to_commits_lost(server: Server) {
    let mut rig = Rig::on(&server, LONG).await;
    let [_, total] = bytes_of_a_payment(&mut rig).await;
    let (mut made, mut told_made) = (0, 0);
    // The last bytes that come back are the answer to the last commit, and those to two pings. Not every payment
    // takes the same bytes: it goes on until the cuts come too late for ten of them.
    for after in total.saturating_sub(90)..total + 400 {
        if told_made == 10 {
            break;
        }
        rig.warm().await;
        let fault = Break {
            fault: Fault::Cut,
            way: Way::ToClient,
            after,
        };
        rig.proxy.now(fault);
        let told = rig.survives(fault).await;
        made += usize::from(told.is_unknown() && told.done == 3);
        told_made += usize::from(told.error.is_none());
    }
    assert!(made > 0, "no answer to a commit was lost, {told_made} were heard");
    rig.end().await;
}

/// The commit was made, and the answer to it is lost: the caller is told that it is not known, and finds it.
#[tokio::test(flavor = "multi_thread")]
async fn a_lost_answer_to_a_commit_is_not_a_no() {
    on_every_server(answers_to_commits_lost).await;
}

async fn cuts_while_connecting(server: Server) {
    let mut rig = Rig::on(&server, LONG).await;
    rig.proxy.cut_once().await;
    let before = rig.proxy.passed();
    rig.warm().await;
    let after = rig.proxy.passed();
    let totals = [
        after.to_server - before.to_server,
        after.to_client - before.to_client,
    ];
    for (way, total) in WAYS.into_iter().zip(totals) {
        for after in points(total, 40) {
            let fault = Break {
                fault: Fault::Cut,
                way,
                after,
            };
            rig.proxy.next(fault);
            rig.proxy.cut_once().await;
            rig.survives(fault).await;
        }
    }
    rig.end().await;
}

/// A new connection breaks anywhere: as it is made, or as its statements are prepared.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_cut_while_connecting_leaves_writes_whole() {
    on_every_server(cuts_while_connecting).await;
}

/// How long a call over a silent line may take until it is given up.
const SHORT: Duration = Duration::from_secs(3);

async fn stalls(server: Server) {
    let mut rig = Rig::on(&server, SHORT).await;
    let totals = bytes_of_a_payment(&mut rig).await;
    for (way, total) in WAYS.into_iter().zip(totals) {
        for after in points(total, 4) {
            rig.warm().await;
            let fault = Break {
                fault: Fault::Stall,
                way,
                after,
            };
            rig.proxy.now(fault);
            let since = Instant::now();
            if way == Way::ToServer {
                // A server that waits for the rest of a message takes the line for slow.
                let payment = rig.payment();
                let told = payment.write(&rig.store).await;
                let error = told.error.unwrap_or_else(|| "in time".into());
                assert!(
                    error.contains("in time") || error.contains("not known"),
                    "{fault:?}: {error}"
                );
                let another = rig.payment();
                rig.is_well(&another, fault).await;
                rig.proxy.cut_once().await;
                rig.no_transaction_is_left(fault).await;
                rig.is_well(&payment, fault).await;
            } else {
                // One that hears nothing more gives the transaction up by itself.
                let told = rig.survives(fault).await;
                let error = told.error.unwrap_or_else(|| "in time".into());
                assert!(
                    error.contains("in time") || error.contains("not known"),
                    "{fault:?}: {error}"
                );
            }
            assert!(
                since.elapsed() < Duration::from_secs(50),
                "{fault:?}: {:?}",
                since.elapsed()
            );
        }
    }
    rig.end().await;
}

/// The line falls silent anywhere: the call ends in time and says so, its connection is given up, the next call
/// works, and the server rolls back what it hears of no more.
#[tokio::test(flavor = "multi_thread")]
async fn a_line_that_falls_silent_is_given_up_in_time() {
    on_every_server(stalls).await;
}

async fn silent_pool(server: Server) {
    let fresh = server.fresh().await;
    let proxy = Proxy::start(server.host()).await;
    let settings = Settings {
        connections: 4,
        acquire_timeout: SHORT,
        answer_timeout: SHORT * 2,
        ..Settings::default()
    };
    let store = SqlStore::connect_with(&fresh.by_way_of(proxy.address()), &settings)
        .await
        .unwrap();
    let four = || async {
        let calls = (1..=4).map(|number| {
            let store = store.clone();
            tokio::spawn(async move { store.trading(fixture::trading_no(number)).await })
        });
        let mut answers = Vec::new();
        for call in calls.collect::<Vec<_>>() {
            answers.push(call.await.unwrap());
        }
        answers
    };
    assert!(four().await.iter().all(Result::is_ok));
    // Every connection of the pool dies without a word, as behind a firewall that has forgotten them.
    tokio::time::sleep(Duration::from_millis(300)).await;
    proxy.set(Line::Silent).await;
    proxy.set(Line::Open).await;
    let answers = four().await;
    assert!(
        answers.iter().all(Result::is_ok),
        "each found another connection: {answers:?}"
    );
    // They die as they go back to the pool: the driver waits for them there, and the pool is replaced.
    proxy.set(Line::Silent).await;
    proxy.set(Line::Open).await;
    let since = Instant::now();
    loop {
        let errors: Vec<_> = four().await.into_iter().filter_map(Result::err).collect();
        if errors.is_empty() {
            break;
        }
        for error in errors {
            let text = chain(&error);
            assert!(text.contains("no connection became free in time"), "{text}");
        }
        assert!(since.elapsed() < LONG, "it does not heal");
    }
    // The server falls silent for as long as it likes; once it speaks again, so do we.
    proxy.set(Line::Silent).await;
    for error in four().await {
        let text = chain(&error.expect_err("nobody answers"));
        assert!(text.contains("no connection became free in time"), "{text}");
    }
    proxy.set(Line::Open).await;
    assert!(four().await.iter().all(Result::is_ok));
    // So it is at the start: the address is right, and nobody speaks.
    proxy.set(Line::Silent).await;
    let error = SqlStore::connect_with(&fresh.by_way_of(proxy.address()), &settings).await;
    let text = chain(&error.expect_err("nobody answers"));
    assert!(text.contains("did not answer in time"), "{text}");
    proxy.set(Line::Cut).await;
    store.close().await.unwrap();
    fresh.end().await;
}

/// A pool whose connections died without a word is as good as new, and one whose server hangs is so once it
/// does not.
#[tokio::test(flavor = "multi_thread")]
async fn a_pool_of_dead_connections_heals_by_itself() {
    on_every_server(silent_pool).await;
}
