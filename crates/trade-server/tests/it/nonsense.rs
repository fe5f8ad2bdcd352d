//! A channel that answers nonsense: unknown, pending, visible, asked again.

use std::time::Duration;

use axum::http::StatusCode;
use serde_json::json;
use trade_sandbox::{Sandbox, SandboxConfig, SandboxKeys};
use wiremock::{Mock, MockServer, ResponseTemplate, matchers::any};

use crate::world::{World, payment};

#[tokio::test]
async fn nonsense_is_neither_success_nor_failure() {
    let answers = [
        ResponseTemplate::new(200).set_body_string("<html>系统繁忙</html>"),
        ResponseTemplate::new(200).set_body_json(json!({"code_url": "weixin://forged"})),
        ResponseTemplate::new(502).set_body_string("bad gateway"),
    ];
    let keys = SandboxKeys::generate(Some(7)).unwrap();
    for answer in answers {
        let mock = MockServer::start().await;
        Mock::given(any()).respond_with(answer).mount(&mock).await;
        let sandbox = Sandbox::start_with_keys(
            SandboxConfig {
                frozen_clock: true,
                ..SandboxConfig::default()
            },
            &keys,
        )
        .await
        .unwrap();
        let gateway = format!("{}/gateway.do", mock.uri());
        let world = World::against(sandbox, &mock.uri(), &gateway).await;
        for (channel, order) in ["WECHAT_PAY", "ALI_PAY"].into_iter().zip(1..) {
            let (status, problem) = world.post("/trade/inner/native", &payment(channel, order)).await;
            assert_eq!(status, StatusCode::SERVICE_UNAVAILABLE, "{problem}");
            assert_eq!(problem["channel"]["certainty"], "unknown", "{problem}");
            let (_, rows) = world
                .get(&format!("/trade/inner/tradings?productOrderNo={order}"))
                .await;
            assert_eq!(rows[0]["state"], "paying.unknown", "{rows}");
            assert_eq!(rows[0]["tradingState"], 2);
        }
        let asked = mock.received_requests().await.unwrap().len();
        world.advance(Duration::from_secs(20));
        for _ in 0..500 {
            if mock.received_requests().await.unwrap().len() > asked {
                break;
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        assert!(
            mock.received_requests().await.unwrap().len() > asked,
            "it is asked again"
        );
    }
}
