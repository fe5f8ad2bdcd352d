//! The two services an order is made of: called with a time-out, a fallback and a circuit breaker.

use std::{fmt, sync::Arc, time::Duration};

use serde::{Deserialize, de::DeserializeOwned};
use trade_core::{BreakerPolicy, BreakerState, Circuit, port::Clock};

/// Within 5 s, at least 2 requests and 1 failure open the circuit for 30 s; then one probe.
const POLICY: BreakerPolicy = BreakerPolicy {
    window: Duration::from_secs(5),
    min_calls: 2,
    min_failures: 1,
    failure_percent: 0,
    open_for: Duration::from_secs(30),
};

/// A service this one depends on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Dependency {
    /// The address book.
    Customer,
    /// What is offered.
    Foundations,
}

impl Dependency {
    /// Its name in metrics and logs.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Customer => "customer",
            Self::Foundations => "foundations",
        }
    }

    /// What a customer reads when it does not answer: Chinese and English.
    pub(crate) fn down_words(self) -> (String, String) {
        let (chinese, english) = match self {
            Self::Customer => (
                "地址簿暂时无法访问，没有下单，请稍后再试",
                "The address book does not answer; nothing was booked, please try again in a moment.",
            ),
            Self::Foundations => (
                "服务目录暂时无法访问，没有下单，请稍后再试",
                "The list of services does not answer; nothing was booked, please try again in a moment.",
            ),
        };
        (chinese.to_owned(), english.to_owned())
    }
}

impl fmt::Display for Dependency {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// What came back.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Answer<T> {
    /// It is there.
    Found(T),
    /// The service says that it is not there.
    Missing,
    /// The service did not answer, or is left alone for now.
    Fallback,
}

/// A client of one service.
#[derive(Debug)]
pub(crate) struct Remote {
    dependency: Dependency,
    http: reqwest::Client,
    base: String,
    circuit: Circuit,
}

impl Remote {
    pub(crate) fn new(
        dependency: Dependency,
        base: &str,
        timeout: Duration,
        clock: Arc<dyn Clock>,
    ) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(timeout)
            .timeout(timeout)
            .build()?;
        Ok(Self {
            dependency,
            http,
            base: base.trim_end_matches('/').to_owned(),
            circuit: Circuit::new(dependency.name(), clock, POLICY),
        })
    }

    pub(crate) fn dependency(&self) -> Dependency {
        self.dependency
    }

    pub(crate) fn state(&self) -> BreakerState {
        self.circuit.state()
    }

    /// Asks for something. "Not there" is an answer; everything else that is no success counts as a failure
    /// of the service.
    pub(crate) async fn get<T: DeserializeOwned>(&self, path: &str) -> Answer<T> {
        let Ok(permit) = self.circuit.admit() else {
            return Answer::Fallback;
        };
        let answer = self.ask(path).await;
        self.circuit.record(permit, answer.is_err());
        match answer {
            Ok(Some(found)) => Answer::Found(found),
            Ok(None) => Answer::Missing,
            Err(error) => {
                let error = error.without_url();
                tracing::warn!(dependency = %self.dependency, path, %error, "no answer, the fallback is used");
                Answer::Fallback
            }
        }
    }

    async fn ask<T: DeserializeOwned>(&self, path: &str) -> Result<Option<T>, reqwest::Error> {
        let response = self.http.get(format!("{}{path}", self.base)).send().await?;
        if response.status() == reqwest::StatusCode::NOT_FOUND {
            return Ok(None);
        }
        response.error_for_status()?.json().await.map(Some)
    }
}

/// An entry of the address book, as `GET /customer/inner/address-book/{id}` answers it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Address {
    #[serde(deserialize_with = "wire_id")]
    pub(crate) id: i64,
    /// Whose it is, when the service says so.
    #[serde(default, deserialize_with = "wire_some_id")]
    pub(crate) user_id: Option<i64>,
    pub(crate) name: String,
    pub(crate) phone: String,
    pub(crate) province: String,
    pub(crate) city: String,
    pub(crate) county: String,
    pub(crate) address: String,
    #[serde(deserialize_with = "wire_text")]
    pub(crate) lon: String,
    #[serde(deserialize_with = "wire_text")]
    pub(crate) lat: String,
}

impl Address {
    /// In one line. A city that is its own province is named once.
    pub(crate) fn line(&self) -> String {
        let mut parts = vec![&self.province, &self.city, &self.county, &self.address];
        parts.dedup();
        parts.into_iter().map(String::as_str).collect()
    }
}

/// The code of a service that is on sale.
const ON_SALE: i32 = 2;

/// A service, as `GET /foundations/inner/serve/{id}` answers it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Serve {
    #[serde(deserialize_with = "wire_id")]
    pub(crate) id: i64,
    /// Yuan.
    #[serde(deserialize_with = "wire_text")]
    pub(crate) price: String,
    pub(crate) unit: i32,
    pub(crate) city_code: String,
    pub(crate) sale_status: i32,
    #[serde(deserialize_with = "wire_id")]
    pub(crate) serve_item_id: i64,
    pub(crate) serve_item_name: String,
    pub(crate) serve_item_img: String,
    #[serde(deserialize_with = "wire_id")]
    pub(crate) serve_type_id: i64,
    pub(crate) serve_type_name: String,
}

impl Serve {
    pub(crate) const fn is_on_sale(&self) -> bool {
        self.sale_status == ON_SALE
    }
}

/// What travels as a string or as a number, as text.
fn wire_text<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<String, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Either {
        Text(String),
        Number(serde_json::Number),
    }
    Ok(match Either::deserialize(deserializer)? {
        Either::Text(text) => text,
        Either::Number(number) => number.to_string(),
    })
}

/// A 64-bit number.
fn wire_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<i64, D::Error> {
    wire_text(deserializer)?.parse().map_err(serde::de::Error::custom)
}

/// The same, where it is given.
fn wire_some_id<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Option<i64>, D::Error> {
    wire_id(deserializer).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_services_say_is_read_as_text_or_as_numbers() {
        let address = r#"{"id":7,"name":"李","phone":"1","province":"京","city":"京","county":"昌",
            "address":"街1号","lon":116.3374,"lat":"40.06","more":{}}"#;
        let address: Address = serde_json::from_str(address).unwrap();
        assert_eq!(
            (address.id, address.user_id, address.lon.as_str()),
            (7, None, "116.3374")
        );
        assert_eq!(
            address.line(),
            "京昌街1号",
            "the city that is a province is named once"
        );
        let serve = r#"{"id":"11","price":39.90,"unit":1,"cityCode":"010","saleStatus":2,
            "serveItemId":"1","serveItemName":"保洁","serveItemImg":"","serveTypeId":2,"serveTypeName":"清洗"}"#;
        let serve: Serve = serde_json::from_str(serve).unwrap();
        assert_eq!(
            (serve.id, serve.price.as_str(), serve.is_on_sale()),
            (11, "39.9", true)
        );
    }
}
