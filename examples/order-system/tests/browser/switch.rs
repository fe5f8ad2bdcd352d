//! The other channel, and back.

use std::time::Duration;

use crate::{
    chromium::{PHONE, with_browser},
    world::{ALIPAY, WECHAT},
};

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn each_channel_has_its_code_and_a_second_click_changes_nothing() {
    with_browser(PHONE, async |browser| {
        let id = browser.book().await;
        assert!(!browser.has("#qr").await);
        let wechat = browser.choose(WECHAT).await;
        assert_eq!(browser.choose(WECHAT).await, wechat);
        let alipay = browser.choose(ALIPAY).await;
        assert_ne!(alipay, wechat);
        assert_eq!(
            browser
                .client
                .find_all(fantoccini::Locator::Css("[aria-pressed='true']"))
                .await
                .unwrap()
                .len(),
            1
        );
        browser.shot("code-alipay").await;
        let again = browser.choose(WECHAT).await;
        assert_ne!(again, alipay);
        assert_ne!(again, wechat, "what was closed is not opened again");
        let code = browser.world.code(&id, WECHAT).await;
        browser.world.pay(&code);
        let paid = browser.find("h1[data-status='100']").await;
        assert_eq!(paid.text().await.unwrap(), "派单中");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_pays_both_codes_sees_the_second_payment_go_back() {
    with_browser(PHONE, async |browser| {
        let id = browser.book().await;
        browser.choose(ALIPAY).await;
        let old = browser.world.code(&id, ALIPAY).await;
        browser.choose(WECHAT).await;
        let new = browser.world.code(&id, WECHAT).await;
        // A code that nobody had scanned stays payable at Alipay after it was closed.
        browser.world.pay(&new);
        browser.find("h1[data-status='100']").await;
        browser.world.pay(&old);
        loop {
            let told = browser.find("[data-returned]").await.text().await.unwrap();
            assert!(told.contains("重复支付"), "{told}");
            if told.contains("退款成功") {
                break;
            }
            browser.world.advance(Duration::from_secs(10));
            tokio::time::sleep(Duration::from_millis(200)).await;
        }
        browser.shot("paid-twice").await;
    })
    .await;
}
