//! The disk is full: the server says so, answers 503, keeps what it has, and goes on once there is room.

use std::time::Duration;

use axum::http::{HeaderMap, StatusCode};
use sea_orm::{ConnectionTrait, Database, DatabaseConnection};
use serde_json::Value;
use trade_server::wire::Environment;

use crate::{
    race::at_rest,
    world::{World, payment},
};

/// Somebody else's connection to the server's file.
async fn outsider(world: &World) -> DatabaseConnection {
    let file = world.settings.with_file_name("trade.db");
    let connected = Database::connect(format!("sqlite://{}?mode=rw", file.display())).await;
    connected.unwrap()
}

/// Takes all the room there is.
async fn fill(raw: &DatabaseConnection) {
    raw.execute_unprepared("CREATE TABLE filler (bytes blob)")
        .await
        .unwrap();
    raw.execute_unprepared("PRAGMA max_page_count = 256")
        .await
        .unwrap();
    for bytes in [100_000, 1_000] {
        let insert = format!("INSERT INTO filler VALUES (zeroblob({bytes}))");
        while raw.execute_unprepared(&insert).await.is_ok() {}
    }
}

/// Asks for a payment; the whole answer.
pub(crate) async fn ask(world: &World, order: i64) -> (StatusCode, HeaderMap, Value) {
    let request = world.http.post(format!("{}/trade/inner/native", world.base));
    let answer = request.json(&payment("WECHAT_PAY", order)).send().await.unwrap();
    (
        answer.status(),
        answer.headers().clone(),
        answer.json().await.unwrap(),
    )
}

/// The answer of a server whose store is not there: nothing is lost, and when to come again.
pub(crate) fn is_put_off(status: StatusCode, headers: &HeaderMap, problem: &Value) {
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
    assert_eq!(headers["retry-after"], "2");
    assert_eq!(problem["retryable"], true);
    let detail = problem["detail"].as_str().unwrap();
    assert!(detail.contains("nothing is lost, try again"), "{problem}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_full_disk_is_said_and_gone_on_from() {
    let world = World::set(&[("store", "max_mib", "1")], Environment::default().decorate).await;
    world.hold_notices();
    let created = world.create("ALI_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    world.pay("ALI_PAY", number);
    let notice = world.tapped_about(number).await;
    let raw = outsider(&world).await;
    fill(&raw).await;

    // What still fits in a page is taken; then every write is refused, and says how to go on.
    let mut taken = 0;
    let (status, headers, problem) = loop {
        let answer = ask(&world, 2 + taken).await;
        if answer.0 != StatusCode::OK {
            break answer;
        }
        taken += 1;
        assert!(taken < 100, "the disk is not full");
    };
    is_put_off(status, &headers, &problem);
    let (status, ready) = world.get("/readyz").await;
    assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE);
    assert!(
        ready["detail"].as_str().unwrap().contains("the disk is full"),
        "{ready}"
    );
    assert_eq!(world.get("/livez").await.0, StatusCode::OK);
    // What is there can be read, and a notice is not acknowledged that could not be kept.
    assert_eq!(world.row(number).await["tradingOrderNo"], number);
    let acknowledged = world.send(&notice).await;
    let settled = world.row(number).await["state"] == "settled";
    assert!(settled || acknowledged.is_server_error(), "{acknowledged}");

    raw.execute_unprepared("DELETE FROM filler").await.unwrap();
    assert_eq!(world.get("/readyz").await.0, StatusCode::OK);
    assert_eq!(world.send(&notice).await, StatusCode::OK);
    world.until_state(number, "settled").await;
    let mut last = ask(&world, 2 + taken).await;
    for _ in 0..20 {
        if last.0 == StatusCode::OK {
            break;
        }
        world.advance(Duration::from_secs(31));
        last = ask(&world, 2 + taken).await;
    }
    assert_eq!(last.0, StatusCode::OK, "{}", last.2);
    raw.close().await.unwrap();
    at_rest(&world).await;
}
