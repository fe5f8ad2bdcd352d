//! The sandbox's ledger in the words of the oracle.

use trade_core::TradingOrderNo;
use trade_sandbox::ledger::{Order, OrderState, RefundState, Snapshot};
use trade_testkit::oracle::{TrueOrder, TrueRefund, Truth};

/// When the codes die that can still be paid.
pub(crate) fn codes_die_at(ledger: &Snapshot, now_ms: i64) -> Vec<i64> {
    let alive = ledger.orders.iter().filter(|order| is_payable(order, now_ms));
    alive.map(dies_at).collect()
}

fn dies_at(order: &Order) -> i64 {
    order.payable_until_ms.min(order.code_until_ms)
}

fn is_payable(order: &Order, now_ms: i64) -> bool {
    matches!(order.state, OrderState::Created | OrderState::Scanned) && now_ms < dies_at(order)
}

/// The channels' books in the oracle's words.
pub(crate) fn truth(ledger: &Snapshot, now_ms: i64) -> Truth {
    let number = |digits: &str| TradingOrderNo::from_digits(digits).expect("a number of ours");
    let orders = ledger.orders.iter().map(|order| TrueOrder {
        channel: match order.key.channel {
            trade_sandbox::Channel::Wechat => trade_core::Channel::WechatPay,
            trade_sandbox::Channel::Alipay => trade_core::Channel::AliPay,
        },
        number: number(&order.key.out_trade_no),
        fen: order.amount_fen,
        paid: order.payment.is_some(),
        payable: is_payable(order, now_ms),
    });
    let refunds = ledger.refunds.iter().map(|refund| TrueRefund {
        number: refund.key.number.clone(),
        order: number(&refund.order.out_trade_no),
        fen: refund.amount_fen,
        done: refund.state == RefundState::Success,
        dead: refund.state == RefundState::Closed,
        by_hand: false,
        silent: false,
    });
    Truth {
        orders: orders.collect(),
        refunds: refunds.collect(),
    }
}
