//! The pages, as a browser without scripts sees them, and the stream that scripts read.

use std::time::Duration;

use axum::http::{StatusCode, header};
use reqwest::{RequestBuilder, Response};

use crate::{
    parts::Health,
    world::{WECHAT, World},
};

impl World {
    fn browser(&self, call: RequestBuilder) -> RequestBuilder {
        call.header("cookie", "user=1001")
            .header("sec-fetch-site", "same-origin")
    }

    async fn open(&self, path: &str) -> String {
        let call = self.browser(self.http.get(format!("{}{path}", self.base)));
        let response = call.send().await.unwrap();
        assert_eq!(response.status(), StatusCode::OK, "{path}");
        response.text().await.unwrap()
    }

    async fn submit(&self, path: &str, fields: &[(&str, &str)]) -> Response {
        let call = self.browser(self.http.post(format!("{}{path}", self.base)));
        call.form(fields).send().await.unwrap()
    }

    /// Fills in the form and returns the path of the new order.
    async fn book(&self) -> String {
        let start = self.in_time(Duration::from_secs(24 * 3600)).replace(' ', "T");
        let fields = [
            ("serveId", "11"),
            ("purNum", "1"),
            ("serveStartTime", &start[..16]),
            ("addressBookId", "1"),
        ];
        let response = self.submit("/orders", &fields).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER);
        response.headers()[header::LOCATION].to_str().unwrap().to_owned()
    }
}

#[tokio::test]
async fn a_customer_books_pays_and_cancels_with_forms_alone() {
    let world = World::new().await;
    let services = world.open("/").await;
    assert!(
        services.contains("href=\"/services/11\"") && services.contains("39.90"),
        "{services}"
    );
    assert!(
        !services.contains("href=\"/services/22\""),
        "what is off sale cannot be chosen"
    );
    let form = world.open("/services/11").await;
    assert!(
        form.contains("name=\"purNum\"") && form.contains("中关村大街27号"),
        "{form}"
    );
    assert!(!form.contains("世纪大道"), "nobody else's addresses");

    let order = world.book().await;
    let page = world.open(&order).await;
    assert!(
        page.contains("data-status=\"0\"") && page.contains("data-deadline="),
        "{page}"
    );
    assert!(!page.contains("id=\"qr\""));
    let response = world
        .submit(&format!("{order}/pay"), &[("tradingChannel", WECHAT)])
        .await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    let page = world.open(&order).await;
    assert!(page.contains("id=\"qr\" src=\"data:image/png;base64,"), "{page}");
    assert!(
        page.contains("value=\"WECHAT_PAY\" aria-pressed=\"true\""),
        "{page}"
    );
    let link = page
        .split("id=\"pay-page\" href=\"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let paid = world
        .http
        .post(format!("{link}/pay"))
        .header("accept", "application/json")
        .send()
        .await;
    assert!(paid.unwrap().status().is_success());
    let id = order.trim_start_matches("/orders/");
    world.until_status(id, 100).await;
    let page = world.open(&order).await;
    assert!(page.contains("派单中") && !page.contains("id=\"qr\""), "{page}");
    let response = world
        .submit(&format!("{order}/cancel"), &[("cancelReason", "<b>变了</b>")])
        .await;
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
    world
        .until_in_time(id, Duration::from_secs(10), |order| order["refundStatus"] == 2)
        .await;
    let page = world.open(&order).await;
    assert!(page.contains("退款成功"), "{page}");
    assert!(!page.contains("<b>变了"), "what people write is shown, not run");
    assert!(world.open("/orders").await.contains(&order));
}

#[tokio::test]
async fn the_page_is_told_that_the_order_is_paid() {
    let world = World::new().await;
    let order = world.book().await;
    let id = order.trim_start_matches("/orders/");
    let code = world.code(id, WECHAT).await;
    let mut stream = world
        .browser(world.http.get(format!("{}{order}/live", world.base)))
        .send()
        .await
        .unwrap();
    let mut heard = String::new();
    let mut paid = false;
    let told = async {
        while !heard.contains("data-status=\"100\"") {
            let chunk = stream.chunk().await.unwrap().expect("the stream stays open");
            heard.push_str(&String::from_utf8_lossy(&chunk));
            if !paid && heard.contains("data-status=\"0\"") {
                world.pay(&code);
                paid = true;
            }
        }
    };
    tokio::time::timeout(Duration::from_secs(60), told)
        .await
        .expect("told within a minute");
    assert!(
        heard.contains("event: state") && heard.contains("派单中"),
        "{heard}"
    );
}

/// What the operator's page says of a circuit.
fn circuit<'page>(page: &'page str, name: &str) -> &'page str {
    let label = format!("data-circuit=\"{name}\">");
    page.split_once(&label).unwrap().1.split('<').next().unwrap()
}

#[tokio::test]
async fn the_operators_page_moves_orders_and_shows_the_circuits() {
    let world = World::new().await;
    let id = world.paid().await;
    let page = world.open("/operator").await;
    assert!(page.contains(&format!("/operator/orders/{id}/take")), "{page}");
    assert!(
        circuit(&page, "customer") == "正常" && circuit(&page, "foundations") == "正常",
        "{page}"
    );
    for (step, status) in [
        ("take", 200),
        ("give-back", 100),
        ("take", 200),
        ("start", 300),
        ("finish", 500),
    ] {
        let response = world.submit(&format!("/operator/orders/{id}/{step}"), &[]).await;
        assert_eq!(response.status(), StatusCode::SEE_OTHER, "{step}");
        assert_eq!(world.status(&id).await, status);
    }
    let response = world.submit(&format!("/operator/orders/{id}/take"), &[]).await;
    assert_eq!(response.status(), StatusCode::CONFLICT);
    world.foundations.set(Health::Failing);
    for _ in 0..2 {
        let page = world.open("/").await;
        assert!(page.contains("服务目录暂时无法访问"), "{page}");
    }
    let page = world.open("/operator").await;
    assert!(
        circuit(&page, "foundations") == "已熔断" && circuit(&page, "customer") == "正常",
        "{page}"
    );
}

#[tokio::test]
async fn nothing_is_changed_for_another_site() {
    let world = World::new().await;
    let id = world.place().await;
    let cancel = format!("{}/orders/{id}/cancel", world.base);
    let call = || {
        world
            .http
            .post(&cancel)
            .header("cookie", "user=1001")
            .form(&[("cancelReason", "x")])
    };
    for (name, value) in [
        ("sec-fetch-site", "cross-site"),
        ("origin", "https://evil.example"),
    ] {
        let response = call().header(name, value).send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN, "{name}");
        assert_eq!(world.status(&id).await, 0);
    }
    for path in ["cancel", "pay", "evaluate"] {
        let response = world
            .http
            .get(format!("{}/orders/{id}/{path}", world.base))
            .send()
            .await
            .unwrap();
        assert_eq!(
            response.status(),
            StatusCode::METHOD_NOT_ALLOWED,
            "a link changes nothing"
        );
    }
    let response = call().header("origin", world.base.clone()).send().await.unwrap();
    assert_eq!(response.status(), StatusCode::SEE_OTHER);
}

#[tokio::test]
async fn a_mistake_gives_the_form_back_as_it_was_filled_in() {
    let world = World::new().await;
    let start = world.in_time(Duration::from_secs(24 * 3600)).replace(' ', "T");
    let fields = [
        ("serveId", "11"),
        ("purNum", "1000"),
        ("serveStartTime", &start[..16]),
        ("addressBookId", "2"),
    ];
    let response = world.submit("/orders", &fields).await;
    assert_eq!(response.status(), StatusCode::BAD_REQUEST);
    let page = response.text().await.unwrap();
    assert!(
        page.contains("role=\"alert\"") && page.contains("1 到 999"),
        "{page}"
    );
    assert!(
        page.contains("value=\"1000\"") && page.contains("value=\"2\" required checked"),
        "{page}"
    );
}

#[tokio::test]
async fn strangers_sign_in_first_and_see_their_own_only() {
    let world = World::new().await;
    let id = world.place().await;
    let get = |path: String| world.http.get(format!("{}{path}", world.base));
    let response = get(format!("/orders/{id}")).send().await.unwrap();
    assert_eq!(response.headers()[header::LOCATION], "/sign-in");
    for path in [format!("/orders/{id}"), format!("/orders/{id}/live")] {
        let response = get(path).header("cookie", "user=1002").send().await.unwrap();
        assert_eq!(response.status(), StatusCode::FORBIDDEN);
    }
    let response = world.submit("/sign-in", &[("userId", "1002")]).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(
        cookie.starts_with("user=1002;") && cookie.contains("HttpOnly; SameSite=Lax"),
        "{cookie}"
    );
    let response = world.submit("/sign-in", &[("userId", "7")]).await;
    assert_eq!(
        response.headers()[header::LOCATION],
        "/sign-in",
        "nobody of that number"
    );
    assert!(response.headers().get(header::SET_COOKIE).is_none());
}

#[tokio::test]
async fn the_pages_speak_english_to_those_who_want_it() {
    let world = World::new().await;
    let response = world.submit("/language", &[("lang", "en")]).await;
    let cookie = response.headers()[header::SET_COOKIE].to_str().unwrap();
    assert!(cookie.starts_with("lang=en;"), "{cookie}");
    let call = world
        .http
        .get(format!("{}/", world.base))
        .header("cookie", "user=1001; lang=en");
    let response = call.send().await.unwrap();
    let policy = response.headers()[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("default-src 'none'") && policy.contains("script-src 'self'"),
        "{policy}"
    );
    let page = response.text().await.unwrap();
    assert!(
        page.contains("<html lang=\"en\">") && page.contains("Choose a service"),
        "{page}"
    );
}
