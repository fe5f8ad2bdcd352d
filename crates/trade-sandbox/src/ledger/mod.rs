//! Who ordered, paid and got back what: the same book for both channels, and the truth in tests.
//!
//! The book knows states, amounts and times. What a channel allows is the channel's business: it looks and
//! writes in one go, inside [`Ledger::write`], so that its rules hold under concurrency.

mod book;
mod order;
mod refund;
mod refunds;
mod snapshot;

use std::sync::{Mutex, PoisonError};

pub use self::{
    book::{Book, Due},
    order::{NewOrder, Order, OrderKey, OrderState, Payment},
    refund::{NewRefund, Refund, RefundKey, RefundOutcome, RefundState},
    snapshot::{Entry, EntryKind, Snapshot},
};

/// The book behind a lock.
#[derive(Debug, Default)]
pub struct Ledger {
    book: Mutex<Book>,
}

impl Ledger {
    /// An empty ledger.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Looks at the book.
    pub fn read<T>(&self, look: impl FnOnce(&Book) -> T) -> T {
        look(&self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Looks at and changes the book; nobody else does meanwhile.
    pub fn write<T>(&self, act: impl FnOnce(&mut Book) -> T) -> T {
        act(&mut self.book.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Why the book refuses an act.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// There is no such order.
    #[error("there is no order {0}: was it created at this sandbox?")]
    OrderNotFound(String),
    /// The order is paid already.
    #[error("order {0} is paid already")]
    AlreadyPaid(String),
    /// The order is closed.
    #[error("order {0} is closed")]
    Closed(String),
    /// The deadline for paying the order has passed.
    #[error("order {0} can no longer be paid: its deadline has passed")]
    Expired(String),
    /// The code is too old, or a newer one has replaced it.
    #[error("the code of order {0} no longer works: it is too old, or a newer one replaced it")]
    CodeDead(String),
    /// There is no such refund.
    #[error("there is no refund {0}")]
    RefundNotFound(String),
    /// The refund is final.
    #[error("refund {0} is final already")]
    RefundFinal(String),
    /// The order or refund number is taken.
    #[error("the number {0} is taken")]
    NumberTaken(String),
}
