//! What an order system does, over HTTP.

use std::collections::VecDeque;

use serde::{Deserialize, de::DeserializeOwned};
use serde_json::json;
use trade_core::{Channel, TradeStatusMsg};

use super::{super::Failure, sandbox::ENTERPRISE_ID};

pub(super) struct Client {
    http: reqwest::Client,
    base: String,
}

/// The part of NativePayRes that the demo uses.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Created {
    pub(super) trading_order_no: String,
    pub(super) code_url: String,
}

/// The part of TradingRes that the demo uses.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Shown {
    pub(super) trading_state: u8,
    pub(super) trading_amount: String,
    pub(super) transaction_id: Option<String>,
}

/// The server's stream of events.
pub(super) struct Events {
    response: reqwest::Response,
    text: Vec<u8>,
    ready: VecDeque<TradeStatusMsg>,
}

impl Client {
    pub(super) fn new(base: &str) -> Result<Self, Failure> {
        // The demo talks to this machine only; a proxy would be asked in vain.
        Ok(Self {
            http: reqwest::Client::builder().no_proxy().build()?,
            base: base.to_owned(),
        })
    }

    pub(super) async fn create(&self, channel: Channel, order: i64, yuan: &str) -> Result<Created, Failure> {
        let request = json!({
            "enterpriseId": ENTERPRISE_ID.to_string(),
            "productAppId": "demo.orders",
            "productOrderNo": order.to_string(),
            "tradingChannel": channel.code(),
            "tradingAmount": yuan,
            "memo": "日常保洁",
        });
        let call = self
            .http
            .post(format!("{}/trade/inner/native", self.base))
            .json(&request);
        read(call.send().await?).await
    }

    pub(super) async fn trading(&self, number: &str) -> Result<Shown, Failure> {
        read(
            self.http
                .get(format!("{}/trade/inner/tradings/{number}", self.base))
                .send()
                .await?,
        )
        .await
    }

    pub(super) async fn events(&self) -> Result<Events, Failure> {
        let response = self
            .http
            .get(format!("{}/trade/inner/events?after=0", self.base))
            .send()
            .await?;
        let response = response.error_for_status()?;
        Ok(Events {
            response,
            text: Vec::new(),
            ready: VecDeque::new(),
        })
    }

    /// Presses the button of the sandbox's pay page.
    pub(super) async fn pay(&self, page: &str) -> Result<(), Failure> {
        let response = self
            .http
            .post(format!("{page}/pay"))
            .header("accept", "application/json")
            .send()
            .await?;
        if response.status().is_success() {
            return Ok(());
        }
        let status = response.status();
        Err(format!("the pay page answered {status}: {}", response.text().await?).into())
    }
}

async fn read<T: DeserializeOwned>(response: reqwest::Response) -> Result<T, Failure> {
    let status = response.status();
    let body = response.text().await?;
    if !status.is_success() {
        return Err(format!("the server answered {status}: {body}").into());
    }
    serde_json::from_str(&body).map_err(|error| format!("the server's answer makes no sense: {error}").into())
}

impl Events {
    /// The next event.
    pub(super) async fn next(&mut self) -> Result<TradeStatusMsg, Failure> {
        loop {
            if let Some(event) = self.ready.pop_front() {
                return Ok(event);
            }
            let chunk = self
                .response
                .chunk()
                .await?
                .ok_or("the server ended the stream of events")?;
            self.text.extend_from_slice(&chunk);
            self.split()?;
        }
    }

    /// Takes whole lines off the text; the data of an event is one line.
    fn split(&mut self) -> Result<(), Failure> {
        while let Some(end) = self.text.iter().position(|byte| *byte == b'\n') {
            let line: Vec<u8> = self.text.drain(..=end).collect();
            if let Some(data) = line.strip_prefix(b"data:") {
                let messages: Vec<TradeStatusMsg> = serde_json::from_slice(data)?;
                self.ready.extend(messages);
            }
        }
        Ok(())
    }
}
