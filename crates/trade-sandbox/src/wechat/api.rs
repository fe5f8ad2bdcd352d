//! One request, from the wire to the wire.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::StatusCode,
    response::Response,
};

use super::{
    abnormal, bill,
    call::Call,
    certificates, gate, order, prepay, refund,
    refusal::Refusal,
    reply::{self, Answer},
    route::Route,
};
use crate::{
    Channel,
    faults::{FaultKind, Plan},
    http,
    world::World,
};

/// Serves every address below `/v3/`.
pub(super) async fn serve(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = match http::read(request).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let Some(route) = Route::of(&parts.method, parts.uri.path()) else {
        let refusal = Refusal::new(
            StatusCode::NOT_FOUND,
            "RESOURCE_NOT_EXISTS",
            "接口不存在",
            268_435_461,
        );
        return reply::refuse(&world, &refusal);
    };
    let plan = world.faults.plan(Channel::Wechat, route.operation());
    if let Some(delay_ms) = plan.delay_ms {
        tokio::time::sleep(Duration::from_millis(u64::from(delay_ms))).await;
    }
    if plan.outcome == Some(FaultKind::DropBefore) {
        return http::hang_up();
    }
    match gate::admit(&world, &parts, body) {
        Ok(call) => act(&world, &route, &call, &plan),
        Err(refusal) => reply::refuse(&world, &refusal),
    }
}

/// The request is authentic: does what it asks for, unless a fault is in the way.
fn act(world: &World, route: &Route, call: &Call, plan: &Plan) -> Response {
    match plan.outcome {
        Some(FaultKind::RateLimit) => return reply::answer(world, call, Err(Refusal::rate_limited()), plan),
        Some(FaultKind::Status {
            status,
            effect: false,
        }) => return reply::ordered_status(world, call, status, plan),
        _ => {}
    }
    world.catch_up();
    let result = gate::check_wechatpay_serial(world, call).and_then(|()| operate(world, route, call, plan));
    match plan.outcome {
        Some(FaultKind::DropAfter) => http::hang_up(),
        Some(FaultKind::Status { status, .. }) => reply::ordered_status(world, call, status, plan),
        Some(FaultKind::Garbage) => reply::gateway_page(StatusCode::OK),
        _ => reply::answer(world, call, result, plan),
    }
}

fn operate(world: &World, route: &Route, call: &Call, plan: &Plan) -> Result<Answer, Refusal> {
    match route {
        Route::Prepay(trade_type) => prepay::create(world, call, *trade_type),
        Route::QueryByTransaction(id) => order::query_by_transaction(world, call, id, plan),
        Route::QueryByNumber(number) => order::query_by_number(world, call, number, plan),
        Route::Close(number) => order::close(world, call, number),
        Route::Refund => refund::create(world, call, plan),
        Route::QueryRefund(number) => refund::query(world, number, plan),
        Route::AbnormalRefund(id) => abnormal::apply(world, call, id, plan),
        Route::Certificates => certificates::list(world, call),
        Route::TradeBill => bill::trade(world, call),
        Route::FundFlowBill => bill::fund_flow(world, call),
        Route::DownloadBill => bill::download(world, call),
    }
}
