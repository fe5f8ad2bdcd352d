//! The state machine of a refund: one pure function, every state against every fact.

use super::{RefundState, RefundStep};

/// Something learned about a refund.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum RefundFact {
    /// We are about to ask the channel again, or asked and do not know what it did.
    Asked,
    /// The channel accepted it.
    Accepted,
    /// The money went back.
    Succeeded,
    /// The channel refused to make it.
    Refused,
    /// The channel refused to make it after saying that it has none: no earlier attempt took effect.
    Denied,
    /// The channel has it and says that it will not happen.
    Closed,
    /// The merchant's balance is short.
    Unfunded,
    /// The payer's account cannot take it.
    Abnormal,
    /// The channel knows no such refund.
    Absent,
}

impl RefundFact {
    /// Every fact.
    pub const ALL: [Self; 9] = [
        Self::Asked,
        Self::Accepted,
        Self::Succeeded,
        Self::Refused,
        Self::Denied,
        Self::Closed,
        Self::Unfunded,
        Self::Abnormal,
        Self::Absent,
    ];
}

/// The state that `fact` makes of `state`; `None` when it stays.
///
/// A refusal to make a refund ends it only when no earlier attempt can have taken effect: when the
/// channel was never asked before, has said that the balance was short, or has said that it has none.
#[must_use]
pub const fn apply_refund(state: RefundState, fact: RefundFact) -> Option<RefundState> {
    match state {
        RefundState::Applied => apply_applied(fact),
        RefundState::Sending(step) => apply_sending(step, fact),
        RefundState::Success => None,
        RefundState::Failed => match fact {
            // The channel says the money went back after all: the truth wins over our record.
            RefundFact::Succeeded => Some(RefundState::Success),
            RefundFact::Asked
            | RefundFact::Accepted
            | RefundFact::Refused
            | RefundFact::Denied
            | RefundFact::Closed
            | RefundFact::Unfunded
            | RefundFact::Abnormal
            | RefundFact::Absent => None,
        },
    }
}

const fn apply_applied(fact: RefundFact) -> Option<RefundState> {
    match fact {
        RefundFact::Asked => Some(RefundState::Sending(RefundStep::Unknown)),
        RefundFact::Absent => None,
        RefundFact::Refused | RefundFact::Denied => Some(RefundState::Failed),
        RefundFact::Accepted
        | RefundFact::Succeeded
        | RefundFact::Closed
        | RefundFact::Unfunded
        | RefundFact::Abnormal => apply_sending(RefundStep::Unknown, fact),
    }
}

const fn apply_sending(step: RefundStep, fact: RefundFact) -> Option<RefundState> {
    match (fact, step) {
        (RefundFact::Succeeded, _) => Some(RefundState::Success),
        (RefundFact::Closed, _)
        | (RefundFact::Refused, RefundStep::Unfunded)
        | (RefundFact::Denied, RefundStep::Unknown | RefundStep::Unfunded) => Some(RefundState::Failed),
        (RefundFact::Accepted, RefundStep::Unknown | RefundStep::Unfunded | RefundStep::Abnormal) => {
            Some(RefundState::Sending(RefundStep::Accepted))
        }
        (RefundFact::Unfunded, RefundStep::Unknown) => Some(RefundState::Sending(RefundStep::Unfunded)),
        (RefundFact::Abnormal, RefundStep::Unknown | RefundStep::Accepted | RefundStep::Unfunded) => {
            Some(RefundState::Sending(RefundStep::Abnormal))
        }
        (RefundFact::Asked, RefundStep::Unfunded) => Some(RefundState::Sending(RefundStep::Unknown)),
        (RefundFact::Asked, RefundStep::Unknown | RefundStep::Accepted | RefundStep::Abnormal)
        | (RefundFact::Accepted, RefundStep::Accepted)
        | (RefundFact::Unfunded, RefundStep::Accepted | RefundStep::Unfunded | RefundStep::Abnormal)
        | (RefundFact::Abnormal, RefundStep::Abnormal)
        | (RefundFact::Refused, RefundStep::Unknown | RefundStep::Accepted | RefundStep::Abnormal)
        | (RefundFact::Denied, RefundStep::Accepted | RefundStep::Abnormal)
        | (RefundFact::Absent, _) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One column a fact, in the order of `RefundFact::ALL`; one row a state, in the order of
    /// `RefundState::ALL`. `.` stays; U unknown, A accepted, N unfunded, B abnormal, S success, F failed.
    const TABLE: [&str; 7] = [
        // asked accepted succeeded refused denied closed unfunded abnormal absent
        "U A S F F F N B .", // applied
        ". A S . F F N B .", // sending.unknown
        ". . S . . F . B .", // sending.accepted
        "U A S F F F . B .", // sending.unfunded
        ". A S . . F . . .", // sending.abnormal
        ". . . . . . . . .", // success
        ". . S . . . . . .", // failed
    ];

    fn letter(next: Option<RefundState>) -> &'static str {
        match next {
            None => ".",
            Some(RefundState::Sending(RefundStep::Unknown)) => "U",
            Some(RefundState::Sending(RefundStep::Accepted)) => "A",
            Some(RefundState::Sending(RefundStep::Unfunded)) => "N",
            Some(RefundState::Sending(RefundStep::Abnormal)) => "B",
            Some(RefundState::Success) => "S",
            Some(RefundState::Failed) => "F",
            Some(RefundState::Applied) => panic!("nothing moves to applied"),
        }
    }

    #[test]
    fn every_state_against_every_fact() {
        for (state, row) in RefundState::ALL.into_iter().zip(TABLE) {
            let got: Vec<_> = RefundFact::ALL
                .into_iter()
                .map(|fact| letter(apply_refund(state, fact)))
                .collect();
            assert_eq!(got.join(" "), row, "{state}");
        }
    }

    #[test]
    fn nothing_leaves_success() {
        for fact in RefundFact::ALL {
            assert_eq!(apply_refund(RefundState::Success, fact), None, "{fact:?}");
        }
    }
}
