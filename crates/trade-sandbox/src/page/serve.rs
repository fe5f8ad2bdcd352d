//! The handlers: a page for people, JSON for scripts.

use std::sync::Arc;

use axum::{
    Json,
    extract::{Path, State},
    http::{
        HeaderMap, StatusCode, Uri,
        header::{ACCEPT, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, LOCATION},
    },
    response::{IntoResponse, Response},
};
use serde_json::{Value, json};

use super::{
    screen::{self, Scanned, Screen},
    view,
};
use crate::{
    control::Refusal,
    ledger::{LedgerError, Order},
    world::{Payer, World},
};

/// Nothing is loaded, nothing runs, nobody frames it, and forms go nowhere else.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; base-uri 'none'; \
                      frame-ancestors 'none'";
/// The page after leaving without paying.
const CANCELLED: &str = "cancelled=1";

/// `GET /pay/{token}`: the user scans the code.
pub(super) async fn show(
    State(world): State<Arc<World>>,
    Path(token): Path<String>,
    uri: Uri,
    headers: HeaderMap,
) -> Response {
    let scanned = screen::scan(&world, &token);
    if wants_json(&headers) {
        return match scanned {
            Some(scanned) => Json(describe(&scanned)).into_response(),
            None => unknown_code(&token).into_response(),
        };
    }
    match scanned {
        Some(scanned) => {
            let cancelled = uri.query() == Some(CANCELLED);
            html(
                StatusCode::OK,
                view::page(&scanned, world.clock.now_ms(), cancelled),
            )
        }
        None => html(StatusCode::NOT_FOUND, view::unknown()),
    }
}

/// `POST /pay/{token}/pay`.
pub(super) async fn pay(
    State(world): State<Arc<World>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    press(&world, &token, &headers, "", |order| {
        world.pay(&order.key, Payer::default())
    })
}

/// `POST /pay/{token}/cancel`: the user scans the code and leaves.
pub(super) async fn cancel(
    State(world): State<Arc<World>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    press(&world, &token, &headers, CANCELLED, |order| Ok(order.clone()))
}

/// `POST /pay/{token}/expire`: the deadline passes at once.
pub(super) async fn expire(
    State(world): State<Arc<World>>,
    Path(token): Path<String>,
    headers: HeaderMap,
) -> Response {
    press(&world, &token, &headers, "", |order| world.expire(&order.key))
}

/// Scans, and acts if the order can still be paid. A person is sent back to the page, which shows what came of
/// it; a script is told why nothing did.
fn press(
    world: &World,
    token: &str,
    headers: &HeaderMap,
    query: &str,
    act: impl FnOnce(&Order) -> Result<Order, LedgerError>,
) -> Response {
    let Some(scanned) = screen::scan(world, token) else {
        return if wants_json(headers) {
            unknown_code(token).into_response()
        } else {
            html(StatusCode::NOT_FOUND, view::unknown())
        };
    };
    let acted = match refusal(&scanned) {
        None => act(&scanned.order).map(drop),
        Some(refusal) => Err(refusal),
    };
    if !wants_json(headers) {
        return back(token, query);
    }
    match acted.map(|()| screen::scan(world, token)) {
        Ok(Some(scanned)) => Json(describe(&scanned)).into_response(),
        Ok(None) => unknown_code(token).into_response(),
        Err(error) => Refusal::from(error).into_response(),
    }
}

/// Why a screen's buttons do nothing.
fn refusal(scanned: &Scanned) -> Option<LedgerError> {
    let number = scanned.order.key.out_trade_no.clone();
    match scanned.screen {
        Screen::Unpaid => None,
        Screen::Paid => Some(LedgerError::AlreadyPaid(number)),
        Screen::Expired => Some(LedgerError::Expired(number)),
        Screen::Closed => Some(LedgerError::Closed(number)),
        Screen::CodeDead => Some(LedgerError::CodeDead(number)),
    }
}

fn describe(scanned: &Scanned) -> Value {
    let order = &scanned.order;
    json!({
        "screen": scanned.screen,
        "channel": order.key.channel,
        "merchant": order.key.merchant,
        "out_trade_no": order.key.out_trade_no,
        "description": order.description,
        "amount_fen": order.amount_fen,
        "refunded_fen": scanned.refunded_fen,
        "state": order.state,
        "transaction_id": order.transaction_id,
        "payable_until_ms": order.payable_until_ms,
    })
}

fn unknown_code(token: &str) -> Refusal {
    Refusal::not_found(
        "code_not_found",
        format!("no code ends in {token}: was it made by another sandbox, or before a reset?"),
    )
}

/// Back to the page, by an address that also works behind a proxy with a path of its own.
fn back(token: &str, query: &str) -> Response {
    let mark = if query.is_empty() { "" } else { "?" };
    let location = format!("../{token}{mark}{query}");
    (StatusCode::SEE_OTHER, [(LOCATION, location)]).into_response()
}

/// A page nobody keeps.
pub(crate) fn html(status: StatusCode, page: String) -> Response {
    let headers = [
        (CONTENT_TYPE, "text/html; charset=utf-8"),
        (CACHE_CONTROL, "no-store"),
        (CONTENT_SECURITY_POLICY, POLICY),
    ];
    (status, headers, page).into_response()
}

/// Browsers list `text/html`; a script says what it wants.
fn wants_json(headers: &HeaderMap) -> bool {
    let accepted = headers.get(ACCEPT).and_then(|accepted| accepted.to_str().ok());
    accepted.is_some_and(|accepted| accepted.contains("application/json") && !accepted.contains("text/html"))
}
