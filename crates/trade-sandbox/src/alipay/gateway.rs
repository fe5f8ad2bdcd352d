//! One call, from the wire to the wire: `/gateway.do`.

use std::{sync::Arc, time::Duration};

use axum::{
    extract::{Request, State},
    http::{
        StatusCode,
        header::{CONTENT_TYPE, HOST},
        request::Parts,
    },
    response::Response,
};

use super::{
    admission,
    answer::{self, Fields, Refusal},
    bill, cancel, certificate, close,
    content::Content,
    envelope::{self, Reply},
    method::Method,
    params::Params,
    precreate, query, refund, refund_query,
};
use crate::{
    Channel,
    faults::{FaultKind, Plan},
    http,
    world::World,
};

/// The operation of a call whose method is not known.
const UNKNOWN: &str = "unknown";

/// An authentic call.
#[derive(Debug)]
struct Call {
    method: Method,
    params: Params,
    content: Content,
    /// The address the client reached us by: inside a container it is not the one we know.
    base_url: String,
}

/// Serves `/gateway.do`.
pub(super) async fn serve(State(world): State<Arc<World>>, request: Request) -> Response {
    let (parts, body) = match http::read(request).await {
        Ok(read) => read,
        Err(response) => return response,
    };
    let content_type = parts
        .headers
        .get(CONTENT_TYPE)
        .and_then(|value| value.to_str().ok());
    let params = match Params::read(parts.uri.query(), content_type, &body) {
        Ok(params) => params,
        Err(issue) => {
            let refusal = Refusal::new("isv.invalid-parameter", issue);
            return refuse(&world, None, &refusal, true);
        }
    };
    let method = admission::method(&params);
    let operation = method.as_ref().map_or(UNKNOWN, |method| method.operation());
    let plan = world.faults.plan(Channel::Alipay, operation);
    if let Some(delay_ms) = plan.delay_ms {
        tokio::time::sleep(Duration::from_millis(u64::from(delay_ms))).await;
    }
    if plan.outcome == Some(FaultKind::DropBefore) {
        return http::hang_up();
    }
    let method = match method {
        Ok(method) => method,
        Err(refusal) => {
            let signed = admission::check_app(&world, &params).is_ok();
            return refuse(&world, None, &refusal, signed);
        }
    };
    match admission::admit(&world, &params) {
        Ok(content) => {
            let call = Call {
                method,
                params,
                content,
                base_url: base_url(&world, &parts),
            };
            act(&world, &call, &plan)
        }
        Err(refusal) => {
            let unknown_app = matches!(refusal.sub_code(), "isv.missing-app-id" | "isv.invalid-app-id");
            refuse(&world, Some(method), &refusal, !unknown_app)
        }
    }
}

/// Does what the call asks for, unless a fault is in the way.
fn act(world: &World, call: &Call, plan: &Plan) -> Response {
    match plan.outcome {
        Some(FaultKind::RateLimit) => return answer(world, call, Refusal::rate_limited().fields(), plan),
        Some(FaultKind::Status {
            status,
            effect: false,
        }) => return ordered_status(world, call, status, plan),
        _ => {}
    }
    world.catch_up();
    let fields = match operate(world, call, plan) {
        Ok(fields) => answer::success(fields),
        Err(refusal) => refusal.fields(),
    };
    match plan.outcome {
        Some(FaultKind::DropAfter) => http::hang_up(),
        Some(FaultKind::Status { status, .. }) => ordered_status(world, call, status, plan),
        Some(FaultKind::Garbage) => envelope::page(world, StatusCode::OK),
        _ => answer(world, call, fields, plan),
    }
}

fn operate(world: &World, call: &Call, plan: &Plan) -> Result<Fields, Refusal> {
    let content = &call.content;
    let notify_url = call.params.get("notify_url");
    match call.method {
        Method::Precreate => precreate::precreate(world, content, notify_url),
        Method::Query => query::query(world, content),
        Method::Close => close::close(world, content, notify_url),
        Method::Cancel => cancel::cancel(world, content, plan.refund),
        Method::Refund => refund::refund(world, content, plan.refund),
        Method::RefundQuery => refund_query::query(world, content),
        Method::Bill => bill::locate(world, content, &call.base_url),
        Method::Certificate => certificate::download(world, content),
    }
}

fn answer(world: &World, call: &Call, fields: Fields, plan: &Plan) -> Response {
    let reply = Reply {
        root_key: call.method.root_key(),
        fields,
        encrypted: world.config.alipay.encrypted,
        signed: true,
    };
    envelope::write(world, reply, plan)
}

/// What a fault's status stands for: the gateway's own errors have HTTP status 200, others are a page of
/// the machine in front of it.
fn ordered_status(world: &World, call: &Call, status: u16, plan: &Plan) -> Response {
    match StatusCode::from_u16(status) {
        Ok(StatusCode::TOO_MANY_REQUESTS) => answer(world, call, Refusal::rate_limited().fields(), plan),
        Ok(StatusCode::INTERNAL_SERVER_ERROR) | Err(_) => {
            answer(world, call, Refusal::system_error().fields(), plan)
        }
        Ok(status) => envelope::page(world, status),
    }
}

fn base_url(world: &World, parts: &Parts) -> String {
    let host = parts.headers.get(HOST).and_then(|host| host.to_str().ok());
    host.map_or_else(|| world.api_url.clone(), |host| format!("http://{host}"))
}

/// Answers a call that was not admitted: in the clear, and unsigned when the app is not known.
fn refuse(world: &World, method: Option<Method>, refusal: &Refusal, signed: bool) -> Response {
    let reply = Reply {
        root_key: method.map_or_else(|| "error_response".to_owned(), Method::root_key),
        fields: refusal.fields(),
        encrypted: false,
        signed,
    };
    envelope::write(world, reply, &Plan::default())
}
