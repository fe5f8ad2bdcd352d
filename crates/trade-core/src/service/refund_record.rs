//! Findings about a refund become transitions, as in `record` for tradings.

use super::{TradeError, TradeService, policy::Next};
use crate::{
    EventDraft, EventId, Fen, Refund, RefundChange, RefundFact, RoutingKey, Timestamp, TradeStatusMsg,
    apply_refund,
    handler::{ChannelAnswer, RefundNotice, RefundReply, RefundStatus},
    port::RefundCommit,
};

const MAX_TRIES: u32 = 16;

/// Something found out about a refund, ready to be recorded.
#[derive(Debug, Clone)]
pub(super) struct RefundFinding {
    fact: RefundFact,
    answer: ChannelAnswer,
    refund_id: Option<String>,
}

impl RefundFinding {
    pub(super) fn new(fact: RefundFact) -> Self {
        Self {
            fact,
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
    pub(super) fn of_reply(refund: &Refund, reply: RefundReply) -> Result<Self, String> {
        check_amount(refund, reply.amount)?;
        Ok(Self {
            fact: fact_of(reply.status),
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
            answer,
            refund_id: notice.refund_id.clone(),
        })
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

const fn fact_of(status: RefundStatus) -> RefundFact {
    match status {
        RefundStatus::Absent => RefundFact::Absent,
        RefundStatus::Processing => RefundFact::Accepted,
        RefundStatus::Success => RefundFact::Succeeded,
        RefundStatus::Abnormal => RefundFact::Abnormal,
        RefundStatus::Closed => RefundFact::Refused,
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
            let change = RefundChange {
                from_version: current.version,
                after,
                event,
            };
            match self.ports.store.commit_refund(&change).await? {
                RefundCommit::Done => return Ok(change.after),
                RefundCommit::Stale => current = self.load_refund(current.refund_no).await?,
            }
        }
        Err(TradeError::Contended(current.trading_order_no))
    }

    fn next_refund_after(&self, after: &Refund, now: Timestamp) -> Option<Timestamp> {
        if after.state.is_final() {
            return None;
        }
        match self.policy.next_refund_look(after.created_at, after.checks, now) {
            Next::At(at) => Some(at.max(now.plus(self.policy.claim))),
            Next::Never | Next::GiveUp => Some(now.plus(self.policy.claim)),
        }
    }

    async fn refund_event(&self, after: &Refund, now: Timestamp) -> Result<EventDraft, TradeError> {
        let event_id = EventId::new(self.ports.ids.next().await?)
            .map_err(|invalid| TradeError::invalid("eventId", invalid.to_string()))?;
        let message = TradeStatusMsg {
            trading_order_no: after.trading_order_no,
            product_app_id: after.product_app_id.clone(),
            product_order_no: after.product_order_no,
            transaction_id: None,
            trading_channel: after.channel,
            refund_no: Some(after.refund_no),
            status_name: after.state.name().to_owned(),
            status_code: after.state.code(),
            info: after.memo.clone(),
            created: after.created_at,
            event_id: Some(event_id),
            seq: None,
            occurred_at: Some(now),
        };
        let event_key = format!("refund:{}:{}", after.refund_no, after.version);
        Ok(EventDraft {
            event_id,
            event_key,
            routing_key: RoutingKey::RefundUpdateStatus,
            message,
        })
    }
}
