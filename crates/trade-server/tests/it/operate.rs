//! What operators look at: timeline, stuck rows.

use axum::http::StatusCode;
use serde_json::{Value, json};
use trade_sandbox::faults::{Fault, FaultKind};

use crate::{
    metrics::samples,
    world::{World, bank},
};

#[tokio::test]
async fn the_timeline_tells_calls_notices_transitions_and_events_in_order() {
    let world = World::new().await;
    for (channel, order) in ["WECHAT_PAY", "ALI_PAY"].into_iter().zip(1..) {
        let number = world.paid(channel, order).await;
        assert!(world.sandbox.quiet().await);
        let (status, refund) = world
            .post(
                "/trade/inner/refunds",
                &World::part(&format!("r-{order}"), &number, "5.00"),
            )
            .await;
        assert_eq!(status, StatusCode::OK, "{refund}");
        let path = format!("/trade/inner/tradings/{number}/timeline");
        // Calls are written a moment later than they are made.
        let call = format!("refund {}: ok", refund["refundNo"].as_str().unwrap());
        let lines = world
            .until(&path, |lines| lines.to_string().contains(&call))
            .await;
        let lines = lines.as_array().unwrap();
        let kinds: Vec<_> = lines.iter().map(|line| line["kind"].as_str().unwrap()).collect();
        assert_eq!(&kinds[..2], ["trading", "call"], "{lines:#?}");
        for kind in ["notice", "refund", "event"] {
            assert!(kinds.contains(&kind), "{kind}: {lines:#?}");
        }
        let times: Vec<_> = lines.iter().map(|line| line["at"].as_str().unwrap()).collect();
        assert!(times.is_sorted(), "{times:?}");
        let line = |kind: &str, has: &str| -> &Value {
            let mut of_kind = lines.iter().filter(|line| line["kind"] == kind);
            of_kind
                .find(|line| line["text"].as_str().unwrap().contains(has))
                .unwrap_or_else(|| panic!("no {kind} with {has}: {lines:#?}"))
        };
        assert!(
            line("call", "place: ok")["text"]
                .as_str()
                .unwrap()
                .ends_with(" ms")
        );
        assert!(line("notice", "taken")["requestId"].is_string());
        line("trading", "paying.placed -> settled (notice)");
        line("event", "UPDATE_STATUS YJS");
        line("refund", "5.00 yuan: applied (request)");
        if channel == "WECHAT_PAY" {
            assert!(line("call", "place: ok")["requestId"].is_string(), "{lines:#?}");
        }
    }
    let (status, _) = world.get("/trade/inner/tradings/5/timeline").await;
    assert_eq!(status, StatusCode::NOT_FOUND);
}

#[tokio::test]
async fn what_is_stuck_says_why_and_goes_on_after_a_retry() {
    let world = World::new().await;
    world.hold_notices();
    let created = world.create("WECHAT_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    world.pay("WECHAT_PAY", number);
    let lie = FaultKind::WrongAmount { by_fen: -100 };
    world
        .sandbox
        .fault(Fault::new(lie).at(bank("WECHAT_PAY")).on("query"));
    let query = format!("/trade/inner/tradings/findTradResultByTradingOrderNo?tradingOrderNo={number}");
    let (_, row) = world.get(&query).await;
    assert_eq!(
        row["tradingState"], 2,
        "a payment of another amount is not believed: {row}"
    );
    let (status, stuck) = world.get("/trade/admin/stuck").await;
    assert_eq!(status, StatusCode::OK);
    let shown = &stuck["tradings"][0];
    assert_eq!(shown["tradingOrderNo"], number, "{stuck}");
    for field in ["reason", "since", "action"] {
        assert!(!shown[field].as_str().unwrap().is_empty(), "{field}: {stuck}");
    }
    let retry = format!("/trade/admin/tradings/{number}/retry");
    assert!(shown["action"].as_str().unwrap().contains(&retry), "{stuck}");
    assert_eq!(samples(&world).await["trade_stuck{kind=\"trading\"}"], 1.0);

    let (status, _) = world.post_empty(&retry).await;
    assert_eq!(status, StatusCode::OK);
    world.until_state(number, "settled").await;
    let (_, stuck) = world.get("/trade/admin/stuck").await;
    assert_eq!(stuck, json!({"events": [], "tradings": [], "refunds": []}));
    for (path, status) in [
        ("/trade/admin/tradings/5/retry", StatusCode::NOT_FOUND),
        ("/trade/admin/tradings/x/retry", StatusCode::BAD_REQUEST),
        ("/trade/admin/refunds/5/retry", StatusCode::NOT_FOUND),
    ] {
        assert_eq!(world.post_empty(path).await.0, status, "{path}");
    }
}
