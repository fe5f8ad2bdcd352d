//! The pay page, as a phone's browser and as scripts use it.

use std::time::Duration;

use serde_json::{Value, json};
use trade_sandbox::{
    Channel::{self, Alipay, Wechat},
    Sandbox,
};

use crate::{
    alipay_client::{AlipayClient, order},
    control_client::{Script, pay_path},
    support::{Listener, WechatClient, sandbox, sandbox_with},
};

const BUTTONS: [&str; 3] = ["pay", "cancel", "expire"];

#[tokio::test]
async fn an_unpaid_code_shows_what_is_to_be_paid() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    let path = wechat_order(&sandbox, "PAG00001").await;
    let page = script.browse("GET", &path).await;
    assert_eq!(
        (page.status, page.header("content-type")),
        (200, "text/html; charset=utf-8")
    );
    for text in [
        "微信支付",
        "class=\"wechat\"",
        "1,234.50",
        "PAG00001",
        "1900000001",
        "待支付",
        "30 分 0 秒",
    ] {
        assert!(page.text.contains(text), "{text}");
    }
    let token = path.rsplit_once('/').unwrap().1;
    for button in BUTTONS {
        assert!(
            page.text
                .contains(&format!("method=\"post\" action=\"{token}/{button}\""))
        );
    }
    // A later look tells less time; nothing is kept by the browser.
    sandbox.advance(Duration::from_secs(125));
    let page = script.browse("GET", &path).await;
    assert!(page.text.contains("27 分 55 秒"));
    assert_eq!(page.header("cache-control"), "no-store");
}

#[tokio::test]
async fn the_page_escapes_and_loads_nothing() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    let client = WechatClient::of(&sandbox);
    let mut body = client.order("PAG00002", 1);
    body["description"] = json!("<script>alert(1)</script><img src=x onerror='x'> \"&{{amount}}");
    client.create(&body).await;
    let page = script
        .browse("GET", &pay_path(&sandbox, Wechat, "PAG00002"))
        .await;
    assert!(page.text.contains(
        "&lt;script&gt;alert(1)&lt;/script&gt;&lt;img src=x onerror=&#39;x&#39;&gt; &quot;&amp;{{amount}}"
    ));
    for trace in [
        "<script", "<img", "<link", "@import", "url(", "http://", "https://", "src=",
    ] {
        assert!(!page.text.replace("src=x", "").contains(trace), "{trace}");
    }
    let policy = page.header("content-security-policy");
    assert!(
        policy.contains("default-src 'none'") && policy.contains("form-action 'self'"),
        "{policy}"
    );
    let unknown = script.browse("GET", "/pay/%3Cscript%3E").await;
    assert_eq!(unknown.status, 404);
    assert!(unknown.text.contains("二维码不存在") && !unknown.text.contains("<script"));
}

#[tokio::test]
async fn pressing_pay_pays_once_and_tells_the_merchant() {
    let sandbox = sandbox().await;
    let listener = Listener::start().await;
    let script = Script::of(&sandbox);
    let client = AlipayClient::of(&sandbox);
    client
        .precreate(&order("PAG00003", "38.80"), Some(listener.url("alipay")))
        .await;
    let path = pay_path(&sandbox, Alipay, "PAG00003");
    let token = path.rsplit_once('/').unwrap().1;
    assert!(
        script
            .browse("GET", &path)
            .await
            .text
            .contains("class=\"alipay\"")
    );
    for _ in 0..2 {
        let pressed = script.browse("POST", &format!("{path}/pay")).await;
        assert_eq!(
            (pressed.status, pressed.header("location")),
            (303, format!("../{token}").as_str())
        );
    }
    let page = script.browse("GET", &path).await;
    assert!(page.text.contains("<h1>支付成功</h1>") && page.text.contains("38.80"));
    assert!(!page.text.contains("<form"));
    assert!(sandbox.quiet().await);
    assert_eq!((sandbox.ledger().entries.len(), listener.heard().len()), (1, 1));
    let refund = client.refund("PAG00003", "R1", "8.80").await;
    assert_eq!(refund["fund_change"], "Y");
    let page = script.browse("GET", &path).await;
    assert!(page.text.contains("支付成功") && page.text.contains("已退款") && page.text.contains("¥8.80"));
}

#[tokio::test]
async fn opening_an_alipay_page_makes_the_trade_exist_and_cancelling_leaves_it_unpaid() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    let client = AlipayClient::of(&sandbox);
    client.precreate(&order("PAG00004", "1.00"), None).await;
    let path = pay_path(&sandbox, Alipay, "PAG00004");
    assert_eq!(client.state("PAG00004").await, "ACQ.TRADE_NOT_EXIST");
    script.browse("GET", &path).await;
    assert_eq!(client.state("PAG00004").await, "WAIT_BUYER_PAY");
    let pressed = script.browse("POST", &format!("{path}/cancel")).await;
    assert_eq!(pressed.status, 303);
    let back = pressed.header("location").trim_start_matches("..").to_owned();
    let page = script.browse("GET", &format!("/pay{back}")).await;
    assert!(page.text.contains("已取消，订单尚未支付") && page.text.contains("<form"));
    assert_eq!(client.state("PAG00004").await, "WAIT_BUYER_PAY");
    // Cancelling is no end: it can be paid afterwards.
    script.browse("POST", &format!("{path}/pay")).await;
    assert_eq!(client.state("PAG00004").await, "TRADE_SUCCESS");
}

#[tokio::test]
async fn a_bare_post_implies_the_scan_and_answers_json() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    let client = AlipayClient::of(&sandbox);
    for (number, button, state) in [
        ("PAG00005", "pay", "TRADE_SUCCESS"),
        ("PAG00006", "cancel", "WAIT_BUYER_PAY"),
        ("PAG00007", "expire", "TRADE_CLOSED"),
    ] {
        client.precreate(&order(number, "1.00"), None).await;
        let path = pay_path(&sandbox, Alipay, number);
        let said = script.done(&format!("{path}/{button}"), &Value::Null).await;
        assert_eq!(
            (&said["out_trade_no"], &said["amount_fen"]),
            (&json!(number), &json!(100))
        );
        assert!(said["transaction_id"].is_string(), "{said}");
        assert_eq!(client.state(number).await, state);
    }
}

#[tokio::test]
async fn what_cannot_be_paid_says_so_and_is_not_paid() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    let client = WechatClient::of(&sandbox);
    let paid = wechat_order(&sandbox, "PAG00008").await;
    sandbox.pay(Wechat, "PAG00008").unwrap();
    let expired = wechat_order(&sandbox, "PAG00009").await;
    script.browse("POST", &format!("{expired}/expire")).await;
    let closed = wechat_order(&sandbox, "PAG00010").await;
    assert_eq!(client.close("PAG00010").await.status, 204);
    let replaced = wechat_order(&sandbox, "PAG00011").await;
    let present = wechat_order(&sandbox, "PAG00011").await;
    assert_ne!(replaced, present);
    let before = sandbox.ledger().entries;
    for (path, screen, code, heading) in [
        (&paid, "paid", "already_paid", "支付成功"),
        (&expired, "expired", "expired", "订单已过期"),
        (&closed, "closed", "closed", "订单已关闭"),
        (&replaced, "code_dead", "code_dead", "二维码已失效"),
    ] {
        assert_eq!(script.get(path).await.json()["screen"], screen);
        for button in BUTTONS {
            let refusal = script
                .post(&format!("{path}/{button}"), &Value::Null)
                .await
                .refusal();
            assert_eq!((refusal.0, refusal.1.as_str()), (409, code), "{button}");
            assert_eq!(
                script.browse("POST", &format!("{path}/{button}")).await.status,
                303
            );
        }
        let page = script.browse("GET", path).await.text;
        assert!(
            page.contains(&format!("<h1>{heading}</h1>")) && !page.contains("<form"),
            "{heading}"
        );
    }
    assert_eq!(sandbox.ledger().entries, before);
    assert!(sandbox.ledger().order(Wechat, "PAG00011").unwrap().is_open());
    for button in BUTTONS {
        let unknown = script.post(&format!("/pay/none/{button}"), &Value::Null).await;
        assert_eq!(
            (unknown.refusal().0, unknown.refusal().1.as_str()),
            (404, "code_not_found")
        );
        assert_eq!(
            script.browse("POST", &format!("/pay/none/{button}")).await.status,
            404
        );
    }
    assert_eq!(script.get("/pay/none").await.refusal().1, "code_not_found");
}

#[tokio::test]
async fn time_alone_makes_codes_and_orders_die() {
    let sandbox = sandbox().await;
    let script = Script::of(&sandbox);
    let screen = async |path: &str| script.get(path).await.json()["screen"].clone();
    let wechat = wechat_order(&sandbox, "PAG00012").await;
    let client = AlipayClient::of(&sandbox);
    client.precreate(&order("PAG00013", "1.00"), None).await;
    let alipay = pay_path(&sandbox, Alipay, "PAG00013");
    let unlimited = WechatClient::of(&sandbox);
    unlimited.create(&unlimited.order("PAG00014", 1)).await;
    let old = pay_path(&sandbox, Wechat, "PAG00014");
    sandbox.advance(Duration::from_secs(1_800));
    assert_eq!(screen(&wechat).await, "expired");
    sandbox.advance(Duration::from_secs(5_400));
    // Nobody has scanned these for two hours: the codes are dead, the orders are not.
    assert_eq!(
        [screen(&alipay).await, screen(&old).await],
        ["code_dead", "code_dead"]
    );
    sandbox.advance(Duration::from_secs(3_600));
    assert_eq!(screen(&alipay).await, "expired");
    assert!(sandbox.ledger().entries.is_empty());
}

#[tokio::test]
async fn many_thumbs_pay_once() {
    let sandbox = sandbox().await;
    let path = wechat_order(&sandbox, "PAG00015").await;
    let url = format!("{}{path}/pay", sandbox.url());
    let http = reqwest::Client::builder().no_proxy().build().unwrap();
    let pressing: Vec<_> = (0..16)
        .map(|_| {
            let request = http.post(&url).header("Accept", "application/json");
            tokio::spawn(async move { request.send().await.unwrap().status().as_u16() })
        })
        .collect();
    let mut statuses = Vec::new();
    for thumb in pressing {
        statuses.push(thumb.await.unwrap());
    }
    statuses.sort_unstable();
    assert_eq!(statuses.first(), Some(&200));
    assert!(
        statuses.iter().skip(1).all(|status| *status == 409),
        "{statuses:?}"
    );
    assert_eq!(sandbox.ledger().paid_fen(Wechat), 123_450);
}

#[tokio::test]
async fn codes_of_the_real_shape_have_the_same_page() {
    let sandbox = sandbox_with(|config| config.real_qr_shape = true).await;
    let script = Script::of(&sandbox);
    let client = WechatClient::of(&sandbox);
    let code_url = client.create(&client.order("PAG00016", 1)).await;
    let token = code_url.rsplit_once('=').unwrap().1;
    script.done(&format!("/pay/{token}/pay"), &Value::Null).await;
    assert!(paid(&sandbox, Wechat, "PAG00016"));
    let client = AlipayClient::of(&sandbox);
    let code_url = client.precreate(&order("PAG00017", "1.00"), None).await;
    let token = code_url.rsplit_once('/').unwrap().1;
    script.done(&format!("/pay/{token}/pay"), &Value::Null).await;
    assert!(paid(&sandbox, Alipay, "PAG00017"));
}

fn paid(sandbox: &Sandbox, channel: Channel, number: &str) -> bool {
    sandbox.ledger().order(channel, number).unwrap().is_paid()
}

/// Creates, or re-enters, an order of 1234.50 yuan that can be paid for half an hour; returns the path of its page.
async fn wechat_order(sandbox: &Sandbox, number: &str) -> String {
    let client = WechatClient::of(sandbox);
    let mut body = client.order(number, 123_450);
    body["time_expire"] = json!("2026-11-20T12:30:00+08:00");
    client.create(&body).await;
    pay_path(sandbox, Wechat, number)
}
