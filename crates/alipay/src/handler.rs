//! Alipay behind [`PayHandler`].

use std::time::Duration;

use async_trait::async_trait;
use serde_json::json;
use trade_core::{
    Capability, Certainty, Channel, ChannelError, EnterpriseId, ErrorKind, TradingOrderNo,
    handler::{
        Acknowledgement, ChannelAnswer, CloseOutcome, Closed, NoticeError, Observed, PayHandler,
        PaymentStatus, PlaceRequest, Placed, RawNotice, RefundQuery, RefundReply, RefundRequest,
        RequestContent, Verdict, VerifiedNotice,
    },
};

use crate::{
    AlipayConfig,
    client::{Line, RawReply},
    config::ConfigError,
    content::{self, PRECREATE, SUBJECT_FORBIDDEN, SUBJECT_MAX},
    error::{invalid, nonsense, plain},
    map::{answer_of, parse, payment_status, same_number},
    notice, refund,
    wire::{PrecreateNumber, PrecreateReply, QueryReply, TradeReply},
};

const QUERY: &str = "alipay.trade.query";
const CLOSE: &str = "alipay.trade.close";

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
    /// ```
    /// # #[tokio::main(flavor = "current_thread")]
    /// # async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// # use trade_alipay::{Alipay, AlipayConfig, VerifyKeys};
    /// # use trade_core::{Certainty, EnterpriseId, ErrorKind, Secret};
    /// # let sandbox = trade_sandbox::Sandbox::start(trade_sandbox::SandboxConfig::default()).await?;
    /// # let kit = sandbox.merchant().alipay;
    /// # let keys = VerifyKeys::public_key(kit.alipay_public_key);
    /// # let mut config = AlipayConfig::new(EnterpriseId::new(1001)?, kit.app_id,
    /// #     Secret::new(kit.app_private_key), keys, "https://pay.example.com/notify");
    /// # config.gateway_url = kit.gateway_url;
    /// # let alipay = Alipay::new(config)?;
    /// let cancelled = alipay.call_raw("alipay.trade.cancel", r#"{"out_trade_no":"42"}"#).await?;
    /// assert!(cancelled.body.contains(r#""code":"10000""#));
    ///
    /// // A refusal is an error, with Alipay's own code.
    /// let refused = alipay.call_raw("alipay.trade.query", r#"{"out_trade_no":"42"}"#).await.unwrap_err();
    /// assert_eq!(refused.code(), Some("ACQ.TRADE_NOT_EXIST"));
    /// assert_eq!((refused.certainty(), refused.kind()), (Certainty::Rejected, ErrorKind::NotFound));
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    /// As every call: typed by certainty. A code other than 10000 is an error; a method that does not begin
    /// with `alipay.` is refused without sending it.
    pub async fn call_raw(&self, method: &str, biz_content: &str) -> Result<RawReply, ChannelError> {
        if !method.starts_with("alipay.") {
            return Err(invalid("call_raw", "method", "must begin with alipay."));
        }
        self.line.call("call_raw", method, biz_content, None).await
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
        content::place(&self.line.identity, request)
    }

    async fn place(&self, content: &RequestContent) -> Result<Placed, ChannelError> {
        const OPERATION: &str = "place";
        let content = content::read(OPERATION, PRECREATE, content)?;
        let asked: PrecreateNumber =
            serde_json::from_str(&content.biz_content).map_err(|_| content::foreign(OPERATION))?;
        let notify_url = content.notify_url.as_deref();
        let reply = self
            .line
            .call(OPERATION, PRECREATE, &content.biz_content, notify_url)
            .await?;
        let placed: PrecreateReply = parse(OPERATION, &reply)?;
        same_number(
            OPERATION,
            placed.out_trade_no.as_deref(),
            &asked.out_trade_no,
            &reply,
        )?;
        if placed.qr_code.is_empty() {
            let why = "the reply has an empty qr_code";
            return Err(nonsense(OPERATION, why, reply.request_id));
        }
        Ok(Placed {
            code_url: placed.qr_code,
            answer: answer_of(&reply, "10000"),
        })
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        const OPERATION: &str = "query";
        let number = trading_order_no.to_string();
        let biz_content = json!({"out_trade_no": number}).to_string();
        match self.line.call(OPERATION, QUERY, &biz_content, None).await {
            Ok(reply) => {
                let trade: QueryReply = parse(OPERATION, &reply)?;
                same_number(OPERATION, trade.out_trade_no.as_deref(), &number, &reply)?;
                let status = payment_status(OPERATION, &trade, &reply)?;
                let paid = matches!(status, PaymentStatus::Paid(_));
                Ok(Observed {
                    status,
                    has_refunds: paid && trade.trade_status == "TRADE_CLOSED",
                    answer: answer_of(&reply, &trade.trade_status),
                })
            }
            // The trade comes to exist with the scan: before, this is the normal answer.
            Err(error) if error.kind() == ErrorKind::NotFound => Ok(Observed {
                status: PaymentStatus::Waiting,
                has_refunds: false,
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
                same_number(OPERATION, trade.out_trade_no.as_deref(), &number, &reply)?;
                return Ok(Closed {
                    outcome: CloseOutcome::Closed,
                    answer: answer_of(&reply, "10000"),
                });
            }
            Err(error) => error,
        };
        let outcome = match error.kind() {
            ErrorKind::NotFound => CloseOutcome::NothingToClose,
            ErrorKind::AlreadyClosed => CloseOutcome::Closed,
            // Paid or closed already: only a query tells which.
            _ if is_wrong_state(&error) => match self.query(trading_order_no).await?.status {
                PaymentStatus::Paid(_) => CloseOutcome::AlreadyPaid,
                PaymentStatus::Closed => CloseOutcome::Closed,
                PaymentStatus::Waiting | PaymentStatus::Absent | PaymentStatus::Failed => return Err(error),
            },
            _ => return Err(error),
        };
        Ok(Closed {
            outcome,
            answer: ChannelAnswer::from(&error),
        })
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        content::refund(request)
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        refund::refund(&self.line, content).await
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        refund::query_refund(&self.line, query).await
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        notice::verify(&self.line, self.enterprise_id, notice)
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        notice::acknowledge(verdict)
    }
}

/// A refusal to close because of what the trade has become.
fn is_wrong_state(error: &ChannelError) -> bool {
    error.certainty() == Certainty::Rejected
        && (error.kind() == ErrorKind::AlreadyPaid
            || error.code().map(plain).is_some_and(|code| {
                matches!(
                    code.as_str(),
                    "TRADE_STATUS_ERROR"
                        | "REASON_TRADE_STATUS_INVALID"
                        | "REASON_ILLEGAL_STATUS"
                        | "TRADE_HAS_FINISHED"
                )
            }))
}
