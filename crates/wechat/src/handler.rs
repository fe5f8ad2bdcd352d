//! WeChat Pay behind [`PayHandler`].

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::de::DeserializeOwned;
use trade_core::{
    Capability, Channel, ChannelError, EnterpriseId, ErrorKind, Fen, TradingOrderNo, TransactionId,
    handler::{
        Acknowledgement, ChannelAnswer, CloseOutcome, Closed, NoticeError, Observed, PayHandler,
        PaymentStatus, PlaceRequest, Placed, RawNotice, RefundQuery, RefundReply, RefundRequest,
        RefundStatus, RequestContent, Verdict, VerifiedNotice,
    },
};

use crate::{
    WechatConfig,
    client::{Line, RawReply},
    config::ConfigError,
    error::{invalid, nonsense},
    map, notice,
    wire::{AmountBody, NativeBody, NativeReply, RefundAmountBody, RefundBody, RefundReplyBody, Transaction},
};

const DESCRIPTION_MAX: usize = 127;
const REASON_MAX: usize = 80;

/// A merchant's account at WeChat Pay.
#[derive(Debug)]
pub struct WechatPay {
    enterprise_id: EnterpriseId,
    line: Line,
}

impl WechatPay {
    /// Loads and checks the keys; sends nothing.
    ///
    /// # Errors
    /// The first value that cannot work, named.
    pub fn new(config: WechatConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            enterprise_id: config.enterprise_id,
            line: Line::new(config)?,
        })
    }

    /// Asks for a payment by WeChat Pay's own number; only paid ones have one.
    ///
    /// # Errors
    /// As [`PayHandler::query`].
    pub async fn query_by_transaction_id(&self, id: &TransactionId) -> Result<Observed, ChannelError> {
        const OPERATION: &str = "query";
        if id.as_str().is_empty() || !id.as_str().bytes().all(|byte| byte.is_ascii_alphanumeric()) {
            return Err(invalid(OPERATION, "transaction_id", "must be letters and digits"));
        }
        let target = format!("/v3/pay/transactions/id/{id}?mchid={}", self.line.identity.mchid);
        let reply = self.line.call(OPERATION, Method::GET, &target, None).await?;
        let transaction: Transaction = parse(OPERATION, &reply)?;
        if transaction.transaction_id.as_deref() != Some(id.as_str()) {
            return Err(nonsense(
                OPERATION,
                "the reply is about another transaction",
                reply.request_id,
            ));
        }
        self.observed(OPERATION, &transaction, &reply)
    }

    /// Calls any other interface of APIv3, signed and verified. `target` is the path with its query,
    /// percent-encoded as it is to be sent; `body` is sent as it is.
    ///
    /// # Errors
    /// As every call: typed by certainty. A non-2xx status is an error with the channel's code.
    pub async fn call_raw(
        &self,
        method: Method,
        target: &str,
        body: Option<&str>,
    ) -> Result<RawReply, ChannelError> {
        if !target.starts_with("/v3/") {
            return Err(invalid("call_raw", "target", "must begin with /v3/"));
        }
        if !is_wire_form(target) {
            let rule = "must be percent-encoded as it is to be sent, without `..` and `#`: what is signed must \
                        be what is sent";
            return Err(invalid("call_raw", "target", rule));
        }
        self.line.call("call_raw", method, target, body).await
    }

    fn observed(
        &self,
        operation: &'static str,
        transaction: &Transaction,
        reply: &RawReply,
    ) -> Result<Observed, ChannelError> {
        let identity = &self.line.identity;
        let other_app = transaction
            .appid
            .as_ref()
            .is_some_and(|appid| *appid != identity.appid);
        if transaction.mchid != identity.mchid || other_app {
            return Err(nonsense(
                operation,
                "the reply is about another merchant",
                reply.request_id.clone(),
            ));
        }
        let status = map::payment_status(operation, transaction, reply.request_id.clone())?;
        let answer = map::answer_of(reply, &transaction.trade_state, &transaction.trade_state_desc);
        Ok(Observed { status, answer })
    }

    fn refund_reply(
        operation: &'static str,
        trading: &str,
        refund: &str,
        reply: &RawReply,
    ) -> Result<RefundReply, ChannelError> {
        let body: RefundReplyBody = parse(operation, reply)?;
        if body.out_trade_no != trading || body.out_refund_no != refund {
            return Err(nonsense(
                operation,
                "the reply is about another refund",
                reply.request_id.clone(),
            ));
        }
        if body
            .amount
            .currency
            .as_deref()
            .is_some_and(|currency| currency != "CNY")
        {
            return Err(nonsense(
                operation,
                "the reply is in another currency",
                reply.request_id.clone(),
            ));
        }
        let status = map::refund_status(operation, &body.status, reply.request_id.clone())?;
        let amount = Fen::new(body.amount.refund)
            .map_err(|error| nonsense(operation, error.to_string(), reply.request_id.clone()))?;
        let answer = map::answer_of(reply, &body.status, "");
        Ok(RefundReply {
            status,
            amount: Some(amount),
            refund_id: Some(body.refund_id),
            answer,
        })
    }
}

#[async_trait]
impl PayHandler for WechatPay {
    fn channel(&self) -> Channel {
        Channel::WechatPay
    }

    fn enterprise(&self) -> EnterpriseId {
        self.enterprise_id
    }

    fn capability(&self) -> Capability {
        Capability {
            memo_max_chars: DESCRIPTION_MAX,
            memo_forbidden: "",
            close_leaves_code_payable: false,
            code_life: Duration::from_secs(2 * 3600),
            refund_window: Duration::from_secs(365 * 24 * 3600),
            refund_max_count: 50,
            refund_min_gap: Duration::from_secs(60),
            refund_notice: true,
        }
    }

    fn prepare_place(&self, request: &PlaceRequest) -> Result<RequestContent, ChannelError> {
        check_text("place", "description", &request.memo, DESCRIPTION_MAX)?;
        let identity = &self.line.identity;
        let body = NativeBody {
            appid: &identity.appid,
            mchid: &identity.mchid,
            description: &request.memo,
            out_trade_no: request.trading_order_no.to_string(),
            time_expire: request.expires_at.to_rfc3339(),
            notify_url: &identity.notify_url,
            amount: AmountBody {
                total: request.amount.get(),
                currency: "CNY",
            },
        };
        render("place", &body)
    }

    async fn place(&self, content: &RequestContent) -> Result<Placed, ChannelError> {
        const OPERATION: &str = "place";
        let target = "/v3/pay/transactions/native";
        let reply = self
            .line
            .call(OPERATION, Method::POST, target, Some(content.as_str()))
            .await?;
        let native: NativeReply = parse(OPERATION, &reply)?;
        if native.code_url.is_empty() {
            return Err(nonsense(
                OPERATION,
                "the reply has an empty code_url",
                reply.request_id,
            ));
        }
        Ok(Placed {
            code_url: native.code_url,
            answer: map::answer_of(&reply, "200", ""),
        })
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        const OPERATION: &str = "query";
        let mchid = &self.line.identity.mchid;
        let target = format!("/v3/pay/transactions/out-trade-no/{trading_order_no}?mchid={mchid}");
        let reply = match self.line.call(OPERATION, Method::GET, &target, None).await {
            Ok(reply) => reply,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(Observed {
                    status: PaymentStatus::Absent,
                    answer: ChannelAnswer::from(&error),
                });
            }
            Err(error) => return Err(error),
        };
        let transaction: Transaction = parse(OPERATION, &reply)?;
        if transaction.out_trade_no != trading_order_no.to_string() {
            return Err(nonsense(
                OPERATION,
                "the reply is about another out_trade_no",
                reply.request_id,
            ));
        }
        self.observed(OPERATION, &transaction, &reply)
    }

    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError> {
        let target = format!("/v3/pay/transactions/out-trade-no/{trading_order_no}/close");
        let body = serde_json::json!({"mchid": self.line.identity.mchid}).to_string();
        let (outcome, answer) = match self.line.call("close", Method::POST, &target, Some(&body)).await {
            Ok(reply) if reply.status == 204 => (CloseOutcome::Closed, map::answer_of(&reply, "204", "")),
            Ok(reply) => {
                let why = format!("HTTP {} to a close: 204 is the only yes", reply.status);
                return Err(nonsense("close", why, reply.request_id));
            }
            Err(error) => match error.kind() {
                ErrorKind::AlreadyClosed => (CloseOutcome::Closed, ChannelAnswer::from(&error)),
                ErrorKind::AlreadyPaid => (CloseOutcome::AlreadyPaid, ChannelAnswer::from(&error)),
                ErrorKind::NotFound => (CloseOutcome::NothingToClose, ChannelAnswer::from(&error)),
                _ => return Err(error),
            },
        };
        Ok(Closed { outcome, answer })
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        if let Some(reason) = &request.reason {
            check_text("refund", "reason", reason, REASON_MAX)?;
        }
        let body = RefundBody {
            out_trade_no: request.trading_order_no.to_string(),
            out_refund_no: request.refund_no.to_string(),
            reason: request.reason.as_deref(),
            notify_url: &self.line.identity.notify_url,
            amount: RefundAmountBody {
                refund: request.amount.get(),
                total: request.total.get(),
                currency: "CNY",
            },
        };
        render("refund", &body)
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        const OPERATION: &str = "refund";
        let asked: serde_json::Value = serde_json::from_str(content.as_str())
            .map_err(|_| invalid(OPERATION, "content", "is not what prepare_refund made"))?;
        let text = |name: &str| {
            asked
                .get(name)
                .and_then(serde_json::Value::as_str)
                .unwrap_or_default()
        };
        let target = "/v3/refund/domestic/refunds";
        let reply = self
            .line
            .call(OPERATION, Method::POST, target, Some(content.as_str()))
            .await?;
        Self::refund_reply(OPERATION, text("out_trade_no"), text("out_refund_no"), &reply)
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        const OPERATION: &str = "query_refund";
        let target = format!("/v3/refund/domestic/refunds/{}", query.refund_no);
        match self.line.call(OPERATION, Method::GET, &target, None).await {
            Ok(reply) => {
                let (trading, refund) = (query.trading_order_no.to_string(), query.refund_no.to_string());
                Self::refund_reply(OPERATION, &trading, &refund, &reply)
            }
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(RefundReply {
                status: RefundStatus::Absent,
                amount: None,
                refund_id: None,
                answer: ChannelAnswer::from(&error),
            }),
            Err(error) => Err(error),
        }
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        notice::verify(&self.line, self.enterprise_id, notice).await
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        notice::acknowledge(verdict)
    }
}

/// Whether an HTTP client would send these very bytes.
fn is_wire_form(target: &str) -> bool {
    let url = reqwest::Url::parse(&format!("http://host{target}"));
    url.is_ok_and(|url| url.fragment().is_none() && url.as_str().strip_prefix("http://host") == Some(target))
}

fn parse<T: DeserializeOwned>(operation: &'static str, reply: &RawReply) -> Result<T, ChannelError> {
    serde_json::from_slice(&reply.body)
        .map_err(|error| nonsense(operation, error.to_string(), reply.request_id.clone()))
}

fn render(operation: &'static str, body: &impl serde::Serialize) -> Result<RequestContent, ChannelError> {
    let text =
        serde_json::to_string(body).map_err(|error| invalid(operation, "content", &error.to_string()))?;
    Ok(RequestContent::new(text))
}

/// WeChat Pay counts characters and refuses those of four bytes, such as emoji.
fn check_text(operation: &'static str, field: &str, text: &str, max: usize) -> Result<(), ChannelError> {
    let length = text.chars().count();
    if length == 0 || length > max {
        return Err(invalid(
            operation,
            field,
            &format!("must be 1 to {max} characters, this is {length}"),
        ));
    }
    match text
        .chars()
        .find(|letter| letter.len_utf8() > 3 || letter.is_control())
    {
        Some(letter) => {
            let rule = format!(
                "must not contain `{}`: no emoji, no control characters",
                letter.escape_unicode()
            );
            Err(invalid(operation, field, &rule))
        }
        None => Ok(()),
    }
}
