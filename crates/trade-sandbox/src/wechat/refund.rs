//! Refunds: `POST /v3/refund/domestic/refunds` and `GET /v3/refund/domestic/refunds/{out_refund_no}`.

use std::collections::BTreeMap;

use axum::http::StatusCode;
use serde_json::{Map, Value};

use super::{
    call::Call,
    prepay::check_notify_url,
    refusal::{Location, Refusal},
    reply::Answer,
    schema::{self, Field, Kind, optional, required},
    view,
};
use crate::{
    Channel,
    beijing::DAY_MS,
    faults::Plan,
    ledger::{Book, NewRefund, Order, RefundKey, RefundOutcome},
    world::World,
};

/// An order can be refunded for a year after its payment.
const WINDOW_MS: i64 = 365 * DAY_MS;
const REFUNDS_MAX: usize = 50;
/// Two refunds of one order must be this far apart.
const SPACING_MS: i64 = 60_000;

const FROM: &[Field] = &[
    required("account", Kind::OneOf(&["AVAILABLE", "UNAVAILABLE"])),
    required("amount", Kind::Integer(1)),
];
const AMOUNT: &[Field] = &[
    required("refund", Kind::Integer(1)),
    required("total", Kind::Integer(1)),
    required("currency", Kind::OneOf(&["CNY"])),
    optional("from", Kind::List(FROM)),
];
const GOODS: &[Field] = &[
    required("merchant_goods_id", Kind::Text(32)),
    optional("wechatpay_goods_id", Kind::Text(32)),
    optional("goods_name", Kind::Text(256)),
    required("unit_price", Kind::Integer(0)),
    required("refund_amount", Kind::Integer(0)),
    required("refund_quantity", Kind::Integer(1)),
];
/// There is no `appid` and no `mchid` here: sending them is an error.
const FIELDS: &[Field] = &[
    optional("transaction_id", Kind::Text(32)),
    optional("out_trade_no", Kind::Text(32)),
    required(
        "out_refund_no",
        Kind::Code {
            min: 1,
            max: 64,
            allowed: is_number_char,
        },
    ),
    optional("reason", Kind::Text(80)),
    optional("notify_url", Kind::Text(256)),
    optional("funds_account", Kind::OneOf(&["AVAILABLE", "UNSETTLED"])),
    required("amount", Kind::Object(AMOUNT)),
    optional("goods_detail", Kind::List(GOODS)),
];

fn is_number_char(character: char) -> bool {
    character.is_ascii_alphanumeric() || "_-|*@".contains(character)
}

/// Accepts a refund, or shows the one that has this number already.
pub(super) fn create(world: &World, call: &Call, plan: &Plan) -> Result<Answer, Refusal> {
    let body = call.json()?;
    schema::check(&[FIELDS], &body)?;
    check_notify_url(schema::text(&body, &["notify_url"]))?;
    let asked = Asked::read(&body);
    let key = refund_key(world, asked.number);
    world.ledger.write(|book| {
        let order = find_order(world, book, &body)?;
        if book.refund(&key).is_none() {
            check_rules(world, book, order, &asked)?;
            if plan.refund == Some(RefundOutcome::NotEnough) {
                return Err(not_enough());
            }
            let new = new_refund(world, order, &asked, key.clone(), plan.refund);
            book.open_refund(new, world.clock.now_ms())
                .map_err(|_gone| order_gone())?;
        } else {
            check_same(book, &key, order, &asked)?;
        }
        Ok(())
    })?;
    // With no delay configured the refund may be done by now.
    world.catch_up();
    show(world, &key, plan)
}

/// Shows a refund. The identity is the signer's: there is no `mchid` parameter.
pub(super) fn query(world: &World, number: &str, plan: &Plan) -> Result<Answer, Refusal> {
    show(world, &refund_key(world, number), plan)
}

/// What the body asks for.
struct Asked<'body> {
    number: &'body str,
    refund_fen: i64,
    total_fen: i64,
    reason: Option<&'body str>,
    notify_url: Option<&'body str>,
}

impl<'body> Asked<'body> {
    fn read(body: &'body Map<String, Value>) -> Self {
        Self {
            number: schema::text(body, &["out_refund_no"]).unwrap_or_default(),
            refund_fen: schema::integer(body, &["amount", "refund"]).unwrap_or_default(),
            total_fen: schema::integer(body, &["amount", "total"]).unwrap_or_default(),
            reason: schema::text(body, &["reason"]),
            notify_url: schema::text(body, &["notify_url"]),
        }
    }
}

fn refund_key(world: &World, number: &str) -> RefundKey {
    RefundKey {
        channel: Channel::Wechat,
        scope: world.config.wechat.mchid.clone(),
        number: number.to_owned(),
    }
}

/// The paid order of the body; WeChat Pay's number wins over the merchant's.
fn find_order<'book>(
    world: &World,
    book: &'book Book,
    body: &Map<String, Value>,
) -> Result<&'book Order, Refusal> {
    let transaction_id = schema::text(body, &["transaction_id"]);
    let out_trade_no = schema::text(body, &["out_trade_no"]);
    let order = match (transaction_id, out_trade_no) {
        (Some(id), _) => book.order_by_transaction(Channel::Wechat, id),
        (None, Some(number)) => book.order(&world.order_key(Channel::Wechat, number)),
        (None, None) => {
            let issue = "transaction_id和out_trade_no必须二选一";
            return Err(Refusal::param(
                Location::Body,
                "/transaction_id",
                &Value::Null,
                issue,
            ));
        }
    };
    order.filter(|order| order.is_paid()).ok_or_else(order_gone)
}

/// A new refund must keep to the order's rest, the window, the count and the spacing.
fn check_rules(world: &World, book: &Book, order: &Order, asked: &Asked<'_>) -> Result<(), Refusal> {
    let now_ms = world.clock.now_ms();
    let paid_ms = order.payment.as_ref().map_or(0, |payment| payment.paid_ms);
    let reserved_fen = book.reserved_fen(&order.key);
    if asked.total_fen != order.amount_fen {
        return Err(Refusal::invalid("订单金额不一致，请检查原订单金额"));
    }
    if reserved_fen >= order.amount_fen {
        return Err(Refusal::invalid("订单已全额退款"));
    }
    if asked.refund_fen > order.amount_fen.saturating_sub(reserved_fen) {
        return Err(Refusal::invalid("申请退款金额超过订单可退金额"));
    }
    if now_ms.saturating_sub(paid_ms) > WINDOW_MS {
        return Err(Refusal::invalid("订单已超过可退款的最大期限（支付完成后一年）"));
    }
    if book.refunds_of(&order.key).count() >= REFUNDS_MAX {
        return Err(Refusal::invalid("该订单的部分退款次数已超过50次"));
    }
    let last_ms = book.refunds_of(&order.key).map(|refund| refund.created_ms).max();
    let too_soon = last_ms.is_some_and(|last_ms| now_ms.saturating_sub(last_ms) < SPACING_MS);
    if world.config.wechat.refund_spacing && too_soon {
        return Err(Refusal::rate_limited());
    }
    Ok(())
}

/// A repeated number must name the same order and amount.
fn check_same(book: &Book, key: &RefundKey, order: &Order, asked: &Asked<'_>) -> Result<(), Refusal> {
    let same = book.refund(key).is_some_and(|refund| {
        refund.order == order.key
            && refund.amount_fen == asked.refund_fen
            && order.amount_fen == asked.total_fen
    });
    if same {
        Ok(())
    } else {
        Err(Refusal::invalid(
            "订单金额或退款金额与之前请求不一致，请核实后再试",
        ))
    }
}

fn new_refund(
    world: &World,
    order: &Order,
    asked: &Asked<'_>,
    key: RefundKey,
    outcome: Option<RefundOutcome>,
) -> NewRefund {
    let now_ms = world.clock.now_ms();
    NewRefund {
        key,
        order: order.key.clone(),
        refund_id: format!("5030{}", world.random.digits(25)),
        amount_fen: asked.refund_fen,
        reason: asked.reason.map(str::to_owned),
        notify_url: asked.notify_url.map(str::to_owned),
        fingerprint: String::new(),
        outcome: outcome.unwrap_or(RefundOutcome::Success),
        settles_ms: now_ms.saturating_add(i64::from(world.config.wechat.refund_delay_ms)),
        memo: BTreeMap::new(),
    }
}

/// The present state of a refund.
pub(super) fn show(world: &World, key: &RefundKey, plan: &Plan) -> Result<Answer, Refusal> {
    world.ledger.read(|book| {
        let refund = book.refund(key);
        let order = refund.and_then(|refund| book.order(&refund.order));
        match (order, refund) {
            (Some(order), Some(refund)) => {
                Ok(Answer::Json(view::refund(order, refund, plan.wrong_amount_fen)))
            }
            _ => Err(Refusal::resource_not_exists("退款单不存在")),
        }
    })
}

fn order_gone() -> Refusal {
    Refusal::resource_not_exists("订单不存在")
}

fn not_enough() -> Refusal {
    Refusal::new(
        StatusCode::FORBIDDEN,
        "NOT_ENOUGH",
        "基本账户余额不足，请充值后重新发起",
        268_435_461,
    )
}
