//! Refunds against the channels' refunds.

use trade_core::{RefundState, Role};

use super::{Faults, Promises, Rows, Truth};

/// Every refund at a channel is one of ours, once, over its amount; and never more than was paid.
pub(super) fn at_channel(rows: &Rows, truth: &Truth, faults: &mut Faults) {
    for (index, refund) in truth.refunds.iter().enumerate() {
        let same = |other: &super::TrueRefund| other.order == refund.order && other.number == refund.number;
        if truth.refunds[..index].iter().any(same) {
            faults.push(format!("refund {} exists twice at the channel", refund.number));
        }
        match rows.refund(refund.order, &refund.number) {
            None if refund.silent => {}
            None => faults.push(format!(
                "the channel refunds {}, and there is no row",
                refund.number
            )),
            Some(row) if row.amount.get() != refund.fen => {
                faults.push(format!(
                    "refund {} is over another amount at the channel",
                    refund.number
                ));
            }
            Some(_) => {}
        }
    }
    for order in &truth.orders {
        let back = truth.given_back(order.number, |_| true);
        if back > if order.paid { order.fen } else { 0 } {
            faults.push(format!(
                "{}: {back} fen go back, more than was paid",
                order.number
            ));
        }
    }
}

/// No outcome is invented, and what is open is looked at again, by the clock or by a person.
pub(super) fn outcomes(rows: &Rows, truth: &Truth, faults: &mut Faults) {
    for row in rows.refunds() {
        let number = row.refund_no;
        let there = truth.refund(row.trading_order_no, &row.out_refund_no);
        if row.state == RefundState::Success && !there.is_some_and(|refund| refund.done) {
            faults.push(format!("refund {number} succeeded, and nobody got money"));
        }
        if row.state == RefundState::Failed && there.is_some_and(|refund| refund.done) {
            faults.push(format!("refund {number} has failed, and the payer has the money"));
        }
        if !row.state.is_final() && row.next_check_at.is_none() && row.stuck.is_none() {
            faults.push(format!("refund {number} is {} and nobody looks", row.state));
        }
    }
}

/// The sums of a trading are those of its refunds and never more than was paid; a surplus is on its way
/// back or in front of a person.
pub(super) fn sums(rows: &Rows, faults: &mut Faults) {
    for row in rows.tradings() {
        let number = row.trading_order_no;
        let sum = |wanted: fn(RefundState) -> bool| -> i64 {
            let of_it = rows.refunds().filter(|refund| refund.trading_order_no == number);
            of_it
                .filter(|refund| wanted(refund.state))
                .map(|refund| refund.amount.get())
                .sum()
        };
        let by_refunds = (
            sum(|state| state != RefundState::Failed),
            sum(|state| state == RefundState::Success),
        );
        let by_row = (row.refund_reserved.get(), row.refunded.get());
        if by_row != by_refunds {
            faults.push(format!(
                "{number} has (reserved, refunded) = {by_row:?}, its refunds come to {by_refunds:?}"
            ));
        }
        if by_row.0 > row.amount.get() {
            faults.push(format!("{number}: more is reserved than was paid"));
        }
        let kept_back = row.role == Some(Role::Surplus) && by_row.0 < row.amount.get();
        let asks_a_person =
            |refund: &trade_core::Refund| refund.trading_order_no == number && refund.stuck.is_some();
        if kept_back && row.stuck.is_none() && !rows.refunds().any(asks_a_person) {
            faults.push(format!("{number} is a surplus that nobody gives back"));
        }
    }
}

/// What was told about a refund is in the store.
pub(super) fn kept(rows: &Rows, promises: &Promises, faults: &mut Faults) {
    let state_of = |number: &String| {
        let mut refunds = rows.refunds();
        refunds
            .find(|row| row.out_refund_no == *number)
            .map(|row| row.state)
    };
    for number in &promises.refunds {
        if state_of(number).is_none() {
            faults.push(format!("refund {number} was answered, and there is no row"));
        }
    }
    for number in &promises.refunded {
        if state_of(number) != Some(RefundState::Success) {
            faults.push(format!(
                "the success of refund {number} was acknowledged, and is not on record"
            ));
        }
    }
}
