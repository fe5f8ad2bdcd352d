//! Is it there, is it ready, and what does it count.

use std::fmt::Write;

use axum::{
    extract::State,
    http::{StatusCode, header},
    response::{IntoResponse, Response},
};
use sea_orm::DbErr;
use trade_core::BreakerState;

use crate::{remote::Remote, service::Orders, status::OrderStatus};

/// `GET /livez`
pub(super) async fn live() -> &'static str {
    "ok"
}

/// `GET /readyz`: ready means that the database answers.
pub(super) async fn ready(State(orders): State<Orders>) -> Response {
    match orders.store.ping().await {
        Ok(()) => "ok".into_response(),
        Err(error) => {
            tracing::error!(%error, "the database does not answer");
            let body = "the database does not answer: see the log";
            (StatusCode::SERVICE_UNAVAILABLE, body).into_response()
        }
    }
}

/// `GET /metrics`, as Prometheus reads it.
pub(super) async fn metrics(State(orders): State<Orders>) -> Response {
    match text(&orders).await {
        Ok(text) => {
            let kind = "text/plain; version=0.0.4; charset=utf-8";
            ([(header::CONTENT_TYPE, kind)], text).into_response()
        }
        Err(error) => {
            tracing::error!(%error, "the counts cannot be read");
            StatusCode::SERVICE_UNAVAILABLE.into_response()
        }
    }
}

async fn text(orders: &Orders) -> Result<String, DbErr> {
    let mut out = String::new();
    let mut by_status = Vec::new();
    for status in OrderStatus::ALL {
        let label = format!("{{status=\"{}\"}}", status.code());
        by_status.push((label, orders.store.count(status).await?));
    }
    family(&mut out, "orders", "Orders by their status.", &by_status);
    let circuits = [&orders.customer, &orders.foundations].map(circuit);
    let help = "Circuit to a service: 0 closed, 1 probing, 2 open.";
    family(&mut out, "order_circuit_state", help, &circuits);
    let owed = orders.store.count_owed().await?;
    let help = "Orders whose money has yet to go back.";
    family(&mut out, "order_refunds_waiting", help, &[(String::new(), owed)]);
    let aside = orders.store.count_dead_letters().await?;
    let help = "Events that were put aside, for a person to look at.";
    family(&mut out, "order_dead_letters", help, &[(String::new(), aside)]);
    Ok(out)
}

fn circuit(remote: &Remote) -> (String, u64) {
    let state = match remote.state() {
        BreakerState::Closed => 0,
        BreakerState::HalfOpen => 1,
        BreakerState::Open => 2,
    };
    (format!("{{dependency=\"{}\"}}", remote.dependency()), state)
}

fn family(out: &mut String, name: &str, help: &str, samples: &[(String, u64)]) {
    // Writing to a string cannot fail.
    let _ = writeln!(out, "# HELP {name} {help}\n# TYPE {name} gauge");
    for (labels, value) in samples {
        let _ = writeln!(out, "{name}{labels} {value}");
    }
}
