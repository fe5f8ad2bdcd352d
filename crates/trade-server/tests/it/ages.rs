//! The ages among the metrics, each of something else, so that none can stand for another.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use axum::http::StatusCode;
use trade_core::port::{StoreError, TradeStore};
use trade_sandbox::faults::{Fault, FaultKind};
use trade_server::wire::Decorate;
use trade_testkit::gated::{Gate, GatedStore, Operation};

use crate::{
    metrics::samples,
    world::{World, bank, payment},
};

/// A store that takes down no answer of a channel, while it is told so: what was begun stays as it was intended.
#[derive(Debug, Clone, Default)]
struct Forgetful(Arc<AtomicBool>);

impl Gate for Forgetful {
    async fn pass<T: Send>(
        &self,
        operation: Operation,
        call: impl Future<Output = Result<T, StoreError>> + Send,
    ) -> Result<T, StoreError> {
        if operation.name == "TradingStore::commit_trading" && self.0.load(Ordering::SeqCst) {
            return Err(StoreError {
                operation: "take down an answer",
                source: "told to fail".into(),
            });
        }
        call.await
    }
}

impl Decorate for Forgetful {
    fn store(&self, store: Arc<dyn TradeStore>) -> Arc<dyn TradeStore> {
        Arc::new(GatedStore::new(store, self.clone()))
    }
}

/// Asks for a payment or a refund whose end the caller does not get to know.
async fn in_vain(world: &World, path: &str, body: &serde_json::Value) {
    let (status, problem) = world.post(path, body).await;
    assert!(status.is_server_error(), "{status}: {problem}");
}

/// Asks for a refund of 5.00 yuan at a channel that says it has begun.
async fn refund(world: &World, number: &str) {
    let part = World::part("r-1", number, "5.00");
    let (status, body) = world.post("/trade/inner/refunds", &part).await;
    assert_eq!(status, StatusCode::OK, "{body}");
}

#[tokio::test]
async fn each_age_is_that_of_the_oldest_of_its_kind() {
    let forgetful = Forgetful::default();
    // Nothing is finished, asked about or announced: whatever is begun only grows older.
    let world = World::set(&[("jobs", "enabled", "false")], Arc::new(forgetful.clone())).await;
    let pass = |secs| world.advance(Duration::from_secs(secs));
    let create = "/trade/inner/native";
    let at_wechat = world.paid("WECHAT_PAY", 1).await;
    pass(3);
    let at_alipay = world.paid("ALI_PAY", 2).await;
    world.hold_notices();
    pass(11);
    refund(&world, &at_wechat).await;
    pass(17);
    let lost = Fault::new(FaultKind::DropAfter).at(bank("ALI_PAY")).on("refund");
    let lost = world.sandbox.fault(lost.times(10));
    let part = World::part("r-2", &at_alipay, "5.00");
    let (_, body) = world.post("/trade/inner/refunds", &part).await;
    world.sandbox.withdraw_fault(lost);
    assert_ne!(body["state"], "succeeded", "{body}");
    pass(19);
    forgetful.0.store(true, Ordering::SeqCst);
    in_vain(&world, create, &payment("WECHAT_PAY", 3)).await;
    forgetful.0.store(false, Ordering::SeqCst);
    pass(19);
    let garbage = Fault::new(FaultKind::Garbage).at(bank("WECHAT_PAY")).on("native");
    world.sandbox.fault(garbage);
    in_vain(&world, create, &payment("WECHAT_PAY", 4)).await;
    pass(61);

    let counted = samples(&world).await;
    for (name, wanted) in [
        ("trade_unsent_events", 4.0),
        ("trade_unsent_oldest_seconds", 130.0),
        ("trade_running_refunds", 2.0),
        ("trade_refund_oldest_seconds", 116.0),
        ("trade_unknown_refunds", 1.0),
        ("trade_unknown_refund_oldest_seconds", 99.0),
        ("trade_open_tradings", 2.0),
        ("trade_open_oldest_seconds", 80.0),
        ("trade_unknown_tradings", 1.0),
        ("trade_unknown_oldest_seconds", 61.0),
    ] {
        assert_eq!(counted[name], wanted, "{name}");
    }
}
