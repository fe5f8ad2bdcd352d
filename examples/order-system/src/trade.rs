//! The trade server over HTTP: exactly what it offers to any order system.

use std::time::Duration;

use reqwest::{RequestBuilder, StatusCode};
use serde::{Deserialize, de::DeserializeOwned};
use serde_json::{Value, json};
use trade_core::{Channel, Fen, ProductAppId, RefundNo, Timestamp, TradingOrderNo};

use crate::{
    settings::Settings,
    status::RefundStatus,
    store::{paid::Payment, refunds::RefundResult, table::Order},
};

/// A call waits for a channel.
const TIMEOUT: Duration = Duration::from_secs(20);
const CONNECT: Duration = Duration::from_secs(2);
/// 1007: the order is being paid at another channel, or on other terms.
const PAYING: u16 = 1007;
/// 1006: the order is paid.
const PAID: u16 = 1006;

/// What the trade server did not do.
#[derive(Debug, thiserror::Error)]
pub(crate) enum TradeFailure {
    /// It says no, and will say it again.
    #[error("the trade server refused ({code}): {detail}")]
    Refused { code: u16, detail: String },
    /// Nothing was done; the same may work in a moment.
    #[error("the trade server does not do it now: {detail}")]
    Later { detail: String },
    /// Nobody knows whether it was done; the same request, sent again, tells.
    #[error("the trade server's answer did not come: {detail}")]
    Unknown { detail: String },
}

impl TradeFailure {
    /// What the person reads: Chinese and English.
    pub(crate) fn words(&self) -> (String, String) {
        match self {
            Self::Refused { detail, .. } => (
                format!("支付服务拒绝了请求：{detail}"),
                format!("The payment service refused: {detail}"),
            ),
            Self::Later { .. } | Self::Unknown { .. } => (
                "支付服务暂时没有应答，订单没有变化，请稍后再试".to_owned(),
                "The payment service does not answer; the order is unchanged, please try again in a moment."
                    .to_owned(),
            ),
        }
    }

    /// Whether the order is being paid at another channel.
    pub(crate) const fn is_paying_elsewhere(&self) -> bool {
        matches!(self, Self::Refused { code: PAYING, .. })
    }

    /// Whether the order is paid.
    pub(crate) const fn is_paid(&self) -> bool {
        matches!(self, Self::Refused { code: PAID, .. })
    }
}

/// A code to pay an order by (NativePayRes).
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct NativePay {
    pub(crate) qr_code: String,
    pub(crate) code_url: String,
    #[serde(deserialize_with = "number")]
    pub(crate) trading_order_no: TradingOrderNo,
    pub(crate) trading_channel: Channel,
}

/// A trading (TradingRes): what this system looks at.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Trading {
    #[serde(deserialize_with = "number")]
    pub(crate) trading_order_no: TradingOrderNo,
    pub(crate) transaction_id: Option<String>,
    pub(crate) trading_channel: Channel,
    pub(crate) trading_amount: String,
    pub(crate) trading_state: i32,
    pub(crate) qr_code: Option<String>,
    pub(crate) code_url: Option<String>,
    pub(crate) paid_at: Option<String>,
    pub(crate) role: Option<String>,
    pub(crate) withdrawn: bool,
}

impl Trading {
    /// Its payment, when it is the one that settles its order.
    pub(crate) fn payment(&self, now: Timestamp) -> Option<Payment> {
        let wins = self.trading_state == 4 && self.role.as_deref() == Some("WINNER");
        wins.then(|| Payment {
            trading_order_no: self.trading_order_no,
            channel: self.trading_channel,
            transaction_id: self.transaction_id.clone(),
            paid_at: self
                .paid_at
                .as_deref()
                .and_then(Timestamp::from_beijing_text)
                .unwrap_or(now),
        })
    }

    /// Whether it may still be paid and become what settles the order: a live one, or one that a switch of
    /// channels closed while its code may live on.
    pub(crate) const fn is_to_be_withdrawn(&self) -> bool {
        self.trading_state == 2 || (self.trading_state == 5 && !self.withdrawn)
    }

    /// Its code, while it can be paid.
    pub(crate) fn code(&self) -> Option<Code> {
        Some(Code {
            qr_code: self.qr_code.clone()?,
            code_url: self.code_url.clone()?,
        })
    }
}

/// What a payer scans, or opens.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Code {
    /// A picture as a data URL.
    pub(crate) qr_code: String,
    pub(crate) code_url: String,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct RefundRecord {
    #[serde(deserialize_with = "refund_number")]
    refund_no: RefundNo,
    refund_id: Option<String>,
    refund_status: i32,
}

/// A client of the trade server.
#[derive(Debug)]
pub(crate) struct TradeClient {
    http: reqwest::Client,
    base: String,
    enterprise_id: String,
    app: ProductAppId,
}

impl TradeClient {
    pub(crate) fn new(settings: &Settings) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .no_proxy()
            .connect_timeout(CONNECT)
            .build()?;
        Ok(Self {
            http,
            base: settings.trade_url.trim_end_matches('/').to_owned(),
            enterprise_id: settings.enterprise_id.to_string(),
            app: settings.product_app_id.clone(),
        })
    }

    /// A code to pay an order by; the same one while it lives.
    pub(crate) async fn native(
        &self,
        order: &Order,
        amount: Fen,
        channel: Channel,
        change_channel: bool,
    ) -> Result<NativePay, TradeFailure> {
        let request = json!({
            "enterpriseId": self.enterprise_id,
            "productAppId": self.app,
            "productOrderNo": order.id.to_string(),
            "tradingChannel": channel,
            "tradingAmount": amount.to_yuan(),
            "memo": order.serve_item_name,
            "changeChannel": change_channel,
            "expiresAt": order.deadline().to_beijing_text(),
        });
        self.read(self.post("native").json(&request)).await
    }

    /// A trading as the table has it, with its code while it can be paid.
    pub(crate) async fn trading(&self, number: TradingOrderNo) -> Result<Trading, TradeFailure> {
        self.read(self.get(&format!("tradings/{number}"))).await
    }

    /// A trading as its channel says it is now; `None` when there is no such trading.
    pub(crate) async fn result(&self, number: TradingOrderNo) -> Result<Option<Trading>, TradeFailure> {
        let path = "tradings/findTradResultByTradingOrderNo";
        let call = self.get(path).query(&[("tradingOrderNo", number.to_string())]);
        let body = self.send(call).await?;
        if body.is_empty() {
            return Ok(None);
        }
        understood(&body).map(Some)
    }

    /// Every trading of an order, newest first.
    pub(crate) async fn tradings_of(&self, order: i64) -> Result<Vec<Trading>, TradeFailure> {
        let query = [
            ("productAppId", self.app.to_string()),
            ("productOrderNo", order.to_string()),
            ("limit", "200".to_owned()),
        ];
        let call = self.get("tradings").query(&query);
        let response = call.timeout(TIMEOUT).send().await.map_err(|error| lost(&error))?;
        if response.status() == StatusCode::NOT_FOUND {
            return Ok(Vec::new());
        }
        understood(&taken(response).await?)
    }

    /// Closes a trading for good: it asks the channel first, and paid wins.
    pub(crate) async fn close(&self, number: TradingOrderNo) -> Result<Trading, TradeFailure> {
        self.read(self.post(&format!("tradings/{number}/close"))).await
    }

    /// Asks for the refund of an order under this system's own number: the first time begins it, each
    /// further time asks how it is.
    pub(crate) async fn refund(
        &self,
        order: &Order,
        trading: i64,
        amount: Fen,
    ) -> Result<RefundResult, TradeFailure> {
        let request = json!({
            "productAppId": self.app,
            "productRefundNo": order.product_refund_no(),
            "tradingOrderNo": trading.to_string(),
            "refundAmount": amount.to_yuan(),
            "reason": "订单取消",
        });
        let record: RefundRecord = self.read(self.post("refunds").json(&request)).await?;
        let status = RefundStatus::from_code(record.refund_status).ok_or_else(|| TradeFailure::Unknown {
            detail: format!("a refund has the unknown status {}", record.refund_status),
        })?;
        Ok(RefundResult {
            refund_no: record.refund_no,
            refund_id: record.refund_id,
            status,
        })
    }

    /// The stream of this system's events after a position. It has no end.
    pub(crate) async fn events(&self, after: i64) -> Result<reqwest::Response, TradeFailure> {
        let query = [
            ("productAppId", self.app.to_string()),
            ("after", after.to_string()),
        ];
        let response = self
            .get("events")
            .query(&query)
            .send()
            .await
            .map_err(|error| lost(&error))?;
        response.error_for_status().map_err(|error| lost(&error))
    }

    fn post(&self, path: &str) -> RequestBuilder {
        self.http.post(format!("{}/trade/inner/{path}", self.base))
    }

    fn get(&self, path: &str) -> RequestBuilder {
        self.http.get(format!("{}/trade/inner/{path}", self.base))
    }

    async fn read<T: DeserializeOwned>(&self, call: RequestBuilder) -> Result<T, TradeFailure> {
        understood(&self.send(call).await?)
    }

    async fn send(&self, call: RequestBuilder) -> Result<Vec<u8>, TradeFailure> {
        let response = call.timeout(TIMEOUT).send().await.map_err(|error| lost(&error))?;
        taken(response).await
    }
}

/// No answer: a connection that was never made carried no request.
fn lost(error: &reqwest::Error) -> TradeFailure {
    let detail = if error.is_connect() {
        return TradeFailure::Later {
            detail: "no connection to the trade server: does it run, and is its address right?".to_owned(),
        };
    } else if error.is_timeout() {
        "it did not answer in time"
    } else {
        "the connection broke"
    };
    TradeFailure::Unknown {
        detail: detail.to_owned(),
    }
}

async fn taken(response: reqwest::Response) -> Result<Vec<u8>, TradeFailure> {
    let status = response.status();
    let body = response.bytes().await.map_err(|error| lost(&error))?;
    if status.is_success() {
        return Ok(body.to_vec());
    }
    let problem: Value = serde_json::from_slice(&body).unwrap_or_default();
    let text = problem
        .get("detail")
        .and_then(Value::as_str)
        .unwrap_or("without a reason");
    let detail = text.to_owned();
    let code = problem.get("code").and_then(Value::as_u64);
    let code = code
        .and_then(|code| u16::try_from(code).ok())
        .unwrap_or_else(|| status.as_u16());
    let again = problem.get("retryable").and_then(Value::as_bool).unwrap_or(false);
    Err(if status.is_server_error() || again {
        TradeFailure::Later { detail }
    } else {
        TradeFailure::Refused { code, detail }
    })
}

fn understood<T: DeserializeOwned>(body: &[u8]) -> Result<T, TradeFailure> {
    serde_json::from_slice(body).map_err(|error| TradeFailure::Unknown {
        detail: format!("the answer makes no sense: {error}"),
    })
}

fn number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<TradingOrderNo, D::Error> {
    let text = String::deserialize(deserializer)?;
    let value = text.parse().map_err(serde::de::Error::custom)?;
    TradingOrderNo::new(value).map_err(serde::de::Error::custom)
}

fn refund_number<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<RefundNo, D::Error> {
    let text = String::deserialize(deserializer)?;
    let value = text.parse().map_err(serde::de::Error::custom)?;
    RefundNo::new(value).map_err(serde::de::Error::custom)
}
