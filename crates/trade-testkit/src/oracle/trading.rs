//! Tradings against the channels' orders.

use trade_core::{Role, TradingState};

use super::{Faults, Promises, Rows, Truth};

/// No order at a channel without its row, none twice, none over another amount.
pub(super) fn orders(rows: &Rows, truth: &Truth, faults: &mut Faults) {
    for (index, order) in truth.orders.iter().enumerate() {
        if truth.orders[..index]
            .iter()
            .any(|other| other.number == order.number)
        {
            faults.push(format!("{} exists twice at the channels", order.number));
        }
        match rows.trading(order.number) {
            None => faults.push(format!("the channel has {}, and there is no row", order.number)),
            Some(row) if row.channel != order.channel || row.amount.get() != order.fen => {
                faults.push(format!(
                    "{} is another at the channel than in the row",
                    order.number
                ));
            }
            Some(_) => {}
        }
    }
}

/// No outcome is invented, and what is open is looked at again, by the clock or by a person.
pub(super) fn outcomes(rows: &Rows, truth: &Truth, faults: &mut Faults) {
    for row in rows.tradings() {
        let number = row.trading_order_no;
        let paid = truth.order(row).is_some_and(|order| order.paid);
        if row.state == TradingState::Settled && !paid {
            faults.push(format!("{number} is settled, and nobody paid"));
        }
        if row.state == TradingState::Failed && paid {
            faults.push(format!("{number} has failed, and it is paid"));
        }
        if (row.state == TradingState::Settled) != row.role.is_some() {
            faults.push(format!("{number} has a role if and only if it is settled"));
        }
        if row.state.is_live() && row.next_check_at.is_none() && row.stuck.is_none() {
            faults.push(format!("{number} is {} and nobody looks", row.state));
        }
    }
}

/// An order has at most one live trading and at most one winner, and no surplus without a reason.
pub(super) fn slots(rows: &Rows, faults: &mut Faults) {
    for (order, tradings) in rows.by_order() {
        let live = tradings.iter().filter(|row| row.state.is_live()).count();
        let winners = tradings
            .iter()
            .filter(|row| row.role == Some(Role::Winner))
            .count();
        if live > 1 {
            faults.push(format!("order {order:?} has {live} live tradings"));
        }
        if winners > 1 {
            faults.push(format!("order {order:?} has {winners} winners"));
        }
        let surplus = tradings.iter().any(|row| row.role == Some(Role::Surplus));
        let withdrawn = tradings.iter().any(|row| row.withdrawn);
        if surplus && winners == 0 && !withdrawn {
            faults.push(format!("order {order:?} has a surplus and no winner"));
        }
    }
}

/// What was told about a trading is in the store.
pub(super) fn kept(rows: &Rows, promises: &Promises, faults: &mut Faults) {
    for number in &promises.tradings {
        if rows.trading(*number).is_none() {
            faults.push(format!("{number} was answered, and there is no row"));
        }
    }
    for number in &promises.settled {
        let settled = |row: &trade_core::Trading| row.state == TradingState::Settled;
        if !rows.trading(*number).is_some_and(settled) {
            faults.push(format!(
                "the payment of {number} was acknowledged, and it is not settled"
            ));
        }
    }
}
