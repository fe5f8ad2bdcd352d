//! WeChat Pay behind [`PayHandler`].

use std::time::Duration;

use async_trait::async_trait;
use reqwest::Method;
use serde::de::DeserializeOwned;
use trade_core::{
    Capability, Channel, ChannelError, EnterpriseId, Fen, TradingOrderNo,
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
    error::{invalid, nonsense, says},
    map, notice,
    wire::{AmountBody, NativeBody, NativeReply, RefundAmountBody, RefundBody, RefundReplyBody, Transaction},
};

const DESCRIPTION_MAX: usize = 127;
const REASON_MAX: usize = 80;
/// "There is no such order", in its one spelling.
const ORDER_NOT_EXIST: &str = "ORDERNOTEXIST";
/// "There is no such refund", in its one spelling.
const RESOURCE_NOT_EXISTS: &str = "RESOURCENOTEXISTS";

/// A merchant's account at WeChat Pay.
#[derive(Debug)]
pub struct WechatPay {
    enterprise_id: EnterpriseId,
    pub(crate) line: Line,
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

    pub(crate) fn observed(
        &self,
        operation: &'static str,
        transaction: &Transaction,
        reply: &RawReply,
    ) -> Result<Observed, ChannelError> {
        let identity = &self.line.identity;
        if transaction.mchid != identity.mchid || transaction.appid != identity.appid {
            return Err(nonsense(
                operation,
                "the reply is about another merchant",
                reply.request_id.clone(),
            ));
        }
        let status = map::payment_status(operation, transaction, reply.request_id.clone())?;
        let answer = map::answer_of(reply, &transaction.trade_state, &transaction.trade_state_desc);
        Ok(Observed {
            status,
            has_refunds: transaction.trade_state == "REFUND",
            answer,
        })
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
            Err(error) => return absent(error),
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
            Err(error) => {
                let refusals = [
                    ("ORDERCLOSED", CloseOutcome::Closed),
                    ("ORDERPAID", CloseOutcome::AlreadyPaid),
                    (ORDER_NOT_EXIST, CloseOutcome::NothingToClose),
                ];
                let meant = refusals.into_iter().find(|(code, _)| says(&error, code));
                match meant {
                    Some((_, outcome)) => (outcome, ChannelAnswer::from(&error)),
                    None => return Err(error),
                }
            }
        };
        Ok(Closed { outcome, answer })
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        if request.amount > request.total {
            let rule = format!("must not exceed the {} that was paid", request.total);
            return Err(invalid("refund", "amount.refund", &rule));
        }
        if let Some(reason) = &request.reason {
            check_text("refund", "reason", reason, REASON_MAX)?;
        }
        let body = RefundBody {
            out_trade_no: request.trading_order_no.to_string(),
            out_refund_no: request.refund_no.to_string(),
            reason: request.reason.as_deref(),
            notify_url: &self.line.identity.refund_notify_url,
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
        let refund = &query.out_refund_no;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"_-|*@".contains(&byte);
        if refund.is_empty() || !refund.bytes().all(plain) {
            return Err(invalid(
                OPERATION,
                "out_refund_no",
                "has characters that WeChat does not allow",
            ));
        }
        let target = format!("/v3/refund/domestic/refunds/{refund}");
        match self.line.call(OPERATION, Method::GET, &target, None).await {
            Ok(reply) => {
                let trading = query.trading_order_no.to_string();
                Self::refund_reply(OPERATION, &trading, refund, &reply)
            }
            Err(error) if says(&error, RESOURCE_NOT_EXISTS) => Ok(RefundReply {
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

/// The answer to a query that "there is no such order" is; every other error stays one.
pub(crate) fn absent(error: ChannelError) -> Result<Observed, ChannelError> {
    if says(&error, ORDER_NOT_EXIST) {
        Ok(Observed {
            status: PaymentStatus::Absent,
            has_refunds: false,
            answer: ChannelAnswer::from(&error),
        })
    } else {
        Err(error)
    }
}

pub(crate) fn parse<T: DeserializeOwned>(
    operation: &'static str,
    reply: &RawReply,
) -> Result<T, ChannelError> {
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
