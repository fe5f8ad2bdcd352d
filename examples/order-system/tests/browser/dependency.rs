//! The operator's page: orders move on, and a service that has fallen is seen.

use std::time::Duration;

use crate::{
    chromium::{DESK, with_browser},
    parts::Health,
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_operator_moves_an_order_on_and_sees_the_breakers() {
    with_browser(DESK, async |browser| {
        let id = browser.world.paid().await;
        browser.open("/operator").await;
        for (step, status) in [("take", 200), ("start", 300), ("finish", 500)] {
            browser
                .click(&format!("form[action='/operator/orders/{id}/{step}'] button"))
                .await;
            browser.find(&format!(".badge.s{status}")).await;
            assert_eq!(browser.world.status(&id).await, status);
        }
        browser.shot("operator").await;

        browser.world.foundations.set(Health::Failing);
        for _ in 0..2 {
            browser.open("/").await;
            assert!(browser.text().await.contains("服务目录暂时无法访问"));
        }
        browser.open("/operator").await;
        let circuit = browser.find("[data-circuit='foundations']").await;
        assert_eq!(circuit.text().await.unwrap(), "已熔断");
        browser.shot("operator-open").await;
        browser.world.foundations.set(Health::Up);
        browser.world.advance(Duration::from_secs(31));
        browser.open("/").await;
        browser.find("a[href='/services/11']").await;
        browser.open("/operator").await;
        let circuit = browser.find("[data-circuit='foundations']").await;
        assert_eq!(circuit.text().await.unwrap(), "正常");
    })
    .await;
}
