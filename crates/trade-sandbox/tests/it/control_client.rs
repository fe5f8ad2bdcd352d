//! A script that uses the control API and the pay page.

use serde_json::Value;
use trade_sandbox::{Channel, Sandbox};

/// An answer of the sandbox's own pages and API.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) text: String,
}

impl Said {
    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.text).unwrap_or(Value::Null)
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// Status, code and field of a refusal; also that it is written for people.
    pub(crate) fn refusal(&self) -> (u16, String, Option<String>) {
        let body = self.json();
        let error = &body["error"];
        assert!(
            error["message"].as_str().is_some_and(|text| text.len() > 10),
            "{self:?}"
        );
        let text = |name: &str| error[name].as_str().map(str::to_owned);
        (self.status, text("code").unwrap_or_default(), text("field"))
    }

    /// The same, of a field that breaks a rule.
    pub(crate) fn wrong_field(&self) -> String {
        let (status, code, field) = self.refusal();
        assert_eq!((status, code.as_str()), (400, "invalid_field"), "{self:?}");
        let field = field.unwrap();
        let body = self.json();
        assert!(
            body["error"]["message"].as_str().unwrap().starts_with(&field),
            "{self:?}"
        );
        field
    }
}

/// Follows no redirects.
pub(crate) struct Script {
    http: reqwest::Client,
    base: String,
}

impl Script {
    pub(crate) fn of(sandbox: &Sandbox) -> Self {
        let http = reqwest::Client::builder()
            .no_proxy()
            .redirect(reqwest::redirect::Policy::none());
        Self {
            http: http.build().unwrap(),
            base: sandbox.url().to_owned(),
        }
    }

    /// A request of any kind.
    pub(crate) async fn send(&self, method: &str, path: &str, accept: &str, body: &str) -> Said {
        let method = method.to_uppercase().parse().unwrap();
        let request = self.http.request(method, format!("{}{path}", self.base));
        let response = request
            .header("Accept", accept)
            .body(body.to_owned())
            .send()
            .await
            .unwrap();
        Said {
            status: response.status().as_u16(),
            headers: response.headers().clone(),
            text: response.text().await.unwrap(),
        }
    }

    pub(crate) async fn get(&self, path: &str) -> Said {
        self.send("GET", path, "application/json", "").await
    }

    /// A POST with a body; `Value::Null` is none.
    pub(crate) async fn post(&self, path: &str, body: &Value) -> Said {
        let body = if body.is_null() {
            String::new()
        } else {
            body.to_string()
        };
        self.send("POST", path, "application/json", &body).await
    }

    /// A POST that must succeed.
    pub(crate) async fn done(&self, path: &str, body: &Value) -> Value {
        let said = self.post(path, body).await;
        assert_eq!(said.status, 200, "{path}: {}", said.text);
        said.json()
    }

    /// What a browser asks for.
    pub(crate) async fn browse(&self, method: &str, path: &str) -> Said {
        let accept = "text/html,application/xhtml+xml,application/json;q=0.9,*/*;q=0.8";
        self.send(method, path, accept, "").await
    }
}

/// The path of the pay page of an order's present code.
pub(crate) fn pay_path(sandbox: &Sandbox, channel: Channel, out_trade_no: &str) -> String {
    let ledger = sandbox.ledger();
    format!("/pay/{}", ledger.order(channel, out_trade_no).unwrap().code_token)
}
