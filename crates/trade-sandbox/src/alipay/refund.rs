//! `alipay.trade.refund`: at once, and once for each `out_request_no`.

use std::collections::BTreeMap;

use super::{
    answer::{Fields, Refusal},
    content::{Content, Field, Kind, optional, required},
    notice,
    trade::{self, INVALID, Number, Status},
};
use crate::{
    Channel, beijing,
    ledger::{Book, LedgerError, NewRefund, Order, OrderKey, Refund, RefundKey, RefundOutcome, RefundState},
    world::World,
};

const FIELDS: &[Field] = &[
    required("refund_amount", Kind::Amount(16)),
    optional("out_trade_no", Kind::Text(64)),
    optional("trade_no", Kind::Text(64)),
    optional("out_request_no", Kind::Text(64)),
    optional("refund_reason", Kind::Text(256)),
    optional("refund_currency", Kind::Choice(&["CNY"])),
    optional("operator_id", Kind::Text(30)),
    optional("store_id", Kind::Text(32)),
    optional("terminal_id", Kind::Text(32)),
    optional("goods_detail", Kind::List),
    optional("refund_goods_detail", Kind::List),
    optional("refund_royalty_parameters", Kind::List),
    optional("related_settle_confirm_no", Kind::Text(64)),
    optional("org_pid", Kind::Text(16)),
    optional(
        "query_options",
        Kind::Options(&[
            "refund_detail_item_list",
            "deposit_back_info",
            "refund_voucher_detail_list",
        ]),
    ),
];

/// What came of a request.
#[derive(Debug)]
struct Done {
    order: Order,
    /// The refund that moved money just now.
    moved: Option<Refund>,
    refunded_fen: i64,
}

/// Refunds. 10000 alone does not say that money moved: `fund_change` does.
pub(super) fn refund(
    world: &World,
    content: &Content,
    outcome: Option<RefundOutcome>,
) -> Result<Fields, Refusal> {
    content.check(FIELDS, INVALID)?;
    let number = Number::of(content)?;
    let nothing = || Fields::new().fen("refund_fee", 0).fen("send_back_fee", 0);
    let done = world
        .ledger
        .write(|book| act(book, world, content, number, outcome))
        .map_err(|refusal| refusal.with(nothing()))?;
    if let Some(refund) = &done.moved {
        notice::refunded(world, refund);
    }
    Ok(describe(&done, content))
}

fn act(
    book: &mut Book,
    world: &World,
    content: &Content,
    number: Number<'_>,
    outcome: Option<RefundOutcome>,
) -> Result<Done, Refusal> {
    let now_ms = world.clock.now_ms();
    let Some((order, status)) = number.find(book, world, now_ms) else {
        return Err(number.not_exist("ACQ.TRADE_NOT_EXIST"));
    };
    let amount_fen = content.fen("refund_amount").unwrap_or_default();
    let request_no = content.text("out_request_no");
    let key = key(&order.key, request_no.unwrap_or(&order.key.out_trade_no));
    let moved = match book.refund(&key).cloned() {
        Some(known) => repeat(book, &known, amount_fen, now_ms)?,
        None => {
            check_status(status)?;
            check_amount(book, &order, amount_fen, request_no.is_some())?;
            let wish = Wish {
                amount_fen,
                reason: content.text("refund_reason"),
                outcome: outcome.unwrap_or(RefundOutcome::Success),
            };
            pay_back(book, world, &order, key, &wish)?
        }
    };
    Ok(Done {
        refunded_fen: trade::refunded_fen(book, &order.key),
        moved,
        order,
    })
}

/// The key of a refund of an order.
pub(super) fn key(order: &OrderKey, number: &str) -> RefundKey {
    RefundKey {
        channel: Channel::Alipay,
        scope: order.out_trade_no.clone(),
        number: number.to_owned(),
    }
}

/// A request with a number that was used before: the same request, or a mistake.
fn repeat(book: &mut Book, known: &Refund, amount_fen: i64, now_ms: i64) -> Result<Option<Refund>, Refusal> {
    if known.amount_fen != amount_fen {
        let text = "请求信息不一致：同一out_request_no的退款金额与首次请求不同";
        return Err(Refusal::new("ACQ.DISCORDANT_REPEAT_REQUEST", text));
    }
    match known.state {
        // A refund that a fault has left undone is done when it is asked for again.
        RefundState::Processing => settle(book, known, now_ms).map(Some).map_err(unexpected),
        RefundState::Success | RefundState::Abnormal | RefundState::Closed => Ok(None),
    }
}

fn check_status(status: Status) -> Result<(), Refusal> {
    match status {
        Status::Success => Ok(()),
        Status::Wait => Err(Refusal::new("ACQ.TRADE_STATUS_ERROR", "交易状态不合法：尚未支付")),
        Status::Finished => Err(Refusal::new("ACQ.TRADE_HAS_FINISHED", "交易已完结，不可退款")),
        Status::Closed => Err(Refusal::new("ACQ.TRADE_HAS_CLOSE", "交易已关闭，不可退款")),
    }
}

fn check_amount(book: &Book, order: &Order, amount_fen: i64, numbered: bool) -> Result<(), Refusal> {
    let left_fen = order.amount_fen.saturating_sub(book.reserved_fen(&order.key));
    if amount_fen > left_fen {
        let text = "退款金额无效：超过可退金额";
        return Err(Refusal::new("ACQ.REASON_TRADE_REFUND_FEE_ERR", text));
    }
    if amount_fen != order.amount_fen && !numbered {
        let text = "部分退款时out_request_no不能为空";
        return Err(Refusal::new("ACQ.REFUND_AMT_NOT_EQUAL_TOTAL", text));
    }
    Ok(())
}

/// A refund to be made.
#[derive(Debug)]
pub(super) struct Wish<'call> {
    pub(super) amount_fen: i64,
    pub(super) reason: Option<&'call str>,
    pub(super) outcome: RefundOutcome,
}

/// Refunds, if the outcome allows; tells the refund that moved money.
///
/// # Errors
///
/// `ACQ.SELLER_BALANCE_NOT_ENOUGH`.
pub(super) fn pay_back(
    book: &mut Book,
    world: &World,
    order: &Order,
    key: RefundKey,
    wish: &Wish<'_>,
) -> Result<Option<Refund>, Refusal> {
    let now_ms = world.clock.now_ms();
    match wish.outcome {
        RefundOutcome::NotEnough => {
            return Err(Refusal::new("ACQ.SELLER_BALANCE_NOT_ENOUGH", "卖家余额不足"));
        }
        // Accepted and lost: nothing is known of it afterwards.
        RefundOutcome::Abnormal | RefundOutcome::Closed => return Ok(None),
        RefundOutcome::Success | RefundOutcome::Processing => {}
    }
    let new = NewRefund {
        key,
        order: order.key.clone(),
        refund_id: world.random.digits(28),
        amount_fen: wish.amount_fen,
        reason: wish.reason.map(str::to_owned),
        // Refunds have no address of their own: the order's is told.
        notify_url: order.notify_url.clone(),
        fingerprint: String::new(),
        outcome: wish.outcome,
        settles_ms: now_ms,
        memo: BTreeMap::new(),
    };
    let opened = book.open_refund(new, now_ms).cloned().map_err(unexpected)?;
    match wish.outcome {
        RefundOutcome::Processing => Ok(None),
        _ => settle(book, &opened, now_ms).map(Some).map_err(unexpected),
    }
}

fn settle(book: &mut Book, refund: &Refund, now_ms: i64) -> Result<Refund, LedgerError> {
    let settled = book
        .settle_refund(&refund.key, RefundOutcome::Success, now_ms)?
        .clone();
    trade::close_when_refunded(book, &settled.order, now_ms);
    Ok(settled)
}

/// The rules above leave the ledger nothing to refuse.
fn unexpected(_error: LedgerError) -> Refusal {
    Refusal::system_error()
}

fn describe(done: &Done, content: &Content) -> Fields {
    let order = &done.order;
    let moved_fen = done.moved.as_ref().map(|refund| refund.amount_fen);
    let moved_ms = done.moved.as_ref().and_then(|refund| refund.success_ms);
    let fields = trade::numbers(order)
        .text("buyer_logon_id", trade::buyer_logon_id(order))
        .text("buyer_user_id", trade::buyer_id(order))
        .text("fund_change", if done.moved.is_some() { "Y" } else { "N" })
        .fen("refund_fee", done.refunded_fen)
        .maybe("gmt_refund_pay", moved_ms.map(beijing::wall));
    if content.has_option("query_options", "refund_detail_item_list") {
        let moved_fen = moved_fen.unwrap_or(0);
        fields
            .value("refund_detail_item_list", detail_items(order, moved_fen))
            .fen("send_back_fee", moved_fen)
    } else {
        fields
    }
}

/// Where the money of a refund went.
pub(super) fn detail_items(order: &Order, amount_fen: i64) -> serde_json::Value {
    let channel = order
        .payment
        .as_ref()
        .map_or(super::BALANCE, |payment| payment.bank_type.as_str());
    serde_json::json!([{ "fund_channel": channel, "amount": super::amount::format(amount_fen) }])
}
