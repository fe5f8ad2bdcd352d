//! Health, and going down in order.

use axum::http::StatusCode;

use crate::world::World;

#[tokio::test]
async fn alive_and_ready_until_stopped() {
    let world = World::new().await;
    assert_eq!(world.get("/livez").await.0, StatusCode::OK);
    assert_eq!(world.get("/readyz").await.0, StatusCode::OK);
    let World {
        server, http, base, ..
    } = world;
    server.stop().await;
    assert!(
        http.get(format!("{base}/livez")).send().await.is_err(),
        "nobody listens any more"
    );
}
