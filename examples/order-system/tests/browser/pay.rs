//! From the booking to the refund, by clicks alone.

use std::time::Duration;

use tokio::time::Instant;

use crate::{
    chromium::{Browser, PHONE, with_browser},
    world::WECHAT,
};

/// Pays on the channel's page as a payer does, in a tab of its own, and comes back; when it was paid.
async fn pay_in_another_tab(browser: &Browser) -> Instant {
    let client = &browser.client;
    let shop = client.window().await.unwrap();
    browser.click("#pay-page").await;
    let windows = client.windows().await.unwrap();
    let bank = windows.into_iter().find(|window| *window != shop).unwrap();
    client.switch_to_window(bank).await.unwrap();
    let pay = "form[action$='/pay'] button";
    browser.click(pay).await;
    while browser.has(pay).await {
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    let paid_at = Instant::now();
    client.close_window().await.unwrap();
    client.switch_to_window(shop).await.unwrap();
    paid_at
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_customer_books_pays_cancels_and_is_refunded() {
    with_browser(PHONE, async |browser| {
        browser.open("/").await;
        browser.shot("services").await;
        browser.book().await;
        browser.shot("unpaid").await;
        browser.choose(WECHAT).await;
        browser.shot("code").await;
        // A page that is loaded again forgets this.
        browser.ask("window.stayed = true").await;
        let paid_at = pay_in_another_tab(browser).await;
        let title = browser.find("h1[data-status='100']").await;
        println!("paid, and told after {} ms", paid_at.elapsed().as_millis());
        assert_eq!(title.text().await.unwrap(), "派单中");
        assert_eq!(
            browser.ask("window.stayed").await,
            true,
            "by itself, not loaded again"
        );
        assert_eq!(browser.ask("document.title").await, "派单中");
        assert_eq!(
            browser.ask("document.getElementById('said').textContent").await,
            "派单中"
        );
        assert!(!browser.has("#qr").await, "a paid order shows no code");
        browser.shot("paid").await;

        browser.click("summary").await;
        browser.click("form[action$='/cancel'] button").await;
        browser.find("h1[data-status='700']").await;
        browser.shot("refunding").await;
        loop {
            let told = browser.find("[data-refund]").await.text().await.unwrap();
            if told.contains("退款成功") {
                break;
            }
            assert!(told.contains("退款中"), "{told}");
            browser.world.advance(Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        browser.shot("refunded").await;
        browser.open("/orders").await;
        let text = browser.text().await;
        assert!(text.contains("已关闭") && text.contains("退款成功"), "{text}");
        browser.shot("orders").await;
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_does_not_want_to_wait_asks_how_the_payment_went() {
    with_browser(PHONE, async |browser| {
        let id = browser.book().await;
        browser.choose(WECHAT).await;
        browser.click("#paid").await;
        let text = browser.find("[data-result='false']").await.text().await.unwrap();
        assert_eq!(text, "尚未收到付款");
        browser.shot("result-unpaid").await;
        let code = browser.world.code(&id, WECHAT).await;
        browser.world.pay(&code);
        while !browser.has("[data-result='true']").await {
            browser
                .click(&format!("a[href='/orders/{id}/result'], [data-result='true']"))
                .await;
        }
        assert!(browser.text().await.contains("支付成功"));
        browser.shot("result-paid").await;
        browser.click(&format!("a[href='/orders/{id}']")).await;
        browser.find("h1[data-status='100']").await;
    })
    .await;
}
