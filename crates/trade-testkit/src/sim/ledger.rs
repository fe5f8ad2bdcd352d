//! The channels' books, and the rules by which they are kept: WeChat Pay's and Alipay's as far as money
//! depends on them.
//!
//! | | WeChat Pay | Alipay |
//! |---|---|---|
//! | an order exists | once placed | once its code was scanned |
//! | closing what nobody scanned | closes it | "no such trade", and the code stays alive |
//! | the code is dead | when closed, or at the expiry | at the expiry, sometimes only after two hours |
//! | a refund | is accepted, and done later | is done at once |
//! | a refund in the console | nobody is told | is told like a payment |
//! | after a full refund | | tells of a closed trade once more |

use trade_core::{
    Channel, ErrorKind, Fen, TradingOrderNo, TransactionId,
    handler::{CloseOutcome, Payment, PaymentStatus, RefundStatus},
};

use crate::oracle::{TrueOrder, TrueRefund, Truth};

/// What a channel refuses, and why.
#[derive(Debug, Clone, Copy)]
pub(super) struct Refusal {
    pub(super) kind: ErrorKind,
    pub(super) code: &'static str,
    /// It was not even looked at.
    pub(super) not_executed: bool,
}

const fn refuse(kind: ErrorKind, code: &'static str) -> Refusal {
    Refusal {
        kind,
        code,
        not_executed: false,
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OrderState {
    Unscanned,
    Waiting,
    Paid,
    Closed,
}

#[derive(Debug)]
pub(super) struct Order {
    pub(super) channel: Channel,
    pub(super) number: TradingOrderNo,
    pub(super) fen: i64,
    pub(super) state: OrderState,
    content: String,
    placed_ms: i64,
    dead_ms: i64,
    pub(super) paid_ms: i64,
    last_refund_ms: Option<i64>,
}

#[derive(Debug)]
pub(super) struct ChannelRefund {
    pub(super) order: TradingOrderNo,
    pub(super) number: String,
    pub(super) fen: i64,
    pub(super) status: RefundStatus,
    /// Made in the merchant console.
    by_hand: bool,
    /// Nobody was told of it yet who did not ask for it.
    pub(super) silent: bool,
}

/// What a placing asks for.
#[derive(Debug, Clone)]
pub(super) struct Placing {
    pub(super) number: TradingOrderNo,
    pub(super) fen: i64,
    pub(super) expires_ms: i64,
    pub(super) content: String,
}

/// What a refund asks for.
#[derive(Debug, Clone)]
pub(super) struct Refunding {
    pub(super) order: TradingOrderNo,
    pub(super) number: String,
    pub(super) fen: i64,
}

/// A refund came soon after another of the same payment.
const REFUND_GAP_MS: i64 = 60_000;
/// So long a new order is not seen everywhere at WeChat Pay.
const LAG_MS: i64 = 1_500;
const TWO_HOURS_MS: i64 = 2 * 3600 * 1000;

#[derive(Debug, Default)]
pub(super) struct Ledger {
    pub(super) orders: Vec<Order>,
    pub(super) refunds: Vec<ChannelRefund>,
    /// Whether the merchant's balance is short.
    pub(super) short: bool,
}

impl Ledger {
    pub(super) fn order(&mut self, number: TradingOrderNo) -> Option<&mut Order> {
        self.orders.iter_mut().find(|order| order.number == number)
    }

    pub(super) fn refund(&mut self, order: TradingOrderNo, number: &str) -> Option<&mut ChannelRefund> {
        let is_it = |refund: &&mut ChannelRefund| refund.order == order && refund.number == number;
        self.refunds.iter_mut().find(is_it)
    }

    /// Places an order, or finds that it is placed. `lax`: its code outlives its expiry.
    pub(super) fn place(
        &mut self,
        channel: Channel,
        placing: &Placing,
        now_ms: i64,
        lax: bool,
    ) -> Result<(), Refusal> {
        if let Some(order) = self.order(placing.number) {
            return match order.state {
                OrderState::Paid => Err(refuse(ErrorKind::AlreadyPaid, "ORDERPAID")),
                OrderState::Closed => Err(refuse(ErrorKind::AlreadyClosed, "ORDER_CLOSED")),
                _ if order.content != placing.content => {
                    Err(refuse(ErrorKind::NumberReused, "OUT_TRADE_NO_USED"))
                }
                OrderState::Unscanned | OrderState::Waiting => Ok(()),
            };
        }
        if placing.expires_ms <= now_ms {
            return Err(refuse(ErrorKind::InvalidRequest, "EXPIRED"));
        }
        let lax = lax && channel == Channel::AliPay;
        self.orders.push(Order {
            channel,
            number: placing.number,
            fen: placing.fen,
            state: match channel {
                Channel::WechatPay => OrderState::Waiting,
                Channel::AliPay => OrderState::Unscanned,
            },
            content: placing.content.clone(),
            placed_ms: now_ms,
            dead_ms: if lax {
                now_ms + TWO_HOURS_MS
            } else {
                placing.expires_ms
            },
            paid_ms: 0,
            last_refund_ms: None,
        });
        Ok(())
    }

    pub(super) fn scan(&mut self, number: TradingOrderNo, now_ms: i64) {
        if let Some(order) = self.order(number)
            && order.payable(now_ms)
        {
            order.state = OrderState::Waiting;
        }
    }

    /// Somebody pays. Whether it worked.
    pub(super) fn pay(&mut self, number: TradingOrderNo, now_ms: i64) -> bool {
        match self.order(number) {
            Some(order) if order.payable(now_ms) => {
                order.state = OrderState::Paid;
                order.paid_ms = now_ms;
                true
            }
            _ => false,
        }
    }

    /// What a query says, and whether it mentions refunds. `lagging`: a new order is not seen yet.
    pub(super) fn query(
        &mut self,
        channel: Channel,
        number: TradingOrderNo,
        now_ms: i64,
        lagging: bool,
    ) -> (PaymentStatus, bool) {
        let unseen = match channel {
            Channel::WechatPay => PaymentStatus::Absent,
            // It does not tell "nobody has scanned it" from "never heard of it".
            Channel::AliPay => PaymentStatus::Waiting,
        };
        let has_refunds = self.refunds.iter().any(|refund| refund.order == number);
        let Some(order) = self.order(number) else {
            return (unseen, false);
        };
        order.tidy(now_ms);
        match order.state {
            OrderState::Unscanned => (unseen, false),
            OrderState::Waiting if lagging && order.is_new(now_ms) => (unseen, false),
            OrderState::Waiting => (PaymentStatus::Waiting, false),
            OrderState::Closed => (PaymentStatus::Closed, false),
            OrderState::Paid => (PaymentStatus::Paid(order.payment()), has_refunds),
        }
    }

    pub(super) fn close(&mut self, number: TradingOrderNo, now_ms: i64, lagging: bool) -> CloseOutcome {
        let Some(order) = self.order(number) else {
            return CloseOutcome::NothingToClose;
        };
        order.tidy(now_ms);
        match order.state {
            OrderState::Unscanned => CloseOutcome::NothingToClose,
            OrderState::Waiting if lagging && order.is_new(now_ms) => CloseOutcome::NothingToClose,
            OrderState::Waiting | OrderState::Closed => {
                order.state = OrderState::Closed;
                CloseOutcome::Closed
            }
            OrderState::Paid => CloseOutcome::AlreadyPaid,
        }
    }

    /// Makes a refund, or finds that it is made: the same number refunds once.
    pub(super) fn make_refund(&mut self, asked: &Refunding, now_ms: i64) -> Result<RefundStatus, Refusal> {
        if let Some(refund) = self.refund(asked.order, &asked.number) {
            return if refund.fen == asked.fen {
                Ok(refund.status)
            } else {
                Err(refuse(ErrorKind::NumberReused, "DISCORDANT_REPEAT_REQUEST"))
            };
        }
        let (short, given) = (self.short, self.given_back(asked.order));
        let Some(order) = self.order(asked.order) else {
            return Err(refuse(ErrorKind::NotFound, "RESOURCE_NOT_EXISTS"));
        };
        if order.state != OrderState::Paid {
            return Err(refuse(ErrorKind::RefundNotAllowed, "TRADE_STATUS_ERROR"));
        }
        if given + asked.fen > order.fen {
            return Err(refuse(ErrorKind::RefundNotAllowed, "REFUND_AMT_NOT_EQUAL"));
        }
        if order
            .last_refund_ms
            .is_some_and(|last| now_ms < last + REFUND_GAP_MS)
        {
            return Err(Refusal {
                not_executed: true,
                ..refuse(ErrorKind::RateLimited, "FREQUENCY_LIMITED")
            });
        }
        if short {
            return Err(refuse(ErrorKind::NotEnough, "NOT_ENOUGH"));
        }
        order.last_refund_ms = Some(now_ms);
        let status = match order.channel {
            Channel::WechatPay => RefundStatus::Processing,
            Channel::AliPay => RefundStatus::Success,
        };
        self.refunds.push(ChannelRefund {
            order: asked.order,
            number: asked.number.clone(),
            fen: asked.fen,
            status,
            by_hand: false,
            silent: false,
        });
        Ok(status)
    }

    /// Somebody gives money back by hand. Whether it worked.
    pub(super) fn console_refund(&mut self, asked: &Refunding) -> bool {
        let given = self.given_back(asked.order);
        match self.order(asked.order) {
            Some(order) if order.state == OrderState::Paid && given + asked.fen <= order.fen => {}
            _ => return false,
        }
        self.refunds.push(ChannelRefund {
            order: asked.order,
            number: asked.number.clone(),
            fen: asked.fen,
            status: RefundStatus::Success,
            by_hand: true,
            silent: true,
        });
        true
    }

    /// What has gone back of an order, or is on its way.
    pub(super) fn given_back(&self, order: TradingOrderNo) -> i64 {
        let standing =
            |refund: &&ChannelRefund| refund.order == order && refund.status != RefundStatus::Closed;
        self.refunds
            .iter()
            .filter(standing)
            .map(|refund| refund.fen)
            .sum()
    }

    pub(super) fn truth(&self, now_ms: i64) -> Truth {
        let orders = self.orders.iter().map(|order| TrueOrder {
            channel: order.channel,
            number: order.number,
            fen: order.fen,
            paid: order.state == OrderState::Paid,
            payable: order.payable(now_ms),
        });
        let refunds = self.refunds.iter().map(|refund| TrueRefund {
            number: refund.number.clone(),
            order: refund.order,
            fen: refund.fen,
            done: refund.status == RefundStatus::Success,
            dead: refund.status == RefundStatus::Closed,
            by_hand: refund.by_hand,
            silent: refund.silent,
        });
        Truth {
            orders: orders.collect(),
            refunds: refunds.collect(),
        }
    }
}

impl Order {
    pub(super) fn payable(&self, now_ms: i64) -> bool {
        matches!(self.state, OrderState::Unscanned | OrderState::Waiting) && now_ms < self.dead_ms
    }

    /// When it can no longer be paid, if it still can.
    pub(super) fn dies_at(&self, now_ms: i64) -> Option<i64> {
        self.payable(now_ms).then_some(self.dead_ms)
    }

    /// Alipay closes what was scanned and not paid in time.
    fn tidy(&mut self, now_ms: i64) {
        if self.channel == Channel::AliPay && self.state == OrderState::Waiting && now_ms >= self.dead_ms {
            self.state = OrderState::Closed;
        }
    }

    fn is_new(&self, now_ms: i64) -> bool {
        self.channel == Channel::WechatPay && now_ms < self.placed_ms + LAG_MS
    }

    pub(super) fn payment(&self) -> Payment {
        Payment {
            transaction_id: TransactionId::new(format!("42{}", self.number)),
            total: Fen::new(self.fen).expect("an amount"),
            currency: "CNY".into(),
            payer_total: None,
            paid_at: Some(trade_core::Timestamp::from_ms(self.paid_ms)),
            payer_id: None,
        }
    }
}
