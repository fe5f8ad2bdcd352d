//! What holds once nothing is under way any more.

use trade_core::{RefundOrigin, RefundState, Role, TradingState};

use super::{Faults, Rows, Truth};

/// Every trading tells the truth, can no longer change, and asks for nothing.
pub(super) fn tradings(rows: &Rows, truth: &Truth, faults: &mut Faults) {
    for row in rows.tradings() {
        let number = row.trading_order_no;
        let order = truth.order(row);
        let paid = order.is_some_and(|order| order.paid);
        if paid && row.state != TradingState::Settled {
            faults.push(format!("{number} is paid at the channel and {} here", row.state));
        }
        if order.is_some_and(|order| order.payable) {
            faults.push(format!("{number} is {} and can still be paid", row.state));
        }
        if row.state.is_live() {
            faults.push(format!("{number} is still {}", row.state));
        }
        // Somebody has to look at what was refunded behind our back.
        let explained = truth.was_refunded_by_hand(number);
        if row.next_check_at.is_some() && !explained {
            faults.push(format!("{number} is {} and still looked at", row.state));
        }
        if let Some(why) = &row.stuck
            && !explained
        {
            faults.push(format!("{number} is stuck: {why}"));
        }
    }
}

/// Every refund tells the truth and asks for nothing.
pub(super) fn refunds(rows: &Rows, truth: &Truth, faults: &mut Faults) {
    for row in rows.refunds() {
        let number = row.refund_no;
        let there = truth.refund(row.trading_order_no, &row.out_refund_no);
        if there.is_some_and(|refund| refund.done) != (row.state == RefundState::Success) {
            faults.push(format!(
                "refund {number} is {} here, at the channel {there:?}",
                row.state
            ));
        }
        if !row.state.is_final() || row.next_check_at.is_some() {
            faults.push(format!("refund {number} is still {}", row.state));
        }
        if let Some(why) = &row.stuck
            && !truth.was_refunded_by_hand(row.trading_order_no)
        {
            faults.push(format!("refund {number} is stuck: {why}"));
        }
    }
}

/// What payers are short of is what one payment of each order costs, less what was asked back.
pub(super) fn payers_are_whole(rows: &Rows, truth: &Truth, faults: &mut Faults) {
    for (order, tradings) in rows.by_order() {
        let (mut short, mut owed) = (0, 0);
        for row in &tradings {
            let number = row.trading_order_no;
            if truth.order(row).is_some_and(|there| there.paid) {
                short += row.amount.get() - truth.given_back(number, |refund| refund.done && !refund.silent);
            }
            if row.role == Some(Role::Winner) {
                let asked_back: i64 = rows
                    .refunds()
                    .filter(|refund| refund.trading_order_no == number)
                    .filter(|refund| refund.state == RefundState::Success)
                    .filter(|refund| refund.origin != RefundOrigin::Surplus)
                    .filter(|refund| {
                        truth
                            .refund(number, &refund.out_refund_no)
                            .is_some_and(|there| !there.silent)
                    })
                    .map(|refund| refund.amount.get())
                    .sum();
                owed += row.amount.get() - asked_back;
            }
        }
        let by_hand = |row: &&&trade_core::Trading| truth.was_refunded_by_hand(row.trading_order_no);
        let explained = tradings.iter().filter(by_hand).any(|row| {
            let of_it = |refund: &&trade_core::Refund| refund.trading_order_no == row.trading_order_no;
            let untold = truth.given_back(row.trading_order_no, |refund| refund.silent) > 0;
            untold || rows.refunds().filter(of_it).any(|refund| refund.stuck.is_some())
        });
        if short != owed && !explained {
            faults.push(format!(
                "order {order:?}: its payers are short of {short} fen instead of {owed}"
            ));
        }
    }
}
