//! The platform's side: workers take, begin and finish orders; operators look at all of them and end them.

use axum::extract::{Path, State};

use super::{
    api::{order_id, whole_detail},
    envelope::{Answer, answer},
    input::{Asked, Input},
    language::Lang,
    user::Staff,
    view::{DetailRes, OrderRes},
    whole,
};
use crate::{
    error::OrderError,
    service::{Orders, step::WorkerStep},
    status::Actor,
    store::orders::By,
};

/// The most orders of one page.
const LARGEST_PAGE: i64 = 100;
const USUAL_PAGE: i64 = 20;

/// `PUT /orders-manager/worker/orders/{id}/{take|start|finish|cancel}`
pub(super) async fn worker_step(
    State(orders): State<Orders>,
    lang: Lang,
    Staff(worker): Staff,
    Path((id, step)): Path<(String, String)>,
) -> Answer<()> {
    let work = async {
        let id = order_id(&Path(id))?;
        step_of(orders, id, &step, worker).await
    };
    answer(lang, work).await
}

/// Does a worker's step by its name.
pub(super) async fn step_of(
    orders: Orders,
    id: i64,
    step: &str,
    worker: Option<i64>,
) -> Result<(), OrderError> {
    let step = match step {
        "take" => WorkerStep::Take,
        "start" => WorkerStep::Start,
        "finish" => WorkerStep::Finish,
        "cancel" => WorkerStep::Cancel,
        _ => {
            return Err(OrderError::invalid(
                "step",
                "操作须为 take、start、finish 或 cancel",
                "must be take, start, finish or cancel",
            ));
        }
    };
    let by = By {
        actor: Actor::Worker,
        id: worker,
        detail: String::new(),
    };
    whole(async move { orders.worker_step(id, step, &by).await.map(drop) }).await
}

/// `PUT /orders-manager/operation/orders/cancel`
pub(super) async fn cancel(
    State(orders): State<Orders>,
    lang: Lang,
    Staff(operator): Staff,
    input: Input,
) -> Answer<()> {
    let work = async {
        let (id, reason) = (input.required_long("id")?, input.reason("cancelReason")?);
        cancel_any(orders, id, operator, reason).await
    };
    answer(lang, work).await
}

/// An operator ends an order.
pub(super) async fn cancel_any(
    orders: Orders,
    id: i64,
    operator: Option<i64>,
    reason: String,
) -> Result<(), OrderError> {
    let by = By {
        actor: Actor::Operator,
        id: operator,
        detail: reason,
    };
    whole(async move { orders.cancel(id, &by, "运营").await.map(drop) }).await
}

/// `PUT /orders-manager/operation/orders/{id}/refund`: begins a refund again that has failed for good.
pub(super) async fn refund_again(
    State(orders): State<Orders>,
    lang: Lang,
    Staff(operator): Staff,
    id: Path<String>,
) -> Answer<()> {
    let work = async {
        let id = order_id(&id)?;
        again(orders, id, operator).await
    };
    answer(lang, work).await
}

/// An operator begins a refund again.
pub(super) async fn again(orders: Orders, id: i64, operator: Option<i64>) -> Result<(), OrderError> {
    let by = By {
        actor: Actor::Operator,
        id: operator,
        detail: String::new(),
    };
    whole(async move { orders.refund_again(id, &by).await }).await
}

/// `GET /orders-manager/operation/orders/page?ordersStatus=&before=&limit=`: newest first.
pub(super) async fn page(
    State(orders): State<Orders>,
    lang: Lang,
    Asked(asked): Asked,
) -> Answer<Vec<OrderRes>> {
    let work = async {
        let (status, before) = (asked.status("ordersStatus")?, asked.long("before")?);
        let limit = asked.long("limit")?.unwrap_or(USUAL_PAGE);
        let limit = u64::try_from(limit.clamp(1, LARGEST_PAGE)).unwrap_or(1);
        let rows = orders.store.newest(status, before, limit).await?;
        let shown: Result<_, _> = rows.into_iter().map(TryInto::try_into).collect();
        Ok(shown?)
    };
    answer(lang, work).await
}

/// `GET /orders-manager/operation/orders/{id}`
pub(super) async fn detail(State(orders): State<Orders>, lang: Lang, id: Path<String>) -> Answer<DetailRes> {
    let work = async {
        let order = orders.any_order(order_id(&id)?).await?;
        whole(async move { whole_detail(&orders, order).await }).await
    };
    answer(lang, work).await
}
