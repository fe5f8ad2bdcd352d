//! For everybody: by keyboard alone, on a small screen, and in both languages.

use fantoccini::{Locator, key::Key};
use serde_json::json;

use crate::{
    chromium::{Browser, DESK, PHONE, with_browser},
    world::WECHAT,
};

/// What a page must be: no wider than its screen, one first heading, a name for everything one can use, and
/// letters that stand out.
async fn is_for_everybody(browser: &Browser, page: &str) {
    let wide = browser
        .ask("document.documentElement.scrollWidth - window.innerWidth")
        .await;
    assert!(
        wide.as_i64().unwrap() <= 0,
        "{page} is {wide} pixels wider than the screen"
    );
    assert_eq!(
        browser.ask("document.querySelectorAll('h1').length").await,
        1,
        "{page}"
    );
    let nameless = "[...document.querySelectorAll('input:not([type=hidden]), button, a, img, select')] \
        .filter((one) => !(one.textContent.trim() || one.labels?.length || one.alt || one.ariaLabel)) \
        .map((one) => one.outerHTML)";
    assert_eq!(browser.ask(nameless).await, json!([]), "{page}");
    assert_eq!(browser.ask(FAINT).await, json!([]), "{page}");
}

/// The texts whose contrast with what is behind them is less than 4.5, as WCAG 2 counts.
const FAINT: &str = "(() => {
    const numbers = (colour) => colour.match(/[\\d.]+/g).map(Number);
    const light = ([r, g, b]) => [r, g, b].map((c) => c / 255)
        .map((c) => c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, at) => sum + c * [0.2126, 0.7152, 0.0722][at], 0);
    const behind = (one) => {
        for (; one; one = one.parentElement) {
            const colour = numbers(getComputedStyle(one).backgroundColor);
            if (colour.length < 4 || colour[3] > 0) return colour;
        }
        return [255, 255, 255];
    };
    const own = (one) => [...one.childNodes].some((node) => node.nodeType === 3 && node.data.trim());
    const faint = [];
    for (const one of document.querySelectorAll('body *')) {
        if (!own(one) || !one.offsetParent) continue;
        const [a, b] = [light(numbers(getComputedStyle(one).color)), light(behind(one))].sort((x, y) => y - x);
        if ((a + 0.05) / (b + 0.05) < 4.5) faint.push(one.outerHTML);
    }
    return faint;
})()";

async fn every_page(browser: &Browser, paid: &str, screen: &str) {
    for (page, path) in [
        ("services", "/".to_owned()),
        ("book", "/services/11".to_owned()),
        ("sign-in", "/sign-in".to_owned()),
        ("orders", "/orders".to_owned()),
        ("paid", format!("/orders/{paid}")),
        ("result", format!("/orders/{paid}/result")),
        ("operator", "/operator".to_owned()),
        ("error", "/services/22".to_owned()),
    ] {
        browser.open(&path).await;
        is_for_everybody(browser, page).await;
        browser.shot(&format!("{screen}-{page}")).await;
    }
}

async fn every_page_in_both_languages(browser: &Browser, screen: &str) {
    let paid = browser.world.paid().await;
    let unpaid = browser.book().await;
    browser.choose(WECHAT).await;
    for language in ["zh", "en"] {
        browser.open(&format!("/orders/{unpaid}")).await;
        browser.find("#qr").await;
        is_for_everybody(browser, "code").await;
        browser.shot(&format!("{screen}-{language}-code")).await;
        every_page(browser, &paid, &format!("{screen}-{language}")).await;
        browser.open("/").await;
        browser.click("button[name='lang']").await;
        let other = if language == "zh" { "en" } else { "zh" };
        browser.find(&format!("html[lang^='{other}']")).await;
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_for_everybody_on_a_phone() {
    with_browser(PHONE, async |browser| {
        every_page_in_both_languages(browser, "phone").await
    })
    .await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn every_page_is_for_everybody_at_a_desk() {
    with_browser(DESK, async |browser| {
        every_page_in_both_languages(browser, "desk").await
    })
    .await;
}

/// Presses the tab key until that element has the focus.
async fn tab_to(browser: &Browser, css: &str) {
    for _ in 0..40 {
        let body = browser.client.active_element().await.unwrap();
        body.send_keys(&char::from(Key::Tab).to_string()).await.unwrap();
        if browser
            .ask(&format!("document.activeElement.matches(\"{css}\")"))
            .await
            == true
        {
            return;
        }
    }
    panic!("{css} cannot be reached by the tab key");
}

async fn press_enter(browser: &Browser) {
    let focused = browser.client.active_element().await.unwrap();
    focused
        .send_keys(&char::from(Key::Enter).to_string())
        .await
        .unwrap();
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_keyboard_is_enough() {
    with_browser(DESK, async |browser| {
        browser.open("/sign-in").await;
        for css in [
            "button[value='1001']",
            "a[href='/services/11']",
            "form[action='/orders'] button",
        ] {
            browser.find(css).await;
            tab_to(browser, css).await;
            press_enter(browser).await;
        }
        let button = "button[value='WECHAT_PAY']";
        browser.find(button).await;
        tab_to(browser, button).await;
        press_enter(browser).await;
        browser.find("#qr").await;
        let code = browser.client.find(Locator::Css("#qr")).await.unwrap();
        assert!(!code.attr("alt").await.unwrap().unwrap().is_empty());
        // The focus is within what is about to change: it goes to what the page is now about.
        tab_to(browser, "#paid").await;
        let url = browser.client.current_url().await.unwrap();
        let id = url.path().trim_start_matches("/orders/").to_owned();
        let code = browser.world.code(&id, WECHAT).await;
        browser.world.pay(&code);
        browser.find("h1[data-status='100']").await;
        assert_eq!(browser.ask("document.activeElement.tagName").await, "H1");
    })
    .await;
}
