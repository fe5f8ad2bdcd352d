//! A channel with a ledger of its own, which keeps the rules of the real ones and can be told to fail.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use serde_json::{Value, json};
use trade_core::{
    Capability, Certainty, Channel, ChannelError, EnterpriseId, ErrorKind, Fen, RefundNo, TradingOrderNo,
    TransactionId,
    handler::{
        Acknowledgement, ChannelAnswer, CloseOutcome, Closed, NoticeError, NoticeFact, Observed, PayHandler,
        Payment, PaymentNotice, PaymentStatus, PlaceRequest, Placed, RawNotice, RefundNotice, RefundQuery,
        RefundReply, RefundRequest, RefundStatus, RequestContent, Verdict, VerifiedNotice,
    },
    memory::ManualClock,
    port::Clock,
};

use super::merchant;

/// How the next call fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    /// The request never arrives.
    NotSent,
    /// No answer, and nothing happened.
    LostBefore,
    /// No answer, and it happened.
    LostAfter,
    /// The channel refuses.
    Reject(ErrorKind),
    /// The call works.
    None,
}

#[derive(Debug, Default)]
pub(crate) struct Order {
    pub(crate) content: String,
    pub(crate) total: i64,
    pub(crate) codes: u32,
    pub(crate) paid: bool,
    pub(crate) closed: bool,
    pub(crate) scanned: bool,
    pub(crate) expires_at: i64,
}

#[derive(Debug, Default)]
pub(crate) struct Ledger {
    pub(crate) refund_refusal: Option<ErrorKind>,
    /// No refund can be prepared.
    pub(crate) misconfigured: bool,
    pub(crate) orders: BTreeMap<String, Order>,
    pub(crate) refunds: BTreeMap<String, (String, i64, RefundStatus)>,
    pub(crate) calls: Vec<&'static str>,
    faults: VecDeque<Fault>,
}

#[derive(Debug)]
pub(crate) struct FakeChannel {
    channel: Channel,
    clock: Arc<ManualClock>,
    pub(crate) ledger: Mutex<Ledger>,
    refund_status: Mutex<RefundStatus>,
}

impl FakeChannel {
    pub(crate) fn new(channel: Channel, clock: Arc<ManualClock>) -> Self {
        Self {
            channel,
            clock,
            ledger: Mutex::default(),
            refund_status: Mutex::new(RefundStatus::Success),
        }
    }

    /// The next calls fail so, one each.
    pub(crate) fn fail(&self, faults: impl IntoIterator<Item = Fault>) {
        self.ledger.lock().unwrap().faults.extend(faults);
    }

    pub(crate) fn refunds_become(&self, status: RefundStatus) {
        *self.refund_status.lock().unwrap() = status;
        for refund in self.ledger.lock().unwrap().refunds.values_mut() {
            refund.2 = status;
        }
    }

    pub(crate) fn pay(&self, number: TradingOrderNo) -> bool {
        let mut ledger = self.ledger.lock().unwrap();
        let order = ledger.orders.get_mut(&number.to_string()).unwrap();
        let payable = !order.closed && !order.paid && self.clock.now().ms() < order.expires_at;
        order.scanned = true;
        order.paid |= payable;
        payable
    }

    pub(crate) fn scan(&self, number: TradingOrderNo) {
        self.ledger
            .lock()
            .unwrap()
            .orders
            .get_mut(&number.to_string())
            .unwrap()
            .scanned = true;
    }

    /// Whether new refunds are refused.
    pub(crate) fn refuse_refunds(&self, refuse: bool) {
        self.ledger.lock().unwrap().refund_refusal = refuse.then_some(ErrorKind::RefundNotAllowed);
    }

    /// Whether the merchant's balance covers no refund.
    pub(crate) fn short_of_money(&self, short: bool) {
        self.ledger.lock().unwrap().refund_refusal = short.then_some(ErrorKind::NotEnough);
    }

    /// A refund that somebody makes in the merchant console.
    pub(crate) fn console_refund(&self, number: TradingOrderNo, out_refund_no: &str, fen: i64) {
        let row = (number.to_string(), fen, RefundStatus::Success);
        self.ledger
            .lock()
            .unwrap()
            .refunds
            .insert(out_refund_no.to_owned(), row);
    }

    pub(crate) fn orders(&self) -> usize {
        self.ledger.lock().unwrap().orders.len()
    }

    pub(crate) fn calls(&self, operation: &str) -> usize {
        self.ledger
            .lock()
            .unwrap()
            .calls
            .iter()
            .filter(|call| **call == operation)
            .count()
    }

    /// What a genuine notice about the payment looks like.
    pub(crate) fn notice(&self, number: TradingOrderNo, total: i64) -> String {
        json!({"id": format!("n{number}"), "merchant": merchant().get(), "out_trade_no": number.to_string(), "total": total})
            .to_string()
    }

    fn begin(&self, operation: &'static str) -> Fault {
        let mut ledger = self.ledger.lock().unwrap();
        ledger.calls.push(operation);
        ledger.faults.pop_front().unwrap_or(Fault::None)
    }

    fn error(&self, operation: &'static str, fault: Fault) -> ChannelError {
        let (certainty, kind) = match fault {
            Fault::NotSent => (Certainty::NotSent, ErrorKind::Network),
            Fault::LostBefore | Fault::LostAfter => (Certainty::Unknown, ErrorKind::Timeout),
            Fault::Reject(kind) => (Certainty::Rejected, kind),
            Fault::None => panic!("no fault"),
        };
        ChannelError::new(self.channel, operation, certainty, kind).with_code("FAKE", "as told")
    }

    /// Runs `effect` unless the fault keeps it from happening, and answers unless the fault eats it.
    fn act<T>(
        &self,
        operation: &'static str,
        effect: impl FnOnce(&mut Ledger) -> Result<T, ErrorKind>,
    ) -> Result<T, ChannelError> {
        let fault = self.begin(operation);
        if matches!(fault, Fault::NotSent | Fault::LostBefore | Fault::Reject(_)) {
            return Err(self.error(operation, fault));
        }
        let result = effect(&mut self.ledger.lock().unwrap());
        if fault == Fault::LostAfter {
            return Err(self.error(operation, fault));
        }
        result.map_err(|kind| self.error(operation, Fault::Reject(kind)))
    }

    fn payment(number: &str, total: i64) -> Payment {
        Payment {
            transaction_id: TransactionId::new(format!("T{number}")),
            total: Fen::new(total).unwrap(),
            currency: "CNY".into(),
            payer_total: None,
            paid_at: None,
            payer_id: Some("payer".into()),
        }
    }
}

#[async_trait]
impl PayHandler for FakeChannel {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn enterprise(&self) -> EnterpriseId {
        merchant()
    }

    fn capability(&self) -> Capability {
        Capability {
            memo_max_chars: 127,
            memo_forbidden: "",
            close_leaves_code_payable: self.channel == Channel::AliPay,
            code_life: Duration::from_secs(7200),
            refund_window: Duration::from_secs(365 * 86400),
            refund_max_count: 50,
            refund_min_gap: Duration::from_secs(60),
            refund_notice: self.channel == Channel::WechatPay,
        }
    }

    fn prepare_place(&self, request: &PlaceRequest) -> Result<RequestContent, ChannelError> {
        if request.memo.chars().count() > 127 {
            return Err(ChannelError::new(
                self.channel,
                "place",
                Certainty::Rejected,
                ErrorKind::InvalidRequest,
            )
            .with_code("MEMO", "memo is longer than 127 characters"));
        }
        let content = json!({
            "out_trade_no": request.trading_order_no.to_string(),
            "total": request.amount.get(),
            "expires": request.expires_at.ms(),
        });
        Ok(RequestContent::new(content.to_string()))
    }

    async fn place(&self, content: &RequestContent) -> Result<Placed, ChannelError> {
        let body: Value = serde_json::from_str(content.as_str()).unwrap();
        let number = body["out_trade_no"].as_str().unwrap().to_owned();
        let code_url = self.act("place", |ledger| {
            let order = ledger.orders.entry(number.clone()).or_default();
            if order.paid {
                return Err(ErrorKind::AlreadyPaid);
            }
            if order.closed {
                return Err(ErrorKind::AlreadyClosed);
            }
            if !order.content.is_empty() && order.content != content.as_str() {
                return Err(ErrorKind::NumberReused);
            }
            order.content = content.as_str().to_owned();
            order.total = body["total"].as_i64().unwrap();
            order.expires_at = body["expires"].as_i64().unwrap();
            order.codes += 1;
            Ok(format!("code://{number}/{}", order.codes))
        })?;
        Ok(Placed {
            code_url,
            answer: ChannelAnswer::default(),
        })
    }

    async fn query(&self, number: TradingOrderNo) -> Result<Observed, ChannelError> {
        let number = number.to_string();
        let status = self.act("query", |ledger| {
            Ok(match ledger.orders.get(&number) {
                None if self.channel == Channel::AliPay => PaymentStatus::Waiting,
                None => PaymentStatus::Absent,
                Some(order) if order.paid => PaymentStatus::Paid(Self::payment(&number, order.total)),
                Some(order) if order.closed => PaymentStatus::Closed,
                Some(_) => PaymentStatus::Waiting,
            })
        })?;
        let number = number.as_str();
        let ledger = self.ledger.lock().unwrap();
        let has_refunds = ledger.refunds.values().any(|row| row.0 == number);
        Ok(Observed {
            status,
            has_refunds,
            answer: ChannelAnswer::default(),
        })
    }

    async fn close(&self, number: TradingOrderNo) -> Result<Closed, ChannelError> {
        let outcome = self.act("close", |ledger| {
            Ok(match ledger.orders.get_mut(&number.to_string()) {
                None => CloseOutcome::NothingToClose,
                Some(order) if order.paid => CloseOutcome::AlreadyPaid,
                Some(order) if self.channel == Channel::AliPay && !order.scanned => {
                    CloseOutcome::NothingToClose
                }
                Some(order) => {
                    order.closed = true;
                    CloseOutcome::Closed
                }
            })
        })?;
        Ok(Closed {
            outcome,
            answer: ChannelAnswer::default(),
        })
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        if self.ledger.lock().unwrap().misconfigured {
            return Err(self.error("prepare_refund", Fault::Reject(ErrorKind::Configuration)));
        }
        let content = json!({
            "out_trade_no": request.trading_order_no.to_string(),
            "out_refund_no": request.refund_no.to_string(),
            "refund": request.amount.get(),
        });
        Ok(RequestContent::new(content.to_string()))
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        let body: Value = serde_json::from_str(content.as_str()).unwrap();
        let text = |key: &str| body[key].as_str().unwrap().to_owned();
        let (trade, number, amount) = (
            text("out_trade_no"),
            text("out_refund_no"),
            body["refund"].as_i64().unwrap(),
        );
        let status = *self.refund_status.lock().unwrap();
        let status = self.act("refund", |ledger| {
            if !ledger.orders.get(&trade).is_some_and(|order| order.paid) {
                return Err(ErrorKind::NotFound);
            }
            let known = ledger.refunds.contains_key(&number);
            if let Some(kind) = ledger.refund_refusal.filter(|_| !known) {
                return Err(kind);
            }
            let of_trade = ledger.refunds.values().filter(|row| row.0 == trade);
            let given_back: i64 = of_trade.map(|row| row.1).sum();
            let total = ledger.orders.get(&trade).map_or(0, |order| order.total);
            if !known && given_back + amount > total {
                return Err(ErrorKind::RefundNotAllowed);
            }
            Ok(ledger
                .refunds
                .entry(number.clone())
                .or_insert((trade, amount, status))
                .2)
        })?;
        Ok(RefundReply {
            status,
            amount: Some(Fen::new(amount).unwrap()),
            refund_id: Some(format!("R{number}")),
            answer: ChannelAnswer::default(),
        })
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        let found = self.act("query_refund", |ledger| {
            Ok(ledger.refunds.get(&query.out_refund_no).cloned())
        })?;
        let refund_id = found.as_ref().map(|_| format!("R{}", query.out_refund_no));
        Ok(RefundReply {
            status: found.as_ref().map_or(RefundStatus::Absent, |row| row.2),
            amount: found.map(|row| Fen::new(row.1).unwrap()),
            refund_id,
            answer: ChannelAnswer::default(),
        })
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        let body: Value = serde_json::from_slice(&notice.body)
            .map_err(|_| NoticeError::BadSignature("not genuine".into()))?;
        let text = |key: &str| body[key].as_str().unwrap_or_default().to_owned();
        let payment = Self::payment(&text("out_trade_no"), body["total"].as_i64().unwrap_or(0));
        let fact = if body["out_refund_no"].is_string() {
            NoticeFact::Refund(RefundNotice {
                out_trade_no: text("out_trade_no"),
                out_refund_no: Some(text("out_refund_no")),
                refund_id: None,
                status: RefundStatus::Success,
                amount: body["refund"].as_i64().map(|fen| Fen::new(fen).unwrap()),
                cumulative: body["refund_fee"].as_i64().map(|fen| Fen::new(fen).unwrap()),
                payment: Some(payment),
            })
        } else {
            let status = if body["closed"] == true {
                PaymentStatus::Closed
            } else {
                PaymentStatus::Paid(payment)
            };
            NoticeFact::Payment(PaymentNotice {
                out_trade_no: text("out_trade_no"),
                status,
            })
        };
        let enterprise_id = EnterpriseId::new(body["merchant"].as_i64().unwrap()).unwrap();
        let answer = ChannelAnswer::default();
        Ok(VerifiedNotice {
            channel: self.channel,
            enterprise_id,
            notice_id: text("id"),
            fact,
            answer,
        })
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        let (status, body) = match verdict {
            Verdict::Taken => (200, String::new()),
            Verdict::Refused(why) => (400, why.to_string()),
            Verdict::Later(why) => (500, why.to_string()),
        };
        Acknowledgement {
            status,
            content_type: None,
            body,
        }
    }
}

/// Keeps the numbers of a refund apart from those of a trading in assertions.
pub(crate) fn refund_notice(trading: TradingOrderNo, refund: RefundNo, amount: i64, total: i64) -> String {
    json!({"id": format!("r{refund}"), "merchant": merchant().get(), "out_trade_no": trading.to_string(),
        "out_refund_no": refund.to_string(), "refund": amount, "total": total})
    .to_string()
}

/// What a genuine notice about a refund made in the merchant console looks like: WeChat tells the amount of
/// that refund, Alipay what was given back in all.
pub(crate) fn notice_of_console_refund(
    trading: TradingOrderNo,
    out_refund_no: &str,
    amount: Option<i64>,
    cumulative: Option<i64>,
    total: i64,
) -> String {
    json!({"id": out_refund_no, "merchant": merchant().get(), "out_trade_no": trading.to_string(),
        "out_refund_no": out_refund_no, "refund": amount, "refund_fee": cumulative, "total": total})
    .to_string()
}
