//! The stream of events.

use std::time::Duration;

use crate::world::World;

/// Reads the stream until `wanted` is in it.
async fn read_until(response: &mut reqwest::Response, wanted: &str) -> String {
    let mut text = String::new();
    let reading = async {
        while !text.contains(wanted) {
            let chunk = response.chunk().await.unwrap().unwrap();
            text.push_str(std::str::from_utf8(&chunk).unwrap());
        }
    };
    tokio::time::timeout(Duration::from_secs(20), reading)
        .await
        .unwrap_or_else(|_| panic!("no {wanted} in the stream"));
    text
}

#[tokio::test]
async fn a_stream_shows_what_happens_and_a_late_reader_reads_up() {
    let world = World::new().await;
    let url = format!("{}/trade/inner/events", world.base);
    let mut live = world.http.get(&url).send().await.unwrap();
    assert_eq!(live.headers()["content-type"], "text/event-stream");
    let mut other = world
        .http
        .get(format!("{url}?productAppId=someone.else"))
        .send()
        .await
        .unwrap();
    let created = world.create("WECHAT_PAY", 1).await;
    let number = created["tradingOrderNo"].as_str().unwrap();
    world.pay("WECHAT_PAY", number);
    let seen = read_until(&mut live, "\"statusName\":\"YJS\"").await;
    assert!(seen.contains(&format!("\"tradingOrderNo\":{number}")), "{seen}");
    assert!(
        seen.contains("event: UPDATE_STATUS") && seen.contains("id: 1"),
        "{seen}"
    );

    let mut late = world
        .http
        .get(&url)
        .header("last-event-id", "0")
        .send()
        .await
        .unwrap();
    read_until(&mut late, "\"statusName\":\"YJS\"").await;
    let nothing = tokio::time::timeout(Duration::from_millis(300), other.chunk()).await;
    assert!(
        nothing.is_err(),
        "another app's events are not shown: {nothing:?}"
    );
}
