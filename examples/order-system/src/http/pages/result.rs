//! How a payment went, for who does not want to wait until the page is told: asks as far as the channel.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};

use super::{Frame, Visitor, words};
use crate::{error::OrderError, http::whole, service::Orders, status::OrderStatus};

#[derive(Debug, Template)]
#[template(path = "result.html")]
struct ResultPage {
    frame: Frame,
    id: i64,
    heading: &'static str,
    explained: &'static str,
    paid: bool,
    /// Whether asking again makes sense.
    waits: bool,
    name: String,
    amount: String,
    channel: Option<&'static str>,
    transaction_id: Option<String>,
}

/// `GET /orders/{id}/result`
pub(super) async fn show(State(orders): State<Orders>, visitor: Visitor, id: Path<String>) -> Response {
    let composed = compose(orders, &visitor, &id).await;
    visitor.page(composed, "/orders")
}

async fn compose(orders: Orders, visitor: &Visitor, id: &Path<String>) -> Result<ResultPage, OrderError> {
    let lang = visitor.frame.lang;
    let order = visitor.order(&orders, id).await?;
    let (user_id, id) = (order.user_id, order.id);
    let asking = orders.clone();
    whole(async move { asking.pay_result(user_id, id).await }).await?;
    let order = orders.fresh(orders.any_order(id).await?).await?;
    let (paid, waits) = (order.is_paid(), order.status()? == OrderStatus::NoPay);
    let (heading, explained) = if paid {
        (
            lang.t("支付成功", "Paid"),
            words::hint(lang, order.status()?, order.refund()),
        )
    } else if waits {
        (
            lang.t("尚未收到付款", "Not paid yet"),
            lang.t(
                "如果您刚刚付过款，请稍等几秒再查一次；不会重复收款",
                "If you have just paid, wait a few seconds and look again: nothing is taken twice.",
            ),
        )
    } else {
        (
            lang.t("没有付款", "Not paid"),
            words::hint(lang, order.status()?, order.refund()),
        )
    };
    Ok(ResultPage {
        frame: visitor.frame.clone(),
        id,
        heading,
        explained,
        paid,
        waits,
        name: order.serve_item_name.clone(),
        amount: order.to_pay()?.to_yuan(),
        channel: order.channel().map(|channel| words::channel(lang, channel)),
        transaction_id: order.transaction_id,
    })
}
