//! One order: its code to pay by, what happens to it, and what can be done.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use trade_core::Channel;

use super::{Frame, Visitor, words};
use crate::{
    cancel_rule::{self, Facts},
    error::OrderError,
    http::{
        api::{cancel_own, evaluate_own},
        input::{Asked, Input},
        language::Lang,
        whole,
    },
    service::Orders,
    status::{Actor, OrderStatus},
    store::table::{Order, order::fen},
};

/// How many orders one page of the list has.
const PAGE: u64 = 20;

#[derive(Debug, Template)]
#[template(path = "order.html")]
struct OrderPage {
    frame: Frame,
    id: i64,
    state: StatePart,
}

/// The part of the page that changes by itself.
#[derive(Debug, Template)]
#[template(path = "order_state.html")]
pub(super) struct StatePart {
    lang: Lang,
    id: i64,
    name: String,
    status: i32,
    status_words: &'static str,
    hint: &'static str,
    steps: Vec<words::Step>,
    amount: String,
    quantity: i32,
    unit: &'static str,
    starts_at: String,
    address: String,
    contact: String,
    /// The channel by which it was paid.
    paid_by: Option<&'static str>,
    /// While it waits for its payment.
    payment: Option<PaymentPart>,
    refund: Option<&'static str>,
    canceled: Option<String>,
    returned: Vec<ReturnedLine>,
    history: Vec<HistoryLine>,
    may_cancel: bool,
    may_evaluate: bool,
}

#[derive(Debug)]
struct PaymentPart {
    /// Epoch milliseconds.
    deadline: i64,
    now: i64,
    channels: [ChannelLine; 2],
    qr_code: Option<String>,
    /// Where the code leads, when a browser can go there.
    link: Option<String>,
}

#[derive(Debug)]
struct ChannelLine {
    code: &'static str,
    name: &'static str,
    chosen: bool,
}

#[derive(Debug)]
struct ReturnedLine {
    why: &'static str,
    amount: String,
    status: &'static str,
}

#[derive(Debug)]
struct HistoryLine {
    at: String,
    what: &'static str,
}

/// `GET /orders/{id}`
pub(super) async fn show(State(orders): State<Orders>, visitor: Visitor, id: Path<String>) -> Response {
    let composed = async {
        let order = visitor.order(&orders, &id).await?;
        let state = state_of(&orders, visitor.frame.lang, order).await?;
        Ok(OrderPage {
            frame: visitor.frame.clone(),
            id: state.id,
            state,
        })
    };
    let composed = composed.await;
    visitor.page(composed, "/orders")
}

/// How an order is now, after its time to pay was looked at.
pub(super) async fn state_of(orders: &Orders, lang: Lang, order: Order) -> Result<StatePart, OrderError> {
    let orders = orders.clone();
    whole(async move { compose(&orders, lang, order).await }).await
}

async fn compose(orders: &Orders, lang: Lang, order: Order) -> Result<StatePart, OrderError> {
    let order = orders.fresh(order).await?;
    let status = order.status()?;
    let id = order.id;
    let payment = if status == OrderStatus::NoPay {
        Some(payment(orders, lang, &order).await)
    } else {
        None
    };
    let facts = Facts {
        status,
        starts_at: trade_core::Timestamp::from_ms(order.serve_start_time),
        ended_at: order.serve_end_time.map(trade_core::Timestamp::from_ms),
        now: orders.now(),
    };
    let mut returned = Vec::new();
    for row in orders.store.returned(id).await? {
        returned.push(ReturnedLine {
            why: words::origin(lang, &row.origin),
            amount: fen(row.refund_amount)?.to_yuan(),
            status: crate::status::RefundStatus::from_code(row.refund_status)
                .map_or("", |status| words::refund(lang, status)),
        });
    }
    let history = orders
        .store
        .history(id)
        .await?
        .into_iter()
        .map(|row| HistoryLine {
            at: words::time(row.at),
            what: words::event(lang, &row.event),
        });
    Ok(StatePart {
        lang,
        id,
        status: status.code(),
        status_words: lang.choose(status.words()),
        hint: words::hint(lang, status, order.refund()),
        steps: words::steps(lang, status),
        paid_by: order
            .channel()
            .filter(|_| order.is_paid())
            .map(|channel| words::channel(lang, channel)),
        amount: order.to_pay()?.to_yuan(),
        quantity: order.pur_num,
        unit: words::unit(lang, order.unit),
        starts_at: words::time(order.serve_start_time),
        payment,
        refund: order.refund().map(|status| words::refund(lang, status)),
        canceled: orders.store.canceled(id).await?.map(|row| row.cancel_reason),
        returned,
        history: history.collect(),
        may_cancel: cancel_rule::decide(Actor::Customer, facts).is_ok(),
        may_evaluate: status == OrderStatus::NoEvaluation,
        contact: format!("{} {}", order.contacts_name, order.contacts_phone),
        address: order.serve_address,
        name: order.serve_item_name,
    })
}

async fn payment(orders: &Orders, lang: Lang, order: &Order) -> PaymentPart {
    let chosen = order.channel();
    let code = orders.code_of(order).await;
    let link = code.as_ref().map(|code| code.code_url.clone());
    PaymentPart {
        deadline: order.pay_deadline,
        now: orders.now().ms(),
        channels: Channel::ALL.map(|channel| ChannelLine {
            code: channel.code(),
            name: words::channel(lang, channel),
            chosen: chosen == Some(channel),
        }),
        // weixin:// is for the phone's scanner; a browser can follow the others.
        link: link.filter(|link| link.starts_with("http://") || link.starts_with("https://")),
        qr_code: code.map(|code| code.qr_code),
    }
}

/// Does something with an order of the visitor, and shows the order again.
async fn with_own<W: Future<Output = Result<(), OrderError>> + Send + 'static>(
    orders: Orders,
    visitor: Visitor,
    id: &Path<String>,
    work: impl FnOnce(Orders, Order) -> Result<W, OrderError>,
) -> Response {
    let back = format!("/orders/{}", id.as_str());
    let done = async {
        let order = visitor.order(&orders, id).await?;
        let shown = format!("/orders/{}", order.id);
        whole(work(orders, order)?).await?;
        Ok(shown)
    };
    let done = done.await;
    visitor.go_on(done, &back)
}

/// `POST /orders/{id}/pay`
pub(super) async fn pay(
    State(orders): State<Orders>,
    visitor: Visitor,
    id: Path<String>,
    input: Input,
) -> Response {
    with_own(orders, visitor, &id, |orders, order| {
        let channel = input.required_channel("tradingChannel")?;
        Ok(async move { orders.pay(order.user_id, order.id, channel).await.map(drop) })
    })
    .await
}

/// `POST /orders/{id}/cancel`
pub(super) async fn cancel(
    State(orders): State<Orders>,
    visitor: Visitor,
    id: Path<String>,
    input: Input,
) -> Response {
    with_own(orders, visitor, &id, |orders, order| {
        let reason = input.reason("cancelReason")?;
        Ok(cancel_own(orders, order.user_id, order.id, reason))
    })
    .await
}

/// `POST /orders/{id}/evaluate`
pub(super) async fn evaluate(State(orders): State<Orders>, visitor: Visitor, id: Path<String>) -> Response {
    with_own(orders, visitor, &id, |orders, order| {
        Ok(evaluate_own(orders, order.user_id, order.id))
    })
    .await
}

#[derive(Debug, Template)]
#[template(path = "orders.html")]
struct ListPage {
    frame: Frame,
    orders: Vec<OrderLine>,
    /// Where the next page begins.
    next: Option<i64>,
}

#[derive(Debug)]
pub(super) struct OrderLine {
    pub(super) id: i64,
    pub(super) name: String,
    pub(super) amount: String,
    pub(super) starts_at: String,
    pub(super) status: i32,
    pub(super) status_words: &'static str,
    pub(super) refund: Option<&'static str>,
}

impl OrderLine {
    pub(super) fn new(lang: Lang, order: &Order) -> Result<Self, OrderError> {
        let status = order.status()?;
        Ok(Self {
            id: order.id,
            name: order.serve_item_name.clone(),
            amount: order.to_pay()?.to_yuan(),
            starts_at: words::time(order.serve_start_time),
            status: status.code(),
            status_words: lang.choose(status.words()),
            refund: order.refund().map(|status| words::refund(lang, status)),
        })
    }
}

/// `GET /orders?sortBy=`
pub(super) async fn list(State(orders): State<Orders>, visitor: Visitor, Asked(asked): Asked) -> Response {
    let composed = async {
        let (user_id, sort_by) = (visitor.user_id()?, asked.long("sortBy")?);
        let rows = orders.store.orders_of(user_id, None, sort_by, PAGE).await?;
        let full = u64::try_from(rows.len()).is_ok_and(|count| count >= PAGE);
        let frame = visitor.frame.clone();
        let lines: Result<_, _> = rows
            .iter()
            .map(|order| OrderLine::new(frame.lang, order))
            .collect();
        Ok(ListPage {
            frame,
            orders: lines?,
            next: rows.last().map(|last| last.sort_by).filter(|_| full),
        })
    };
    let composed = composed.await;
    visitor.page(composed, "/")
}
