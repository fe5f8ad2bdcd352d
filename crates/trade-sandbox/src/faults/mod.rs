//! What goes wrong, where, and how often.
//!
//! Rules are taken in the order they were given. One message can suffer one fault of each class at once: a
//! delay, an outcome, a signature, a content. A rule is used up after its `times`.
//!
//! Operations of WeChat Pay: `native`, `jsapi`, `app`, `h5`, `query`, `close`, `refund`, `refund_query`,
//! `abnormal_refund`, `certificates`, `tradebill`, `fundflowbill`, `billdownload`. Of Alipay: `precreate`,
//! `query`, `close`, `cancel`, `refund`, `refund_query`, `bill`, `billdownload`, `certificate`. Of both:
//! `notice.payment`, `notice.refund`, or `notice` for either.

mod fault;

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

use self::fault::Class;
pub use self::fault::{Fault, FaultKind};
use crate::{Channel, ledger::RefundOutcome};

/// A fault that waits for its turn.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct FaultRule {
    /// Counts from 1.
    pub id: u64,
    /// The fault; its `times` are those left.
    #[serde(flatten)]
    pub fault: Fault,
}

/// What one message suffers. Built by [`Faults::plan`].
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Plan {
    /// Sleep this long before acting, real milliseconds.
    pub(crate) delay_ms: Option<u32>,
    pub(crate) outcome: Option<FaultKind>,
    pub(crate) signature: Option<FaultKind>,
    /// Added to the amount in the message.
    pub(crate) wrong_amount_fen: i64,
    pub(crate) gbk: bool,
    /// Of a notice: how many extra copies.
    pub(crate) copies: u8,
    /// Of a refund request: how the refund ends.
    pub(crate) refund: Option<RefundOutcome>,
}

impl Plan {
    fn suffer(&mut self, kind: FaultKind) {
        match kind {
            FaultKind::Delay { delay_ms } => self.delay_ms = Some(delay_ms),
            FaultKind::DropBefore
            | FaultKind::DropAfter
            | FaultKind::Status { .. }
            | FaultKind::RateLimit
            | FaultKind::Garbage => self.outcome = Some(kind),
            FaultKind::BadSignature
            | FaultKind::ProbeSignature
            | FaultKind::Unsigned
            | FaultKind::WrongKey => self.signature = Some(kind),
            FaultKind::Gbk => self.gbk = true,
            FaultKind::Duplicate { copies } => self.copies = copies,
            FaultKind::Refund { outcome } => self.refund = Some(outcome),
            FaultKind::WrongAmount { by_fen } => self.wrong_amount_fen = by_fen,
            FaultKind::Reorder => {}
        }
    }
}

/// The rules that wait for their turn.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    rules: Mutex<Rules>,
}

#[derive(Debug, Default)]
struct Rules {
    waiting: Vec<FaultRule>,
    last_id: u64,
}

impl Faults {
    /// Adds a rule and returns its id.
    pub(crate) fn add(&self, fault: Fault) -> u64 {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.last_id = rules.last_id.saturating_add(1);
        let id = rules.last_id;
        rules.waiting.push(FaultRule { id, fault });
        id
    }

    /// Removes a rule; tells whether it was there.
    pub(crate) fn remove(&self, id: u64) -> bool {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let before = rules.waiting.len();
        rules.waiting.retain(|rule| rule.id != id);
        rules.waiting.len() != before
    }

    /// Removes all rules.
    pub(crate) fn clear(&self) {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.waiting.clear();
    }

    /// The rules that are left.
    pub(crate) fn list(&self) -> Vec<FaultRule> {
        let rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        rules.waiting.clone()
    }

    /// What a request, or one attempt of a notice, suffers. Uses the rules up.
    pub(crate) fn plan(&self, channel: Channel, operation: &str) -> Plan {
        let mut plan = Plan::default();
        let classes = [
            Class::Delay,
            Class::Outcome,
            Class::Signature,
            Class::Amount,
            Class::Encoding,
            Class::Copies,
            Class::Refund,
        ];
        for class in classes {
            if let Some(kind) = self.take(channel, operation, class) {
                plan.suffer(kind);
            }
        }
        plan
    }

    /// Whether a new notice must let the next one overtake it. Uses the rule up.
    pub(crate) fn reorders(&self, channel: Channel, operation: &str) -> bool {
        self.take(channel, operation, Class::Order).is_some()
    }

    fn take(&self, channel: Channel, operation: &str, class: Class) -> Option<FaultKind> {
        let mut rules = self.rules.lock().unwrap_or_else(PoisonError::into_inner);
        let rule = rules
            .waiting
            .iter_mut()
            .find(|rule| rule.fault.kind.class() == class && rule.fault.strikes(channel, operation))?;
        rule.fault.times = rule.fault.times.saturating_sub(1);
        let kind = rule.fault.kind;
        rules.waiting.retain(|rule| rule.fault.times > 0);
        Some(kind)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rule_strikes_where_it_should_and_is_used_up() {
        let faults = Faults::default();
        faults.add(
            Fault::new(FaultKind::DropAfter)
                .at(Channel::Wechat)
                .on("native")
                .times(2),
        );
        faults.add(Fault::new(FaultKind::BadSignature).on("notice"));
        assert_eq!(faults.plan(Channel::Alipay, "native"), Plan::default());
        assert_eq!(faults.plan(Channel::Wechat, "query"), Plan::default());
        let struck = faults.plan(Channel::Wechat, "native").outcome;
        assert_eq!(struck, Some(FaultKind::DropAfter));
        let struck = faults.plan(Channel::Alipay, "notice.payment").signature;
        assert_eq!(struck, Some(FaultKind::BadSignature));
        assert!(faults.plan(Channel::Wechat, "native").outcome.is_some());
        assert_eq!(faults.list(), []);
    }

    #[test]
    fn a_rule_without_operation_keeps_to_its_kind() {
        let faults = Faults::default();
        faults.add(Fault::new(FaultKind::RateLimit));
        faults.add(Fault::new(FaultKind::Duplicate { copies: 2 }));
        faults.add(Fault::new(FaultKind::Refund {
            outcome: RefundOutcome::Abnormal,
        }));
        assert_eq!(faults.plan(Channel::Wechat, "notice.refund").copies, 2);
        assert_eq!(
            faults.plan(Channel::Wechat, "query").outcome,
            Some(FaultKind::RateLimit)
        );
        let refund = faults.plan(Channel::Wechat, "refund").refund;
        assert_eq!(refund, Some(RefundOutcome::Abnormal));
    }

    #[test]
    fn a_fault_reads_from_json() {
        let json = r#"{"kind":"status","status":502,"channel":"alipay","operation":"refund"}"#;
        let fault: Fault = serde_json::from_str(json).unwrap();
        let status = FaultKind::Status {
            status: 502,
            effect: false,
        };
        assert_eq!(fault, Fault::new(status).at(Channel::Alipay).on("refund"));
    }
}
