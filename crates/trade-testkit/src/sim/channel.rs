//! A channel behind a bad line: requests and replies get lost, come late, twice or out of order.

use std::{sync::Arc, time::Duration};

use async_trait::async_trait;
use trade_core::{
    Capability, Certainty, Channel, ChannelError, EnterpriseId, ErrorKind, Fen, TradingOrderNo,
    handler::{
        Acknowledgement, ChannelAnswer, Closed, NoticeError, Observed, PayHandler, PlaceRequest, Placed,
        RawNotice, RefundQuery, RefundReply, RefundRequest, RefundStatus, RequestContent, Verdict,
        VerifiedNotice,
    },
};

use super::{
    Flaw,
    executor::Owner,
    ledger::{Placing, Refunding, Refusal},
    post,
    world::{State, World},
};
use crate::fixture;

/// How long a caller waits for a reply.
const TIMEOUT: Duration = Duration::from_secs(10);

#[derive(Debug)]
pub(super) struct SimChannel {
    pub(super) world: World,
    pub(super) channel: Channel,
    pub(super) enterprise: EnterpriseId,
}

/// What the line does to a call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Line {
    Good,
    /// Nothing leaves the house.
    NotSent,
    RequestLost,
    ReplyLost,
    /// The request arrives when its caller has long given up.
    Late,
    /// It arrives twice, the second time later.
    Twice,
    /// The channel has a fault, after or before it did what was asked.
    Fault,
    /// The reply cannot be believed.
    Unverifiable,
    /// The reply is overtaken by others.
    Slow,
}

const TROUBLES: [Line; 8] = [
    Line::NotSent,
    Line::RequestLost,
    Line::ReplyLost,
    Line::Late,
    Line::Twice,
    Line::Fault,
    Line::Unverifiable,
    Line::Slow,
];

type Effect<T> = Arc<dyn Fn(&mut State) -> Result<T, Refusal> + Send + Sync>;

impl SimChannel {
    async fn call<T: Send + 'static>(
        &self,
        operation: &'static str,
        effect: Effect<T>,
    ) -> Result<T, ChannelError> {
        self.world.pause().await;
        let line = self.world.with(|state| {
            let trouble = state.chance(state.weather.calls);
            if trouble {
                TROUBLES[state.rng.usize(0..TROUBLES.len())]
            } else {
                Line::Good
            }
        });
        if line != Line::Good {
            self.world
                .tell(|| format!("line: {operation} at {}: {line:?}", self.channel));
        }
        let unknown = |kind| {
            Err(ChannelError::new(
                self.channel,
                operation,
                Certainty::Unknown,
                kind,
            ))
        };
        match line {
            Line::Good => {}
            Line::NotSent => {
                let kind = ErrorKind::Network;
                return Err(ChannelError::new(
                    self.channel,
                    operation,
                    Certainty::NotSent,
                    kind,
                ));
            }
            Line::RequestLost => {
                self.world.sleep(TIMEOUT).await;
                return unknown(ErrorKind::Timeout);
            }
            Line::Late => {
                self.again_later(effect, 10_000..40_000);
                self.world.sleep(TIMEOUT).await;
                return unknown(ErrorKind::Timeout);
            }
            Line::ReplyLost => {
                let _lost = self.done(&effect);
                self.world.sleep(TIMEOUT).await;
                return unknown(ErrorKind::Timeout);
            }
            Line::Fault => {
                if self.world.with(|state| state.rng.bool()) {
                    let _lost = self.done(&effect);
                }
                return unknown(ErrorKind::ChannelFault);
            }
            Line::Unverifiable => {
                let _unbelieved = self.done(&effect);
                return unknown(ErrorKind::Unverifiable);
            }
            Line::Twice => self.again_later(Arc::clone(&effect), 0..20_000),
            Line::Slow => {
                let reply = self.done(&effect);
                let ms = self.world.with(|state| state.rng.u64(1..6_000));
                self.world.sleep(Duration::from_millis(ms)).await;
                return reply.map_err(|refusal| self.refused(operation, refusal));
            }
        }
        let reply = self.done(&effect);
        self.world.pause().await;
        reply.map_err(|refusal| self.refused(operation, refusal))
    }

    fn done<T>(&self, effect: &Effect<T>) -> Result<T, Refusal> {
        self.world.with(|state| {
            state.changed = true;
            effect(state)
        })
    }

    fn again_later<T: 'static>(&self, effect: Effect<T>, after_ms: std::ops::Range<u64>) {
        let world = self.world.clone();
        self.world.spawn(Owner::World, async move {
            let ms = world.with(|state| state.rng.u64(after_ms));
            world.sleep(Duration::from_millis(ms)).await;
            world.with(|state| {
                state.changed = true;
                state.tell(|| "line: a late request arrives".to_owned());
                let _unheard = effect(state);
            });
        });
    }

    fn refused(&self, operation: &'static str, refusal: Refusal) -> ChannelError {
        let certainty = if refusal.not_executed {
            Certainty::NotSent
        } else {
            Certainty::Rejected
        };
        ChannelError::new(self.channel, operation, certainty, refusal.kind).with_code(refusal.code, "refused")
    }
}

fn answer(code: &str) -> ChannelAnswer {
    ChannelAnswer::new(code, "", "", None)
}

/// A request is its fields in one line; a channel in the world reads it again.
fn fields(content: &RequestContent) -> Vec<&str> {
    content.as_str().split('|').collect()
}

fn number(text: &str) -> i64 {
    text.parse().expect("a number in a request")
}

#[async_trait]
impl PayHandler for SimChannel {
    fn channel(&self) -> Channel {
        self.channel
    }

    fn enterprise(&self) -> EnterpriseId {
        self.enterprise
    }

    fn capability(&self) -> Capability {
        Capability {
            memo_max_chars: 127,
            memo_forbidden: "",
            close_leaves_code_payable: self.channel == Channel::AliPay,
            code_life: Duration::from_hours(2),
            refund_window: Duration::from_hours(365 * 24),
            refund_max_count: 50,
            refund_min_gap: Duration::from_mins(1),
            refund_notice: true,
        }
    }

    fn prepare_place(&self, request: &PlaceRequest) -> Result<RequestContent, ChannelError> {
        let (number, fen) = (request.trading_order_no, request.amount.get());
        Ok(RequestContent::new(format!(
            "{number}|{fen}|{}",
            request.expires_at.ms()
        )))
    }

    async fn place(&self, content: &RequestContent) -> Result<Placed, ChannelError> {
        let asked = fields(content);
        let other = self
            .world
            .with(|state| state.another_number(Flaw::NewTradeNumber));
        let placing = Placing {
            number: fixture::trading_no(number(asked[0]) + other.unwrap_or(0)),
            fen: number(asked[1]),
            expires_ms: number(asked[2]),
            content: content.as_str().to_owned(),
        };
        let (channel, code_url) = (self.channel, format!("pay:{}", placing.number));
        let effect: Effect<()> = Arc::new(move |state| {
            let (now_ms, lax) = (state.now_ms, state.rng.bool());
            let placed = state.ledger.place(channel, &placing, now_ms, lax);
            state.tell(|| format!("{channel} places {}: {placed:?}", placing.number));
            placed
        });
        self.call("place", effect).await?;
        Ok(Placed {
            code_url,
            answer: answer("OK"),
        })
    }

    async fn query(&self, trading_order_no: TradingOrderNo) -> Result<Observed, ChannelError> {
        let channel = self.channel;
        let effect: Effect<_> = Arc::new(move |state| {
            let (now_ms, lagging) = (state.now_ms, state.rng.bool());
            Ok(state.ledger.query(channel, trading_order_no, now_ms, lagging))
        });
        let (status, has_refunds) = self.call("query", effect).await?;
        Ok(Observed {
            status,
            has_refunds,
            answer: answer("OK"),
        })
    }

    async fn close(&self, trading_order_no: TradingOrderNo) -> Result<Closed, ChannelError> {
        let channel = self.channel;
        let effect: Effect<_> = Arc::new(move |state| {
            let (now_ms, lagging) = (state.now_ms, state.rng.bool());
            let outcome = state.ledger.close(trading_order_no, now_ms, lagging);
            state.tell(|| format!("{channel} closes {trading_order_no}: {outcome:?}"));
            Ok(outcome)
        });
        Ok(Closed {
            outcome: self.call("close", effect).await?,
            answer: answer("OK"),
        })
    }

    fn prepare_refund(&self, request: &RefundRequest) -> Result<RequestContent, ChannelError> {
        let (order, number) = (request.trading_order_no, request.refund_no);
        Ok(RequestContent::new(format!(
            "{order}|{number}|{}",
            request.amount.get()
        )))
    }

    async fn refund(&self, content: &RequestContent) -> Result<RefundReply, ChannelError> {
        let asked = fields(content);
        let other = self
            .world
            .with(|state| state.another_number(Flaw::NewRefundNumber));
        let refunding = Refunding {
            order: fixture::trading_no(number(asked[0])),
            number: (number(asked[1]) + other.unwrap_or(0)).to_string(),
            fen: number(asked[2]),
        };
        let (world, channel) = (self.world.clone(), self.channel);
        let fen = Fen::new(refunding.fen).expect("an amount");
        let effect: Effect<RefundStatus> = Arc::new(move |state| {
            let (known, now_ms) = (state.ledger.refunds.len(), state.now_ms);
            let status = state.ledger.make_refund(&refunding, now_ms);
            state.tell(|| format!("{channel} refunds {refunding:?}: {status:?}"));
            if state.ledger.refunds.len() > known {
                post::refund_begun(&world, state, refunding.order, refunding.number.clone());
            }
            status
        });
        Ok(RefundReply {
            status: self.call("refund", effect).await?,
            amount: Some(fen),
            refund_id: None,
            answer: answer("OK"),
        })
    }

    async fn query_refund(&self, query: &RefundQuery) -> Result<RefundReply, ChannelError> {
        let query = query.clone();
        let effect: Effect<_> = Arc::new(move |state| {
            let refund = state.ledger.refund(query.trading_order_no, &query.out_refund_no);
            Ok(refund.map(|refund| (refund.status, refund.fen)))
        });
        let found = self.call("query_refund", effect).await?;
        Ok(RefundReply {
            status: found.map_or(RefundStatus::Absent, |(status, _)| status),
            amount: found.and_then(|(_, fen)| Fen::new(fen).ok()),
            refund_id: None,
            answer: answer("OK"),
        })
    }

    async fn verify_notice(&self, notice: &RawNotice) -> Result<VerifiedNotice, NoticeError> {
        self.world.pause().await;
        let place: Option<usize> = std::str::from_utf8(&notice.body)
            .ok()
            .and_then(|text| text.parse().ok());
        let genuine = self.world.with(|state| {
            let letter = place.and_then(|place| state.letters.get(place))?;
            letter.genuine.then(|| letter.notice.clone())
        });
        genuine.ok_or_else(|| NoticeError::BadSignature("it is forged".into()))
    }

    fn acknowledge(&self, verdict: Verdict<'_>) -> Acknowledgement {
        Acknowledgement {
            status: match verdict {
                Verdict::Taken => 200,
                Verdict::Refused(_) => 400,
                Verdict::Later(_) => 503,
            },
            content_type: None,
            body: String::new(),
        }
    }
}
