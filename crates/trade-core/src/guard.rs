//! The guards that money rests on, by name.
//!
//! Each is a line of this crate that must not be removed. To prove that, the simulation of
//! `trade-testkit` switches them off one at a time and must notice; for that alone the crate has the
//! feature `mutants`. Without it, as in every program that is shipped, they cannot be switched off.

/// A line that money rests on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Guard {
    /// A transition is refused when its row has moved on.
    CompareAndSet,
    /// An order has at most one live trading.
    LiveSlot,
    /// An order has at most one winner.
    WinnerSlot,
    /// Refunds never reserve more than was paid.
    RefundReserve,
    /// A caller's refund number makes one refund.
    RefundNumber,
    /// A verified notice is on record before it is acknowledged.
    Inbox,
    /// A notice is acknowledged only after its effect is committed.
    AcknowledgeAfterCommit,
    /// Paid wins: the channel is asked whether a trading is paid before it is given up.
    QueryAroundClose,
    /// A closed trading is watched until its code is dead.
    TombstoneWatch,
    /// A payment settles only what matches its amount.
    AmountCheck,
    /// Nothing leaves paid.
    PaidIsMonotone,
    /// An unknown outcome is not a failure.
    UnknownIsNotFailed,
    /// A surplus is refunded by itself.
    SurplusRefund,
    /// Accepted is not refunded.
    AcceptedIsNotRefunded,
    /// A notice acts only on its own merchant's tradings.
    MerchantCheck,
    /// A refund made in the merchant console counts.
    ConsoleRefund,
    /// A live trading of a paid order is closed.
    CloseLosers,
}

impl Guard {
    /// Every guard.
    pub const ALL: [Self; 17] = [
        Self::CompareAndSet,
        Self::LiveSlot,
        Self::WinnerSlot,
        Self::RefundReserve,
        Self::RefundNumber,
        Self::Inbox,
        Self::AcknowledgeAfterCommit,
        Self::QueryAroundClose,
        Self::TombstoneWatch,
        Self::AmountCheck,
        Self::PaidIsMonotone,
        Self::UnknownIsNotFailed,
        Self::SurplusRefund,
        Self::AcceptedIsNotRefunded,
        Self::MerchantCheck,
        Self::ConsoleRefund,
        Self::CloseLosers,
    ];
}

/// Whether a guard holds. Always, in every program that is shipped.
#[cfg(not(feature = "mutants"))]
pub(crate) const fn on(_guard: Guard) -> bool {
    true
}

#[cfg(feature = "mutants")]
pub(crate) use switched::on;
#[cfg(feature = "mutants")]
pub use switched::switch_off;

/// The switch, one a thread, so that simulations side by side do not disturb each other.
#[cfg(feature = "mutants")]
mod switched {
    use std::cell::Cell;

    use super::Guard;

    thread_local! {
        static OFF: Cell<Option<Guard>> = const { Cell::new(None) };
    }

    /// Switches one guard off in this thread, or with `None` all on again.
    pub fn switch_off(guard: Option<Guard>) {
        OFF.set(guard);
    }

    pub(crate) fn on(guard: Guard) -> bool {
        OFF.get() != Some(guard)
    }
}
