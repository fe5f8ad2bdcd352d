//! Alipay behind [`PayHandler`].

use std::time::Duration;

use async_trait::async_trait;
use serde::{Serialize, de::DeserializeOwned};
use serde_json::json;
use trade_core::{
    Capability, Channel, ChannelError, EnterpriseId, ErrorKind, Fen, TradingOrderNo,
    handler::{
        Acknowledgement, ChannelAnswer, CloseOutcome, Closed, NoticeError, Observed, PayHandler,
        PaymentStatus, PlaceRequest, Placed, RawNotice, RefundQuery, RefundReply, RefundRequest,
        RefundStatus, RequestContent, Verdict, VerifiedNotice,
    },
};

use crate::{
    AlipayConfig,
    client::{Line, RawReply},
    config::ConfigError,
    error::{invalid, nonsense, plain},
    map, notice,
    wire::{
        Content, PrecreateBiz, PrecreateReply, QueryReply, RefundBiz, RefundQueryReply, RefundReplyBody,
        TradeReply,
    },
};

const SUBJECT_MAX: usize = 256;
const SUBJECT_FORBIDDEN: &str = "/=&";
const REASON_MAX: usize = 256;
const PRECREATE: &str = "alipay.trade.precreate";
const QUERY: &str = "alipay.trade.query";
const CLOSE: &str = "alipay.trade.close";
const REFUND: &str = "alipay.trade.refund";
const REFUND_QUERY: &str = "alipay.trade.fastpay.refund.query";

/// A merchant's app at Alipay.
#[derive(Debug)]
pub struct Alipay {
    enterprise_id: EnterpriseId,
    line: Line,
}

impl Alipay {
    /// Loads and checks the keys; sends nothing.
    ///
    /// # Errors
    /// The first value that cannot work, named.
    pub fn new(config: AlipayConfig) -> Result<Self, ConfigError> {
        Ok(Self {
            enterprise_id: config.enterprise_id,
            line: Line::new(config)?,
        })
    }

    /// Calls any other method of the gateway, signed and verified; `biz_content` is sent as it is
    /// (encrypted where the app asks for it).
    ///
    /// # Errors
    /// As every call: typed by certainty. A code other than 10000 is an error.
    pub async fn call_raw(&self, method: &str, biz_content: &str) -> Result<RawReply, ChannelError> {
        if !method.starts_with("alipay.") {
            return Err(invalid("call_raw", "method", "must begin with alipay."));
        }
        self.line.call("call_raw", method, biz_content, None).await
    }

    async fn send(
        &self,
        operation: &'static str,
        content: &RequestContent,
    ) -> Result<(Content, RawReply), ChannelError> {
        let content: Content = serde_json::from_str(content.as_str())
            .map_err(|_| invalid(operation, "content", "is not what this adapter prepared"))?;
        let notify_url = content.notify_url.as_deref();
        let reply = self
            .line
            .call(operation, &content.method, &content.biz_content, notify_url)
            .await?;
        Ok((content, reply))
    }
}

#[async_trait]
impl PayHandler for Alipay {
    fn channel(&self) -> Channel {
        Channel::AliPay
    }

    fn enterprise(&self) -> EnterpriseId {
        self.enterprise_id
    }

    fn capability(&self) -> Capability {
        Capability {
            memo_max_chars: SUBJECT_MAX,
            memo_forbidden: SUBJECT_FORBIDDEN,
            close_leaves_code_payable: true,
            code_life: Duration::from_secs(2 * 3600),
            refund_window: Duration::from_secs(365 * 24 * 3600),
            refund_max_count: u32::MAX,
            refund_min_gap: Duration::from_secs(3),
            refund_notice: false,
        }
    }

    fn prepare_place(&self, request: &PlaceRequest) -> Result<RequestContent, ChannelError> {
        const OPERATION: &str = "place";
        check_text(
            OPERATION,
            "subject",
            &request.memo,
            SUBJECT_MAX,
            SUBJECT_FORBIDDEN,
        )?;
        let biz = PrecreateBiz {
            out_trade_no: request.trading_order_no.to_string(),
            total_amount: request.amount.to_yuan(),
            subject: &request.memo,
            product_code: &self.line.identity.product_code,
            time_expire: request.expires_at.to_beijing_text(),
        };
        render(
            OPERATION,
            PRECREATE,
            Some(self.line.identity.notify_url.clone()),
            &biz,
        )
    }

    async fn place(&self, content: &RequestContent) -> Result<Placed, ChannelError> {
        const OPERATION: &str = "place";
        let (content, reply) = self.send(OPERATION, content).await?;
        let precreate: PrecreateReply = parse(OPERATION, &reply)?;
        let asked: TradeReply = serde_json::from_str(&content.biz_content)
            .map_err(|_| invalid(OPERATION, "content", "is not what this adapter prepared"))?;
        same_trade(
            OPERATION,
            precreate.out_trade_no.as_deref(),
            asked.out_trade_no.as_deref(),
            &reply,
        )?;
        if precreate.qr_code.is_empty() {
            return Err(nonsense(
                OPERATION,
                "the reply has an empty qr_code",
                reply.request_id,
            ));
        }
        Ok(Placed {
            code_url: precreate.qr_code,
            answer: map::answer_of(&reply, "10000"),
        })
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        const OPERATION: &str = "query";
        let number = trading_order_no.to_string();
        let biz_content = json!({"out_trade_no": number}).to_string();
        match self.line.call(OPERATION, QUERY, &biz_content, None).await {
            Ok(reply) => {
                let trade: QueryReply = parse(OPERATION, &reply)?;
                same_trade(OPERATION, trade.out_trade_no.as_deref(), Some(&number), &reply)?;
                let status = map::payment_status(OPERATION, &trade, reply.request_id.clone())?;
                Ok(Observed {
                    status,
                    answer: map::answer_of(&reply, &trade.trade_status),
                })
            }
            // The trade comes to exist with the scan: before, this is the normal answer.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Observed {
                status: PaymentStatus::Waiting,
                answer: ChannelAnswer::from(&error),
            }),
            Err(error) => Err(error),
        }
    }

    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError> {
        const OPERATION: &str = "close";
        let number = trading_order_no.to_string();
        let biz_content = json!({"out_trade_no": number}).to_string();
        let error = match self.line.call(OPERATION, CLOSE, &biz_content, None).await {
            Ok(reply) => {
                let trade: TradeReply = parse(OPERATION, &reply)?;
                same_trade(OPERATION, trade.out_trade_no.as_deref(), Some(&number), &reply)?;
                return Ok(Closed {
                    outcome: CloseOutcome::Closed,
                    answer: map::answer_of(&reply, "10000"),
                });
            }
            Err(error) => error,
        };
        let answer = ChannelAnswer::from(&error);
        match (error.kind(), error.code().map(plain).as_deref()) {
            (ErrorKind::NotFound, _) => Ok(Closed {
                outcome: CloseOutcome::NothingToClose,
                answer,
            }),
            (ErrorKind::AlreadyClosed, _) => Ok(Closed {
                outcome: CloseOutcome::Closed,
                answer,
            }),
            // Paid or closed already: only a query tells which.
            (_, Some("TRADE_STATUS_ERROR" | "REASON_TRADE_STATUS_INVALID" | "REASON_ILLEGAL_STATUS")) => {
                match self.query(trading_order_no).await?.status {
                    PaymentStatus::Paid(_) => Ok(Closed {
                        outcome: CloseOutcome::AlreadyPaid,
                        answer,
                    }),
                    PaymentStatus::Closed => Ok(Closed {
                        outcome: CloseOutcome::Closed,
                        answer,
                    }),
                    PaymentStatus::Waiting | PaymentStatus::Absent | PaymentStatus::Failed => Err(error),
                }
            }
            _ => Err(error),
        }
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        const OPERATION: &str = "refund";
        if let Some(reason) = &request.reason {
            check_text(OPERATION, "refund_reason", reason, REASON_MAX, "")?;
        }
        let biz = RefundBiz {
            out_trade_no: request.trading_order_no.to_string(),
            out_request_no: request.refund_no.to_string(),
            refund_amount: request.amount.to_yuan(),
            refund_reason: request.reason.clone(),
        };
        render(OPERATION, REFUND, None, &biz)
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        const OPERATION: &str = "refund";
        let (content, reply) = self.send(OPERATION, content).await?;
        let asked: RefundBiz = serde_json::from_str(&content.biz_content)
            .map_err(|_| invalid(OPERATION, "content", "is not what this adapter prepared"))?;
        let body: RefundReplyBody = parse(OPERATION, &reply)?;
        same_trade(
            OPERATION,
            body.out_trade_no.as_deref(),
            Some(&asked.out_trade_no),
            &reply,
        )?;
        // refund_fee is what was refunded in all, not this refund: it proves nothing about the amount.
        let amount = Fen::from_yuan(&asked.refund_amount).ok();
        let answer = map::answer_of(&reply, body.fund_change.as_deref().unwrap_or("10000"));
        if body.fund_change.as_deref() == Some("Y") {
            return Ok(RefundReply {
                status: RefundStatus::Success,
                amount,
                refund_id: None,
                answer,
            });
        }
        // No money moved by this call: it moved before, or has not moved yet. Only a query tells.
        let accepted = RefundReply {
            status: RefundStatus::Processing,
            amount,
            refund_id: None,
            answer,
        };
        let numbers = (
            TradingOrderNo::from_digits(&asked.out_trade_no),
            trade_core::RefundNo::from_digits(&asked.out_request_no),
        );
        let (Some(trading_order_no), Some(refund_no)) = numbers else {
            return Ok(accepted);
        };
        match self
            .query_refund(&RefundQuery {
                refund_no,
                trading_order_no,
            })
            .await
        {
            Ok(queried) if queried.status == RefundStatus::Success => Ok(queried),
            Ok(_) | Err(_) => Ok(accepted),
        }
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        const OPERATION: &str = "query_refund";
        let (trading, refund) = (query.trading_order_no.to_string(), query.refund_no.to_string());
        let biz_content = json!({"out_trade_no": trading, "out_request_no": refund}).to_string();
        let absent = |answer| RefundReply {
            status: RefundStatus::Absent,
            amount: None,
            refund_id: None,
            answer,
        };
        let reply = match self.line.call(OPERATION, REFUND_QUERY, &biz_content, None).await {
            Ok(reply) => reply,
            Err(error) if error.kind() == ErrorKind::NotFound => {
                return Ok(absent(ChannelAnswer::from(&error)));
            }
            Err(error) => return Err(error),
        };
        let body: RefundQueryReply = parse(OPERATION, &reply)?;
        let status = body.refund_status.clone().unwrap_or_default();
        let answer = map::answer_of(&reply, &status);
        let amount = body.refund_amount.as_deref().map(Fen::from_yuan).transpose();
        let amount =
            amount.map_err(|error| nonsense(OPERATION, error.to_string(), reply.request_id.clone()))?;
        if amount.is_none() && status.is_empty() {
            return Ok(absent(answer));
        }
        same_trade(OPERATION, body.out_trade_no.as_deref(), Some(&trading), &reply)?;
        same_trade(OPERATION, body.out_request_no.as_deref(), Some(&refund), &reply)?;
        let status = match status.as_str() {
            "REFUND_SUCCESS" => RefundStatus::Success,
            "REFUND_PROCESSING" | "" => RefundStatus::Processing,
            "REFUND_FAIL" => RefundStatus::Closed,
            other => {
                let why = format!("unknown refund_status `{other}`");
                return Err(nonsense(OPERATION, why, reply.request_id));
            }
        };
        Ok(RefundReply {
            status,
            amount,
            refund_id: None,
            answer,
        })
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        notice::verify(&self.line, self.enterprise_id, notice)
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        notice::acknowledge(verdict)
    }
}

fn parse<T: DeserializeOwned>(operation: &'static str, reply: &RawReply) -> Result<T, ChannelError> {
    serde_json::from_str(&reply.body)
        .map_err(|error| nonsense(operation, error.to_string(), reply.request_id.clone()))
}

/// Alipay may leave a number out; one that is there must be ours.
fn same_trade(
    operation: &'static str,
    told: Option<&str>,
    asked: Option<&str>,
    reply: &RawReply,
) -> Result<(), ChannelError> {
    match told.filter(|told| !told.is_empty()) {
        Some(told) if Some(told) != asked => Err(nonsense(
            operation,
            "the reply is about another number",
            reply.request_id.clone(),
        )),
        Some(_) | None => Ok(()),
    }
}

fn render(
    operation: &'static str,
    method: &str,
    notify_url: Option<String>,
    biz: &impl Serialize,
) -> Result<RequestContent, ChannelError> {
    let unwritable = |error: serde_json::Error| invalid(operation, "content", &error.to_string());
    let biz_content = serde_json::to_string(biz).map_err(unwritable)?;
    let content = Content {
        method: method.to_owned(),
        notify_url,
        biz_content,
    };
    Ok(RequestContent::new(
        serde_json::to_string(&content).map_err(unwritable)?,
    ))
}

fn check_text(
    operation: &'static str,
    field: &str,
    text: &str,
    max: usize,
    forbidden: &str,
) -> Result<(), ChannelError> {
    let length = text.chars().count();
    if length == 0 || length > max {
        return Err(invalid(
            operation,
            field,
            &format!("must be 1 to {max} characters, this is {length}"),
        ));
    }
    let refused = |letter: &char| letter.len_utf8() > 3 || letter.is_control() || forbidden.contains(*letter);
    match text.chars().find(refused) {
        Some(letter) => {
            let rule = format!(
                "must not contain `{}`: no emoji, no control characters{}",
                letter.escape_debug(),
                if forbidden.is_empty() {
                    String::new()
                } else {
                    format!(", none of {forbidden}")
                }
            );
            Err(invalid(operation, field, &rule))
        }
        None => Ok(()),
    }
}
