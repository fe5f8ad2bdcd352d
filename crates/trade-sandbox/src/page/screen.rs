//! What a code shows to the one who scans it.

use serde::Serialize;

use crate::{
    ledger::{LedgerError, Order, RefundState},
    world::World,
};

/// The screens of the pay page.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Screen {
    /// It can be paid now.
    Unpaid,
    /// It was paid, whatever was refunded since.
    Paid,
    /// The deadline has passed.
    Expired,
    /// It was closed without payment.
    Closed,
    /// The code is too old, or a newer one has replaced it.
    CodeDead,
}

/// An order behind a code, and how it looks.
#[derive(Debug, Clone)]
pub(crate) struct Scanned {
    pub(crate) screen: Screen,
    pub(crate) order: Order,
    /// What the payer got back, in fen.
    pub(crate) refunded_fen: i64,
}

/// Scans a code: at Alipay this makes the trade exist. `None` when no such code was ever issued.
pub(crate) fn scan(world: &World, token: &str) -> Option<Scanned> {
    world.catch_up();
    let known = world.ledger.read(|book| book.order_by_code(token).cloned())?;
    let refusal = if known.code_token == token || !known.is_open() {
        world.scan(&known.key).err()
    } else {
        Some(LedgerError::CodeDead(known.key.out_trade_no.clone()))
    };
    let (order, refunded_fen) = world.ledger.read(|book| {
        let refunded_fen = book
            .refunds_of(&known.key)
            .filter(|refund| refund.state == RefundState::Success)
            .fold(0_i64, |sum, refund| sum.saturating_add(refund.amount_fen));
        Some((book.order(&known.key)?.clone(), refunded_fen))
    })?;
    Some(Scanned {
        screen: screen(&order, refusal.as_ref()),
        order,
        refunded_fen,
    })
}

fn screen(order: &Order, refusal: Option<&LedgerError>) -> Screen {
    match refusal {
        None => Screen::Unpaid,
        Some(LedgerError::AlreadyPaid(_)) => Screen::Paid,
        Some(LedgerError::Expired(_)) => Screen::Expired,
        // Closed by the clock: to the payer it has expired.
        Some(LedgerError::Closed(_))
            if order
                .closed_ms
                .is_some_and(|closed_ms| closed_ms >= order.payable_until_ms) =>
        {
            Screen::Expired
        }
        Some(LedgerError::CodeDead(_)) => Screen::CodeDead,
        Some(
            LedgerError::Closed(_)
            | LedgerError::OrderNotFound(_)
            | LedgerError::RefundNotFound(_)
            | LedgerError::RefundFinal(_)
            | LedgerError::NumberTaken(_),
        ) => Screen::Closed,
    }
}
