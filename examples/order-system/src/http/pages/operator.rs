//! The operator's page: orders to move on, circuits, refunds that wait, events that were put aside.

use askama::Template;
use axum::{
    extract::{Path, State},
    response::Response,
};
use trade_core::BreakerState;

use super::{Frame, Visitor, order::OrderLine, words};
use crate::{
    error::OrderError,
    http::{
        api::order_id,
        input::{Asked, Input},
        language::Lang,
        operation::{again, cancel_any, step_of},
        user::Staff,
    },
    remote::Remote,
    service::Orders,
    store::table::order::fen,
};

const ORDERS: u64 = 50;
const ROWS: u64 = 20;

#[derive(Debug, Template)]
#[template(path = "operator.html")]
struct OperatorPage {
    frame: Frame,
    circuits: [CircuitLine; 2],
    orders: Vec<OrderLine>,
    refunds: Vec<RefundLine>,
    failed: Vec<OrderLine>,
    dead_letters: Vec<DeadLetterLine>,
}

#[derive(Debug)]
struct CircuitLine {
    name: &'static str,
    state: &'static str,
    is_closed: bool,
}

#[derive(Debug)]
struct RefundLine {
    id: i64,
    amount: String,
    since: String,
    checks: i32,
    trouble: String,
}

#[derive(Debug)]
struct DeadLetterLine {
    at: String,
    position: i64,
    reason: String,
}

/// `GET /operator?ordersStatus=`
pub(super) async fn show(State(orders): State<Orders>, visitor: Visitor, Asked(asked): Asked) -> Response {
    let composed = compose(&orders, visitor.frame.clone(), &asked).await;
    visitor.page(composed, "/operator")
}

async fn compose(orders: &Orders, frame: Frame, asked: &Input) -> Result<OperatorPage, OrderError> {
    let lang = frame.lang;
    let newest = orders
        .store
        .newest(asked.status("ordersStatus")?, None, ORDERS)
        .await?;
    let lines: Result<Vec<_>, _> = newest.iter().map(|order| OrderLine::new(lang, order)).collect();
    let failed = orders.store.failed_refunds(ROWS).await?;
    let failed: Result<Vec<_>, _> = failed.iter().map(|order| OrderLine::new(lang, order)).collect();
    let mut refunds = Vec::new();
    for owed in orders.store.all_owed(ROWS).await? {
        refunds.push(RefundLine {
            id: owed.id,
            amount: fen(owed.real_pay_amount)?.to_yuan(),
            since: words::time(owed.create_time),
            checks: owed.checks,
            trouble: owed.last_error,
        });
    }
    let aside = orders.store.dead_letters(ROWS).await?.into_iter();
    Ok(OperatorPage {
        circuits: [&orders.foundations, &orders.customer].map(|remote| circuit(lang, remote)),
        frame,
        orders: lines?,
        failed: failed?,
        refunds,
        dead_letters: aside
            .map(|row| DeadLetterLine {
                at: words::time(row.at),
                position: row.position,
                reason: row.reason,
            })
            .collect(),
    })
}

fn circuit(lang: Lang, remote: &Remote) -> CircuitLine {
    let state = remote.state();
    CircuitLine {
        name: remote.dependency().name(),
        state: match state {
            BreakerState::Closed => lang.t("正常", "closed: calls pass"),
            BreakerState::HalfOpen => lang.t("试探中", "probing: one call is under way"),
            BreakerState::Open => lang.t("已熔断", "open: the fallback answers"),
        },
        is_closed: state == BreakerState::Closed,
    }
}

/// `POST /operator/orders/{id}/{take|start|finish|give-back|cancel|refund}`
pub(super) async fn step(
    State(orders): State<Orders>,
    visitor: Visitor,
    Staff(staff): Staff,
    Path((id, step)): Path<(String, String)>,
    input: Input,
) -> Response {
    let stepped = async {
        let id = order_id(&Path(id))?;
        match step.as_str() {
            "cancel" => cancel_any(orders, id, staff, input.reason("cancelReason")?).await,
            "refund" => again(orders, id, staff).await,
            "give-back" => step_of(orders, id, "cancel", staff).await,
            other => step_of(orders, id, other, staff).await,
        }
    };
    let done = stepped.await.map(|()| "/operator".to_owned());
    visitor.go_on(done, "/operator")
}
