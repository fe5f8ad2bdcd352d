//! Findings about a refund become transitions, as in `record` for tradings.

use super::{TradeError, TradeService, policy::Next, record::MAX_TRIES};
use crate::{
    Cause, Fen, Refund, RefundChange, RefundEntry, RefundFact, RefundOrigin, RefundState, Timestamp,
    apply_refund,
    guard::{self, Guard},
    handler::{ChannelAnswer, RefundNotice, RefundReply, RefundStatus},
    port::RefundCommit,
};

/// Something found out about a refund, ready to be recorded.
#[derive(Debug, Clone)]
pub(super) struct RefundFinding {
    fact: RefundFact,
    cause: Cause,
    answer: ChannelAnswer,
    refund_id: Option<String>,
}

impl RefundFinding {
    pub(super) fn new(fact: RefundFact, cause: Cause) -> Self {
        Self {
            fact,
            cause,
            answer: ChannelAnswer::default(),
            refund_id: None,
        }
    }

    pub(super) fn with_answer(mut self, answer: ChannelAnswer) -> Self {
        self.answer = answer;
        self
    }

    /// Whether the channel does not know the refund.
    pub(super) fn is_absent(&self) -> bool {
        self.fact == RefundFact::Absent
    }

    /// What a channel's reply says about this refund.
    ///
    /// # Errors
    /// The amount differs, in words.
    pub(super) fn of_reply(refund: &Refund, reply: RefundReply, cause: Cause) -> Result<Self, String> {
        check_amount(refund, reply.amount)?;
        Ok(Self {
            fact: fact_of(reply.status),
            cause,
            answer: reply.answer,
            refund_id: reply.refund_id,
        })
    }

    /// What a notice says about this refund.
    ///
    /// # Errors
    /// The amount differs, in words.
    pub(super) fn of_notice(
        refund: &Refund,
        notice: &RefundNotice,
        answer: ChannelAnswer,
    ) -> Result<Self, String> {
        check_amount(refund, notice.amount)?;
        Ok(Self {
            fact: fact_of(notice.status),
            cause: Cause::Notice,
            answer,
            refund_id: notice.refund_id.clone(),
        })
    }
}

impl RefundFinding {
    fn journal(&self, before: &Refund, after: &Refund) -> RefundEntry {
        RefundEntry {
            refund_no: after.refund_no,
            version: after.version,
            at: after.updated_at,
            from_state: Some(before.state),
            to_state: after.state,
            cause: self.cause,
            detail: format!("{} {}", self.answer.code, self.answer.message)
                .trim()
                .to_owned(),
            request_id: self.answer.request_id.clone(),
        }
    }
}

fn check_amount(refund: &Refund, told: Option<Fen>) -> Result<(), String> {
    match told {
        Some(told) if told != refund.amount.fen() => Err(format!(
            "the channel holds a refund of {told} under this number, ours is over {}",
            refund.amount
        )),
        Some(_) | None => Ok(()),
    }
}

fn fact_of(status: RefundStatus) -> RefundFact {
    match status {
        RefundStatus::Absent => RefundFact::Absent,
        RefundStatus::Processing if !guard::on(Guard::AcceptedIsNotRefunded) => RefundFact::Succeeded,
        RefundStatus::Processing => RefundFact::Accepted,
        RefundStatus::Success => RefundFact::Succeeded,
        RefundStatus::Abnormal => RefundFact::Abnormal,
        RefundStatus::Closed => RefundFact::Closed,
    }
}

impl TradeService {
    /// Records a finding and returns the row as it then stands, whoever wrote it.
    pub(super) async fn record_refund(
        &self,
        refund: Refund,
        finding: &RefundFinding,
    ) -> Result<Refund, TradeError> {
        let mut current = refund;
        for _ in 0..MAX_TRIES {
            let Some(to_state) = apply_refund(current.state, finding.fact) else {
                return Ok(current);
            };
            let now = self.ports.clock.now();
            let mut after = current.clone();
            after.state = to_state;
            after.version = current.version.saturating_add(1);
            after.updated_at = now;
            after.checks = 0;
            after.stuck = None;
            after.answer = finding.answer.clone();
            after.refund_id = finding.refund_id.clone().or(after.refund_id);
            after.next_check_at = self.next_refund_after(&after, now);
            let event = Some(self.refund_event(&after, now).await?);
            if to_state == RefundState::Failed && after.origin == RefundOrigin::Surplus {
                let why =
                    "the channel will not return this second payment: give it back in the merchant console";
                after.stuck = Some(why.into());
            }
            let journal = finding.journal(&current, &after);
            let change = RefundChange {
                from_version: current.version,
                after,
                journal,
                event,
            };
            match self.ports.store.commit_refund(&change).await? {
                RefundCommit::Done => return Ok(change.after),
                RefundCommit::Stale => current = self.load_refund(current.refund_no).await?,
                RefundCommit::NotCovered => {
                    let why = "the channel gave the money back after it had refused to, and what was paid no longer \
                               covers it: compare with the channel's bill";
                    return self.set_refund_stuck(current, why.into()).await;
                }
            }
        }
        Err(TradeError::Contended(current.trading_order_no))
    }

    fn next_refund_after(&self, after: &Refund, now: Timestamp) -> Option<Timestamp> {
        if after.state.is_final() {
            return None;
        }
        let since = after.created_at.max(after.send_at);
        match self.policy.next_refund_look(since, after.checks, now) {
            Next::At(at) => Some(at.max(now.plus(self.policy.claim))),
            Next::Never | Next::GiveUp => Some(now.plus(self.policy.claim)),
        }
    }
}
