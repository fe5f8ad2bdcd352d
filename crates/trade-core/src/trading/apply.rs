//! The state machine of a trading: one pure function, every state against every fact.

use super::{Step, TradingState};
use crate::guard::{self, Guard};

/// Something learned or decided about a trading.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Fact {
    /// We are about to ask the channel again, or asked and do not know what it did.
    Asked,
    /// The channel gave a QR code.
    Accepted,
    /// The channel refused to place it.
    Refused,
    /// The channel says it is unpaid, or not scanned yet.
    Waiting,
    /// The channel knows no such order.
    Absent,
    /// The channel says it is paid, and number, merchant, amount and currency match.
    Paid,
    /// The channel says it is closed unpaid.
    Closed,
    /// The channel says the payment failed for good.
    PayFailed,
    /// We decided to close it.
    CloseWanted,
    /// Nothing is left to close at the channel; its code is watched until it is dead.
    GivenUp,
}

/// What a fact makes of a state.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It moves there.
    Move(TradingState),
    /// It stays: the fact says nothing new, or comes too late to matter.
    Stay,
    /// It must not be: the decision is refused.
    Refuse(Refusal),
}

/// Why a decision is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Refusal {
    /// It is paid, waived or on account.
    Completed,
    /// It has failed: there is nothing to close.
    NotPending,
}

impl Fact {
    /// Every fact.
    pub const ALL: [Self; 10] = [
        Self::Asked,
        Self::Accepted,
        Self::Refused,
        Self::Waiting,
        Self::Absent,
        Self::Paid,
        Self::Closed,
        Self::PayFailed,
        Self::CloseWanted,
        Self::GivenUp,
    ];
}

/// What `fact` makes of a trading in `state`.
///
/// Three rules shape the table. Paid is monotone: it is accepted in every state and nothing leaves
/// it. A refusal to place is final only when the channel was never asked before, since an earlier
/// attempt may have taken effect. What is closed may still turn out to be paid.
#[must_use]
pub fn apply(state: TradingState, fact: Fact) -> Outcome {
    match state {
        TradingState::Paying(step) => apply_paying(step, fact),
        TradingState::Failed => match fact {
            Fact::Paid => Outcome::Move(TradingState::Settled),
            Fact::CloseWanted => Outcome::Refuse(Refusal::NotPending),
            Fact::Asked
            | Fact::Accepted
            | Fact::Refused
            | Fact::Waiting
            | Fact::Absent
            | Fact::Closed
            | Fact::PayFailed
            | Fact::GivenUp => Outcome::Stay,
        },
        TradingState::Cancelled => match fact {
            Fact::Paid => Outcome::Move(TradingState::Settled),
            Fact::Asked
            | Fact::Accepted
            | Fact::Refused
            | Fact::Waiting
            | Fact::Absent
            | Fact::Closed
            | Fact::PayFailed
            | Fact::CloseWanted
            | Fact::GivenUp => Outcome::Stay,
        },
        TradingState::Free | TradingState::OnAccount => match fact {
            // The channel holds money for it: that is a payment, whatever was noted before.
            Fact::Paid => Outcome::Move(TradingState::Settled),
            Fact::CloseWanted => Outcome::Refuse(Refusal::Completed),
            Fact::Asked
            | Fact::Accepted
            | Fact::Refused
            | Fact::Waiting
            | Fact::Absent
            | Fact::Closed
            | Fact::PayFailed
            | Fact::GivenUp => Outcome::Stay,
        },
        TradingState::Settled => match fact {
            Fact::Closed if !guard::on(Guard::PaidIsMonotone) => Outcome::Move(TradingState::Cancelled),
            Fact::CloseWanted => Outcome::Refuse(Refusal::Completed),
            Fact::Asked
            | Fact::Accepted
            | Fact::Refused
            | Fact::Waiting
            | Fact::Absent
            | Fact::Paid
            | Fact::Closed
            | Fact::PayFailed
            | Fact::GivenUp => Outcome::Stay,
        },
    }
}

const fn apply_paying(step: Step, fact: Fact) -> Outcome {
    match (fact, step) {
        (Fact::Paid, _) => Outcome::Move(TradingState::Settled),
        (Fact::Closed, _) => Outcome::Move(TradingState::Cancelled),
        (Fact::PayFailed, _) | (Fact::Refused, Step::Intended) => Outcome::Move(TradingState::Failed),
        (Fact::Accepted, Step::Intended | Step::Unknown) => Outcome::Move(TradingState::Paying(Step::Placed)),
        // It exists there although nobody told us: we were cut off before the answer.
        (Fact::Asked | Fact::Waiting, Step::Intended) => Outcome::Move(TradingState::Paying(Step::Unknown)),
        (Fact::CloseWanted, Step::Intended | Step::Unknown | Step::Placed) => {
            Outcome::Move(TradingState::Paying(Step::Closing))
        }
        (Fact::GivenUp | Fact::Absent, Step::Closing) => Outcome::Move(TradingState::Cancelled),
        (Fact::Asked | Fact::Waiting, Step::Unknown | Step::Placed | Step::Closing)
        | (Fact::Accepted, Step::Placed | Step::Closing)
        | (Fact::Refused, Step::Unknown | Step::Placed | Step::Closing)
        | (Fact::Absent, Step::Intended | Step::Unknown | Step::Placed)
        | (Fact::CloseWanted, Step::Closing)
        | (Fact::GivenUp, Step::Intended | Step::Unknown | Step::Placed) => Outcome::Stay,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One column a fact, in the order of `Fact::ALL`; one row a state, in the order of
    /// `TradingState::ALL`. `.` stays, `!` refuses, a letter moves:
    /// U unknown, P placed, C closing, F failed, S settled, X cancelled.
    const TABLE: [&str; 9] = [
        // asked accepted refused waiting absent paid closed payfailed closewanted givenup
        "U P F U . S X F C .", // paying.intended
        ". P . . . S X F C .", // paying.unknown
        ". . . . . S X F C .", // paying.placed
        ". . . . X S X F . X", // paying.closing
        ". . . . . S . . ! .", // failed
        ". . . . . . . . ! .", // settled
        ". . . . . S . . . .", // cancelled
        ". . . . . S . . ! .", // free
        ". . . . . S . . ! .", // on_account
    ];

    fn letter(outcome: Outcome) -> &'static str {
        match outcome {
            Outcome::Stay => ".",
            Outcome::Refuse(_) => "!",
            Outcome::Move(TradingState::Paying(Step::Unknown)) => "U",
            Outcome::Move(TradingState::Paying(Step::Placed)) => "P",
            Outcome::Move(TradingState::Paying(Step::Closing)) => "C",
            Outcome::Move(TradingState::Failed) => "F",
            Outcome::Move(TradingState::Settled) => "S",
            Outcome::Move(TradingState::Cancelled) => "X",
            Outcome::Move(other) => panic!("nothing moves to {other}"),
        }
    }

    #[test]
    fn every_state_against_every_fact() {
        for (state, row) in TradingState::ALL.into_iter().zip(TABLE) {
            let got: Vec<_> = Fact::ALL
                .into_iter()
                .map(|fact| letter(apply(state, fact)))
                .collect();
            assert_eq!(got.join(" "), row, "{state}");
        }
    }

    #[test]
    fn nothing_leaves_settled_and_paid_reaches_it_from_everywhere() {
        for fact in Fact::ALL {
            assert!(
                !matches!(apply(TradingState::Settled, fact), Outcome::Move(_)),
                "{fact:?}"
            );
        }
        for state in TradingState::ALL
            .into_iter()
            .filter(|state| *state != TradingState::Settled)
        {
            assert_eq!(
                apply(state, Fact::Paid),
                Outcome::Move(TradingState::Settled),
                "{state}"
            );
        }
    }

    #[test]
    fn a_fact_learned_twice_moves_at_most_once() {
        for state in TradingState::ALL {
            for fact in Fact::ALL {
                if let Outcome::Move(next) = apply(state, fact) {
                    assert!(!matches!(apply(next, fact), Outcome::Move(_)), "{state} {fact:?}");
                }
            }
        }
    }
}
