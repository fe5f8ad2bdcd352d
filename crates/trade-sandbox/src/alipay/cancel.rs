//! `alipay.trade.cancel` (撤销): closes what is unpaid, refunds what is paid, and shrugs at what is unknown.

use super::{
    answer::{Fields, Refusal},
    content::{Content, Field, Kind, optional},
    notice,
    refund::{self, Wish},
    trade::{self, INVALID, Number, Status},
};
use crate::{
    beijing,
    ledger::{Book, Order, Refund, RefundOutcome},
    world::World,
};

const FIELDS: &[Field] = &[
    optional("out_trade_no", Kind::Text(64)),
    optional("trade_no", Kind::Text(64)),
    optional("operator_id", Kind::Text(28)),
];

/// What a cancel did.
#[derive(Debug)]
struct Done {
    order: Order,
    action: &'static str,
    refund: Option<Refund>,
}

/// Cancels. An order whose code nobody has scanned is unknown here: its code stays payable.
pub(super) fn cancel(
    world: &World,
    content: &Content,
    outcome: Option<RefundOutcome>,
) -> Result<Fields, Refusal> {
    content.check(FIELDS, INVALID)?;
    let number = Number::of(content)?;
    let Some(done) = world.ledger.write(|book| act(book, world, number, outcome))? else {
        return Ok(Fields::new()
            .maybe("out_trade_no", number.out_trade_no())
            .text("retry_flag", "N"));
    };
    if let Some(refund) = &done.refund {
        notice::refunded(world, refund);
    }
    let refunded_ms = done.refund.as_ref().and_then(|refund| refund.success_ms);
    Ok(trade::numbers(&done.order)
        .text("retry_flag", "N")
        .text("action", done.action)
        .maybe("gmt_refund_pay", refunded_ms.map(beijing::wall)))
}

fn act(
    book: &mut Book,
    world: &World,
    number: Number<'_>,
    outcome: Option<RefundOutcome>,
) -> Result<Option<Done>, Refusal> {
    let now_ms = world.clock.now_ms();
    let Some((order, status)) = number.find(book, world, now_ms) else {
        return match number {
            Number::Order(_) => Ok(None),
            Number::Trade(_) => Err(number.not_exist("ACQ.TRADE_NOT_EXIST")),
        };
    };
    let done = |order, action, refund| {
        Ok(Some(Done {
            order,
            action,
            refund,
        }))
    };
    match status {
        Status::Wait => {
            let closed = book.close(&order.key, now_ms).cloned();
            done(closed.map_err(|_gone| Refusal::system_error())?, "close", None)
        }
        Status::Success => {
            let refund = pay_back(book, world, &order, outcome)?;
            done(order, "refund", refund)
        }
        // Cancelled before, or closed otherwise: a repetition changes nothing.
        Status::Closed if order.is_paid() => done(order, "refund", None),
        Status::Closed => done(order, "close", None),
        Status::Finished => Err(Refusal::new("ACQ.TRADE_HAS_FINISHED", "交易已完结，不可撤销")),
    }
}

/// Refunds what is left. The refund takes the number of the order, unless a refund has it already.
fn pay_back(
    book: &mut Book,
    world: &World,
    order: &Order,
    outcome: Option<RefundOutcome>,
) -> Result<Option<Refund>, Refusal> {
    let mut key = refund::key(&order.key, &order.key.out_trade_no);
    if book.refund(&key).is_some() {
        key.number = format!("{}_cancel", order.key.out_trade_no);
    }
    let left_fen = order.amount_fen.saturating_sub(book.reserved_fen(&order.key));
    let wish = Wish {
        amount_fen: left_fen,
        reason: Some("撤销"),
        outcome: outcome.unwrap_or(RefundOutcome::Success),
    };
    refund::pay_back(book, world, order, key, &wish)
        .map_err(|refusal| refusal.with(trade::numbers(order).text("retry_flag", "Y")))
}
