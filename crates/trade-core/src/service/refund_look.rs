//! Sending a refund, asking about it, and what is due about one that is running.

use super::{
    MessageCode, TradeError, TradeService, call::About, look::Look, policy::Next, record::MAX_TRIES,
    refund_record::RefundFinding,
};
use crate::{
    Cause, Certainty, ErrorKind, Refund, RefundFact, RefundOrigin, RefundState, RefundStep, Timestamp,
    guard::{self, Guard},
    handler::{ChannelAnswer, RefundQuery, RefundReply},
    port::Claim,
};

/// So many looks at an unknown refund, the last after a minute, until "there is none" is believed to
/// mean that no earlier attempt is still under way.
const LOOKS_UNTIL_CERTAIN: u32 = 3;

impl TradeService {
    /// Sends the stored request and records the answer. `known_absent`: the channel has just said that
    /// it has no such refund, and any earlier attempt would have arrived by now.
    pub(super) async fn send_refund(&self, refund: Refund, known_absent: bool) -> Result<Refund, TradeError> {
        let handler = self.handler(refund.enterprise_id, refund.channel)?;
        let about = About::refund(refund.trading_order_no, refund.refund_no);
        let sent = self.noted(about, "refund", handler.refund(&refund.content)).await;
        let error = match sent {
            Ok(reply) => return self.told(refund, reply, Cause::Place).await,
            Err(error) => error,
        };
        let fact = match (error.certainty(), error.kind()) {
            (Certainty::Rejected, ErrorKind::NotEnough) => RefundFact::Unfunded,
            (Certainty::Rejected, _) if known_absent => RefundFact::Denied,
            (Certainty::Rejected, _) => RefundFact::Refused,
            (Certainty::Unknown, _) if !guard::on(Guard::UnknownIsNotFailed) => RefundFact::Closed,
            (Certainty::Unknown, _) => RefundFact::Asked,
            // Nothing happened: the row says so already, and the job sends it.
            (Certainty::NotSent, _) => return Ok(refund),
        };
        let finding = RefundFinding::new(fact, Cause::Place).with_answer(ChannelAnswer::from(&error));
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
        let reply = self.ask_about(&refund).await?;
        self.told(refund, reply, Cause::Query).await
    }

    async fn ask_about(&self, refund: &Refund) -> Result<RefundReply, TradeError> {
        let handler = self.handler(refund.enterprise_id, refund.channel)?;
        let query = RefundQuery {
            out_refund_no: refund.out_refund_no.clone(),
            trading_order_no: refund.trading_order_no,
        };
        let about = About::refund(refund.trading_order_no, refund.refund_no);
        let reply = self
            .noted(about, "query_refund", handler.query_refund(&query))
            .await;
        reply.map_err(TradeError::channel(MessageCode::NativeQueryRefundFail))
    }

    async fn told(&self, refund: Refund, reply: RefundReply, cause: Cause) -> Result<Refund, TradeError> {
        match RefundFinding::of_reply(&refund, reply, cause) {
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
            let since = row.created_at.max(row.send_at);
            let (next, stuck) = match self.policy.next_refund_look(since, checks, now) {
                Next::At(at) => (Some(at), row.stuck.clone()),
                Next::Never | Next::GiveUp => (None, Some(gave_up(&row, &result))),
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
        if refund.state == RefundState::Applied && refund.send_at > self.ports.clock.now() {
            return Ok(refund);
        }
        let due = RefundFinding::new(RefundFact::Asked, Cause::Timer);
        let asked = self.record_refund(refund, &due).await?;
        let reply = self.ask_about(&asked).await?;
        let ours = asked.origin != RefundOrigin::Console;
        let finding = match RefundFinding::of_reply(&asked, reply, Cause::Query) {
            Ok(finding) => finding,
            Err(mismatch) => return self.set_refund_stuck(asked, mismatch).await,
        };
        if finding.is_absent() && ours && can_be_sent(asked.state) {
            let certain = asked.checks >= LOOKS_UNTIL_CERTAIN;
            return self.send_refund(asked, certain).await;
        }
        self.record_refund(asked, &finding).await
    }

    pub(super) async fn set_refund_stuck(&self, refund: Refund, why: String) -> Result<Refund, TradeError> {
        tracing::error!(refund_no = refund.refund_no.get(), why, "refund is stuck");
        let mut current = refund;
        for _ in 0..MAX_TRIES {
            let (next, checks) = (current.next_check_at, current.checks);
            let marked = self.reschedule_refund(&current, next, next, checks, Some(why.clone()));
            let marked = marked.await?;
            current = self.load_refund(current.refund_no).await?;
            if marked {
                return Ok(current);
            }
        }
        Err(TradeError::Contended(current.trading_order_no))
    }

    pub(super) async fn reschedule_refund(
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

/// What the channel has accepted it has, whatever it says it lacks: only what may never have reached it
/// is sent again.
const fn can_be_sent(state: RefundState) -> bool {
    match state {
        RefundState::Applied | RefundState::Sending(RefundStep::Unknown | RefundStep::Unfunded) => true,
        RefundState::Sending(RefundStep::Accepted | RefundStep::Abnormal)
        | RefundState::Success
        | RefundState::Failed => false,
    }
}

fn gave_up(row: &Refund, result: &Result<Refund, TradeError>) -> String {
    match (row.state, result) {
        (RefundState::Sending(RefundStep::Unfunded), _) => {
            "the merchant's balance is still short after days: top it up and retry the refund".to_owned()
        }
        (RefundState::Sending(RefundStep::Abnormal), _) => {
            "the payer's account cannot take it: settle it in the merchant console, then retry the refund"
                .to_owned()
        }
        (state, Ok(_)) => {
            format!("still {state} after days: ask the channel's support, then retry the refund")
        }
        (state, Err(error)) => format!(
            "still {state} after days, and the last answer was no answer: {}",
            super::look::one_line(error)
        ),
    }
}
