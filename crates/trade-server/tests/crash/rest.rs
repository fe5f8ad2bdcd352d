//! After the scenario: time goes on until nothing is due any more, and the oracle is asked.

use std::time::Duration;

use trade_core::Timestamp;
use trade_store::SqlStore;
use trade_testkit::oracle::{self, Faults, Promises, Rows};

use super::{
    books::{codes_die_at, truth},
    scenario::add_promises,
    server::{FILE, World},
};

/// A world that needs more rounds does not come to rest.
const ROUNDS: u32 = 40;
/// A little longer than events are claimed.
const CLAIM_MS: i64 = 31_000;

/// What is wrong once everything has come to its end.
pub(crate) async fn judge(world: &mut World, mut promises: Promises, store_url: Option<&str>) -> Faults {
    let store = match store_url {
        Some(url) => SqlStore::connect(url).await,
        None => SqlStore::open(world.folder.path().join(FILE)).await,
    };
    let store = store.unwrap();
    for _ in 0..ROUNDS {
        world.notices().await;
        world.tick().await;
        let rows = Rows::read(&store).await.unwrap();
        let Some(due_ms) = next_due(world, &rows) else {
            break;
        };
        let wait_ms = u64::try_from(due_ms - world.sandbox.now_ms()).unwrap_or(0);
        world.advance(Duration::from_millis(wait_ms.max(1_000))).await;
    }
    add_promises(world, &store, &mut promises).await;
    let rows = Rows::read(&store).await.unwrap();
    let truth = truth(&world.sandbox.ledger(), world.sandbox.now_ms());
    let mut faults = oracle::at_rest(&rows, &truth, &promises);
    let audit = store.audit().await.unwrap();
    faults.extend(audit.violations.iter().map(|violation| format!("{violation:?}")));
    store.close().await.unwrap();
    faults
}

/// When the next row, event or code is due.
fn next_due(world: &World, rows: &Rows) -> Option<i64> {
    let now_ms = world.sandbox.now_ms();
    let tradings = rows.tradings().filter_map(|row| row.next_check_at);
    let refunds = rows.refunds().filter_map(|row| row.next_check_at);
    let codes = codes_die_at(&world.sandbox.ledger(), now_ms);
    // One that was claimed when the process ended is due again when the claim ends.
    let events = (rows.unsent() > 0).then_some(now_ms + CLAIM_MS);
    let rows = tradings.chain(refunds).map(Timestamp::ms);
    rows.chain(codes).chain(events).min()
}
