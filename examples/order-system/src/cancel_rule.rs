//! Who may cancel what, and when: one pure function over the platform's matrix.

use std::time::Duration;

use trade_core::Timestamp;

use crate::status::{Actor, Event, OrderStatus};

/// A customer gives a worker at least so much notice.
pub const NOTICE: Duration = Duration::from_secs(120 * 60);
/// So long after its end the platform may still close a finished order.
pub const CLAIM_PERIOD: Duration = Duration::from_secs(15 * 24 * 3600);

/// Why an order cannot be cancelled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CancelRefusal {
    /// It is cancelled or closed already.
    Already,
    /// The service begins too soon: [`NOTICE`].
    TooShortNotice,
    /// It ended too long ago: [`CLAIM_PERIOD`].
    TooLongAgo,
    /// Not by this actor in this status.
    NotAllowed,
}

/// What the rule looks at.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Where the order stands.
    pub status: OrderStatus,
    /// When the service is to begin.
    pub starts_at: Timestamp,
    /// When it ended, if it has.
    pub ended_at: Option<Timestamp>,
    /// The time.
    pub now: Timestamp,
}

/// The event by which `who` may end the order. A worker never ends an order: giving it back is
/// [`Event::ServeProviderCancel`].
///
/// # Errors
/// Why not.
pub fn decide(who: Actor, facts: Facts) -> Result<Event, CancelRefusal> {
    use OrderStatus::{Canceled, Closed, Dispatching, Finished, NoEvaluation, NoPay, NoServe, Serving};
    match (facts.status, who) {
        (Canceled | Closed, _) => Err(CancelRefusal::Already),
        (_, Actor::Worker) => Err(CancelRefusal::NotAllowed),
        (NoPay, _) => Ok(Event::Cancel),
        (Dispatching, _) => Ok(Event::CloseDispatchingOrder),
        (NoServe, Actor::Operator) => Ok(Event::CloseNoServeOrder),
        (NoServe, Actor::Customer) if facts.starts_at >= facts.now.plus(NOTICE) => {
            Ok(Event::CloseNoServeOrder)
        }
        (NoServe, Actor::Customer) => Err(CancelRefusal::TooShortNotice),
        (Serving, Actor::Operator) => Ok(Event::CloseServingOrder),
        (NoEvaluation, Actor::Operator) => within_claim(facts, Event::CloseUnevaluatedOrder),
        (Finished, Actor::Operator) => within_claim(facts, Event::CloseFinishedOrder),
        (NoServe | Serving | NoEvaluation | Finished, Actor::System)
        | (Serving | NoEvaluation | Finished, Actor::Customer) => Err(CancelRefusal::NotAllowed),
    }
}

/// An end that nobody wrote down is no end within the period.
fn within_claim(facts: Facts, event: Event) -> Result<Event, CancelRefusal> {
    match facts.ended_at {
        Some(ended_at) if facts.now < ended_at.plus(CLAIM_PERIOD) => Ok(event),
        Some(_) | None => Err(CancelRefusal::TooLongAgo),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp::from_ms(1_800_000_000_000);

    fn facts(status: OrderStatus) -> Facts {
        Facts {
            status,
            starts_at: NOW.plus(NOTICE),
            ended_at: Some(NOW),
            now: NOW,
        }
    }

    #[test]
    fn the_matrix_of_the_platform() {
        use CancelRefusal::{Already, NotAllowed};
        use Event::{
            Cancel, CloseDispatchingOrder, CloseFinishedOrder, CloseNoServeOrder, CloseServingOrder,
            CloseUnevaluatedOrder,
        };
        let no = Err(NotAllowed);
        let table = [
            (
                Actor::System,
                [Ok(Cancel), Ok(CloseDispatchingOrder), no, no, no, no],
            ),
            (
                Actor::Customer,
                [
                    Ok(Cancel),
                    Ok(CloseDispatchingOrder),
                    Ok(CloseNoServeOrder),
                    no,
                    no,
                    no,
                ],
            ),
            (Actor::Worker, [no; 6]),
            (
                Actor::Operator,
                [
                    Ok(Cancel),
                    Ok(CloseDispatchingOrder),
                    Ok(CloseNoServeOrder),
                    Ok(CloseServingOrder),
                    Ok(CloseUnevaluatedOrder),
                    Ok(CloseFinishedOrder),
                ],
            ),
        ];
        for (who, row) in table {
            for (status, expected) in OrderStatus::ALL.into_iter().zip(row) {
                assert_eq!(decide(who, facts(status)), expected, "{who:?} {status:?}");
                if let Ok(event) = expected {
                    assert_eq!(event.step().0, status, "the event leads from there");
                }
            }
            for status in [OrderStatus::Canceled, OrderStatus::Closed] {
                assert_eq!(decide(who, facts(status)), Err(Already), "{who:?} {status:?}");
            }
        }
    }

    #[test]
    fn a_customer_gives_two_hours_notice() {
        let a_moment_late = Facts {
            starts_at: NOW.plus(NOTICE).minus(Duration::from_millis(1)),
            ..facts(OrderStatus::NoServe)
        };
        let refused = decide(Actor::Customer, a_moment_late);
        assert_eq!(refused, Err(CancelRefusal::TooShortNotice));
        assert!(decide(Actor::Operator, a_moment_late).is_ok());
    }

    #[test]
    fn the_platform_closes_a_finished_order_within_fifteen_days() {
        for status in [OrderStatus::Finished, OrderStatus::NoEvaluation] {
            let ended = |ended_at| Facts {
                ended_at,
                ..facts(status)
            };
            let just = NOW.minus(CLAIM_PERIOD).plus(Duration::from_millis(1));
            assert!(decide(Actor::Operator, ended(Some(just))).is_ok());
            let over = ended(Some(NOW.minus(CLAIM_PERIOD)));
            assert_eq!(decide(Actor::Operator, over), Err(CancelRefusal::TooLongAgo));
            assert_eq!(
                decide(Actor::Operator, ended(None)),
                Err(CancelRefusal::TooLongAgo)
            );
        }
    }
}
