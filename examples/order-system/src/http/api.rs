//! The customer's routes, as the platform's apps call them.

use axum::extract::{Path, State};

use super::{
    envelope::{Answer, answer},
    input::{Asked, Input},
    language::Lang,
    user::Customer,
    view::{DetailRes, OrderRes, PayRes, PlacedRes},
    whole,
};
use crate::{
    error::OrderError,
    service::{Orders, place::Booking},
    status::Actor,
    store::{orders::By, table::Order},
};

/// How many orders one page of the scrolled list has.
const PAGE: u64 = 10;

/// `POST /orders-manager/consumer/orders/place`
pub(super) async fn place(
    State(orders): State<Orders>,
    lang: Lang,
    Customer(user_id): Customer,
    input: Input,
) -> Answer<PlacedRes> {
    let work = async {
        let booking = booking(user_id, &input)?;
        let id = whole(async move { orders.place(&booking).await }).await?;
        Ok(PlacedRes { id: id.to_string() })
    };
    answer(lang, work).await
}

/// What a customer asks for.
pub(super) fn booking(user_id: i64, input: &Input) -> Result<Booking, OrderError> {
    if input.text("couponId").is_some() {
        return Err(OrderError::invalid(
            "couponId",
            "这里没有优惠券，请去掉 couponId",
            "there are no coupons here: leave it out",
        ));
    }
    Ok(Booking {
        user_id,
        serve_id: input.required_long("serveId")?,
        quantity: input.long("purNum")?.unwrap_or(1),
        starts_at: input.required_time("serveStartTime")?,
        address_id: input.required_long("addressBookId")?,
    })
}

/// `PUT /orders-manager/consumer/orders/pay/{id}`
pub(super) async fn pay(
    State(orders): State<Orders>,
    lang: Lang,
    Customer(user_id): Customer,
    id: Path<String>,
    input: Input,
) -> Answer<PayRes> {
    let work = async {
        let (id, channel) = (order_id(&id)?, input.required_channel("tradingChannel")?);
        let payable = whole(async move { orders.pay(user_id, id, channel).await }).await?;
        Ok(payable.into())
    };
    answer(lang, work).await
}

/// `GET /orders-manager/consumer/orders/pay/{id}/result`
pub(super) async fn pay_result(
    State(orders): State<Orders>,
    lang: Lang,
    Customer(user_id): Customer,
    id: Path<String>,
) -> Answer<PayRes> {
    let work = async {
        let id = order_id(&id)?;
        let payable = whole(async move { orders.pay_result(user_id, id).await }).await?;
        Ok(payable.into())
    };
    answer(lang, work).await
}

/// `PUT /orders-manager/consumer/orders/cancel`
pub(super) async fn cancel(
    State(orders): State<Orders>,
    lang: Lang,
    Customer(user_id): Customer,
    input: Input,
) -> Answer<()> {
    let work = async {
        let (id, reason) = (input.required_long("id")?, input.reason("cancelReason")?);
        whole(cancel_own(orders, user_id, id, reason)).await
    };
    answer(lang, work).await
}

/// A customer cancels an order of theirs.
pub(super) async fn cancel_own(
    orders: Orders,
    user_id: i64,
    id: i64,
    reason: String,
) -> Result<(), OrderError> {
    let order = orders.order_of(user_id, id).await?;
    let by = By {
        actor: Actor::Customer,
        id: Some(user_id),
        detail: reason,
    };
    orders.cancel(id, &by, &order.contacts_name).await.map(drop)
}

/// A customer says how an order of theirs was.
pub(super) async fn evaluate_own(orders: Orders, user_id: i64, id: i64) -> Result<(), OrderError> {
    let by = By {
        actor: Actor::Customer,
        id: Some(user_id),
        detail: String::new(),
    };
    orders.evaluate(user_id, id, &by).await.map(drop)
}

/// `PUT /orders-manager/consumer/orders/evaluate/{id}`
pub(super) async fn evaluate(
    State(orders): State<Orders>,
    lang: Lang,
    Customer(user_id): Customer,
    id: Path<String>,
) -> Answer<()> {
    let work = async { whole(evaluate_own(orders, user_id, order_id(&id)?)).await };
    answer(lang, work).await
}

/// `GET /orders-manager/consumer/orders/{id}`
pub(super) async fn detail(
    State(orders): State<Orders>,
    lang: Lang,
    Customer(user_id): Customer,
    id: Path<String>,
) -> Answer<DetailRes> {
    let work = async {
        let id = order_id(&id)?;
        let order = orders.order_of(user_id, id).await?;
        whole(async move { whole_detail(&orders, order).await }).await
    };
    answer(lang, work).await
}

/// An order with all that belongs to it, after its time to pay was looked at.
pub(super) async fn whole_detail(orders: &Orders, order: Order) -> Result<DetailRes, OrderError> {
    let order = orders.fresh(order).await?;
    let id = order.id;
    let returned = orders
        .store
        .returned(id)
        .await?
        .into_iter()
        .map(TryInto::try_into);
    Ok(DetailRes {
        canceled: orders.store.canceled(id).await?.map(Into::into),
        returned: returned.collect::<Result<_, _>>()?,
        history: orders
            .store
            .history(id)
            .await?
            .into_iter()
            .map(Into::into)
            .collect(),
        order: order.try_into()?,
    })
}

/// `GET /orders-manager/consumer/orders/consumerQueryList?ordersStatus=&sortBy=`
pub(super) async fn list(
    State(orders): State<Orders>,
    lang: Lang,
    Customer(user_id): Customer,
    Asked(asked): Asked,
) -> Answer<Vec<OrderRes>> {
    let work = async {
        let (status, sort_by) = (asked.status("ordersStatus")?, asked.long("sortBy")?);
        let rows = orders.store.orders_of(user_id, status, sort_by, PAGE).await?;
        let shown: Result<_, _> = rows.into_iter().map(TryInto::try_into).collect();
        Ok(shown?)
    };
    answer(lang, work).await
}

/// The number in a path.
pub(super) fn order_id(Path(text): &Path<String>) -> Result<i64, OrderError> {
    text.parse().map_err(|_| {
        OrderError::invalid(
            "id",
            "订单号须为 19 位数字",
            "must be the 19 digits of an order's number",
        )
    })
}
