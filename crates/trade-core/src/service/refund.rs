//! Refunding a settled trading.

use super::{MessageCode, TradeError, TradeService, look::Look, policy::Next, refund_record::RefundFinding};
use crate::{
    Amount, Certainty, ErrorKind, Refund, RefundFact, RefundNo, RefundState, Timestamp, Trading,
    TradingOrderNo, TradingState,
    handler::{ChannelAnswer, RefundQuery, RefundRequest},
    port::{Claim, RefundInserted},
};

impl TradeService {
    /// Refunds a trading as the service this one replaces does: while a refund of it is running or
    /// done, that refund is returned and no other is made.
    ///
    /// The amount is reserved in the store before the channel hears of it; the number never changes.
    /// A refund whose outcome is not known yet is returned as running and finished in the background.
    ///
    /// # Errors
    /// The trading is unknown or not settled, the amount exceeds what is left, or the channel refused.
    pub async fn refund(
        &self,
        trading_order_no: TradingOrderNo,
        amount: Amount,
        reason: Option<String>,
    ) -> Result<Refund, TradeError> {
        let trading = self.query(trading_order_no).await?;
        if trading.state != TradingState::Settled {
            return Err(TradeError::NotRefundable {
                trading_order_no,
                state: trading.state,
            });
        }
        if amount > trading.amount {
            return Err(TradeError::RefundTooLarge(trading_order_no));
        }
        if let Some(existing) = self.running_refund(trading_order_no).await? {
            return Ok(existing);
        }
        let refund = self.intend_refund(&trading, amount, reason).await?;
        match self.ports.store.insert_refund(&refund).await? {
            RefundInserted::Done => self.send_refund(refund).await,
            RefundInserted::NotCovered => Err(TradeError::RefundTooLarge(trading_order_no)),
            RefundInserted::Exists(existing) => Ok(*existing),
        }
    }

    /// The newest refund that is running or done, brought up to date.
    async fn running_refund(&self, trading_order_no: TradingOrderNo) -> Result<Option<Refund>, TradeError> {
        for refund in self.ports.store.refunds_of(trading_order_no).await? {
            let current = self.query_refund(refund.refund_no).await?;
            if current.state != RefundState::Failed {
                return Ok(Some(current));
            }
        }
        Ok(None)
    }

    async fn intend_refund(
        &self,
        trading: &Trading,
        amount: Amount,
        reason: Option<String>,
    ) -> Result<Refund, TradeError> {
        let handler = self.handler_of(trading)?;
        let refund_no = RefundNo::new(self.ports.ids.next().await?)
            .map_err(|invalid| TradeError::invalid("refundNo", invalid.to_string()))?;
        let request = RefundRequest {
            refund_no,
            trading_order_no: trading.trading_order_no,
            amount,
            total: trading.amount,
            reason: reason.clone(),
        };
        let content = handler
            .prepare_refund(&request)
            .map_err(|error| match error.kind() {
                ErrorKind::InvalidRequest => TradeError::invalid(
                    "refund",
                    error.message().unwrap_or("breaks a rule of the channel"),
                ),
                _ => TradeError::Channel {
                    code: MessageCode::ConfigError,
                    source: error,
                },
            })?;
        let now = self.ports.clock.now();
        Ok(Refund {
            refund_no,
            trading_order_no: trading.trading_order_no,
            product_app_id: trading.product_app_id.clone(),
            product_order_no: trading.product_order_no,
            enterprise_id: trading.enterprise_id,
            channel: trading.channel,
            amount,
            total: trading.amount,
            memo: reason.unwrap_or_default(),
            state: RefundState::Applied,
            version: 1,
            content,
            refund_id: None,
            answer: ChannelAnswer::default(),
            created_at: now,
            updated_at: now,
            next_check_at: Some(now.plus(self.policy.claim)),
            checks: 0,
            stuck: None,
        })
    }

    /// Sends the stored request and records the answer.
    pub(super) async fn send_refund(&self, refund: Refund) -> Result<Refund, TradeError> {
        let handler = self.handler(refund.enterprise_id, refund.channel)?;
        let error = match handler.refund(&refund.content).await {
            Ok(reply) => {
                return match RefundFinding::of_reply(&refund, reply) {
                    Ok(finding) => self.record_refund(refund, &finding).await,
                    Err(mismatch) => self.set_refund_stuck(refund, mismatch).await,
                };
            }
            Err(error) => error,
        };
        let fact = match (error.certainty(), error.kind()) {
            (Certainty::Rejected, ErrorKind::NotEnough) => RefundFact::Unfunded,
            (Certainty::Rejected, _) => RefundFact::Refused,
            (Certainty::Unknown, _) => RefundFact::Asked,
            // Nothing happened: the row says so already, and the job sends it.
            (Certainty::NotSent, _) => return Ok(refund),
        };
        let finding = RefundFinding::new(fact).with_answer(ChannelAnswer::from(&error));
        let after = self.record_refund(refund, &finding).await?;
        match after.state {
            RefundState::Failed => Err(TradeError::Channel {
                code: MessageCode::NativeRefundFail,
                source: error,
            }),
            RefundState::Applied | RefundState::Sending(_) | RefundState::Success => Ok(after),
        }
    }

    /// Asks the channel about a refund and records what it says.
    pub(super) async fn observe_refund(&self, refund: Refund) -> Result<Refund, TradeError> {
        let handler = self.handler(refund.enterprise_id, refund.channel)?;
        let query = RefundQuery {
            refund_no: refund.refund_no,
            trading_order_no: refund.trading_order_no,
        };
        let reply = handler.query_refund(&query).await;
        let reply = reply.map_err(TradeError::channel(MessageCode::NativeQueryRefundFail))?;
        match RefundFinding::of_reply(&refund, reply) {
            Ok(finding) => self.record_refund(refund, &finding).await,
            Err(mismatch) => self.set_refund_stuck(refund, mismatch).await,
        }
    }

    /// Claims a due refund, does what is due, and sets the next look.
    pub(crate) async fn look_at_refund(&self, mut refund: Refund) -> Result<Look, TradeError> {
        let (before, checks) = (refund.version, refund.checks.saturating_add(1));
        let until = Some(self.ports.clock.now().plus(self.policy.claim));
        let (seen, stuck) = (refund.next_check_at, refund.stuck.clone());
        if !self
            .reschedule_refund(&refund, seen, until, refund.checks, stuck)
            .await?
        {
            return Ok(Look::Taken);
        }
        refund.next_check_at = until;
        let result = self.advance_refund(refund.clone()).await;
        let row = self.load_refund(refund.refund_no).await?;
        if !row.state.is_final() {
            let now = self.ports.clock.now();
            let (next, stuck) = match self.policy.next_refund_look(row.created_at, checks, now) {
                Next::At(at) => (Some(at), row.stuck.clone()),
                Next::Never | Next::GiveUp => (None, Some(format!("still {} after days", row.state))),
            };
            self.reschedule_refund(&row, row.next_check_at, next, checks, stuck)
                .await?;
        }
        let after = result?;
        Ok(if after.version == before {
            Look::Same
        } else {
            Look::Changed
        })
    }

    /// What the channel does not know is sent, with the same number and content.
    async fn advance_refund(&self, refund: Refund) -> Result<Refund, TradeError> {
        let asked = self
            .record_refund(refund, &RefundFinding::new(RefundFact::Asked))
            .await?;
        let handler = self.handler(asked.enterprise_id, asked.channel)?;
        let query = RefundQuery {
            refund_no: asked.refund_no,
            trading_order_no: asked.trading_order_no,
        };
        let reply = handler.query_refund(&query).await;
        let reply = reply.map_err(TradeError::channel(MessageCode::NativeQueryRefundFail))?;
        match RefundFinding::of_reply(&asked, reply) {
            Ok(finding) if finding.is_absent() => self.send_refund(asked).await,
            Ok(finding) => self.record_refund(asked, &finding).await,
            Err(mismatch) => self.set_refund_stuck(asked, mismatch).await,
        }
    }

    pub(super) async fn load_refund(&self, refund_no: RefundNo) -> Result<Refund, TradeError> {
        self.ports
            .store
            .refund(refund_no)
            .await?
            .ok_or(TradeError::RefundNotFound(refund_no))
    }

    async fn set_refund_stuck(&self, refund: Refund, why: String) -> Result<Refund, TradeError> {
        tracing::error!(refund_no = refund.refund_no.get(), why, "refund is stuck");
        let next = refund.next_check_at;
        self.reschedule_refund(&refund, next, next, refund.checks, Some(why))
            .await?;
        self.load_refund(refund.refund_no).await
    }

    async fn reschedule_refund(
        &self,
        refund: &Refund,
        seen: Option<Timestamp>,
        next_check_at: Option<Timestamp>,
        checks: u32,
        stuck: Option<String>,
    ) -> Result<bool, TradeError> {
        let claim = Claim {
            version: refund.version,
            seen,
            next_check_at,
            checks,
            stuck,
        };
        Ok(self.ports.store.claim_refund(refund.refund_no, claim).await?)
    }
}
