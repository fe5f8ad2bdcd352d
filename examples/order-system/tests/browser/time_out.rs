//! The countdown, and what comes after it.

use std::time::Duration;

use trade_sandbox::Channel as Bank;

use crate::{
    chromium::{PHONE, with_browser},
    world::{WECHAT, number},
};

/// Minutes and seconds as the page shows them, in seconds.
fn seconds(shown: &str) -> u32 {
    let (minutes, rest) = shown.split_once(':').unwrap_or_else(|| panic!("{shown}"));
    minutes.parse::<u32>().unwrap() * 60 + rest.parse::<u32>().unwrap()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn the_countdown_runs_and_ends_in_cancelled() {
    with_browser(PHONE, async |browser| {
        let id = browser.book().await;
        browser.choose(WECHAT).await;
        let timer = browser.find("[data-deadline]").await;
        let at_first = seconds(&timer.text().await.unwrap());
        assert!((1..=15 * 60).contains(&at_first), "{at_first}");
        while seconds(&timer.text().await.unwrap()) >= at_first {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        let code = browser.world.code(&id, WECHAT).await;
        browser.world.advance(Duration::from_secs(15 * 60 + 1));
        let title = browser.find("h1[data-status='600']").await;
        assert_eq!(title.text().await.unwrap(), "已取消");
        assert!(!browser.has("#qr").await && !browser.has("[data-deadline]").await);
        browser.shot("timed-out").await;
        let late = browser.world.sandbox.pay(Bank::Wechat, &number(&code));
        assert!(late.is_err(), "nobody can pay it any more: {late:?}");
    })
    .await;
}
