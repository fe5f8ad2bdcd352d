//! The pages: rendered here, usable without scripts, told of changes by a stream where there are scripts.

mod book;
mod live;
mod operator;
mod order;
mod sign_in;
mod words;

use askama::Template;
use axum::{
    Router,
    http::{HeaderValue, StatusCode, header},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};

use super::{envelope, language::Lang};
use crate::{error::OrderError, service::Orders};
use trade_core::{SystemRandom, port::Random};

/// Only what this server serves itself may run or be shown; the codes are data URLs.
const POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self' data:; connect-src 'self'; \
     form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

pub(super) fn routes() -> Router<Orders> {
    Router::new()
        .route("/", get(book::services))
        .route("/services/{id}", get(book::form))
        .route("/orders", get(order::list).post(book::place))
        .route("/orders/{id}", get(order::show))
        .route("/orders/{id}/live", get(live::stream))
        .route("/orders/{id}/pay", post(order::pay))
        .route("/orders/{id}/cancel", post(order::cancel))
        .route("/orders/{id}/evaluate", post(order::evaluate))
        .route("/operator", get(operator::show))
        .route("/operator/orders/{id}/{step}", post(operator::step))
        .route("/sign-in", get(sign_in::show).post(sign_in::choose))
        .route("/language", post(sign_in::language))
        .route("/assets/style.css", get(style))
        .route("/assets/page.js", get(script))
}

async fn style() -> Response {
    asset("text/css; charset=utf-8", include_str!("../../assets/style.css"))
}

async fn script() -> Response {
    asset(
        "text/javascript; charset=utf-8",
        include_str!("../../assets/page.js"),
    )
}

fn asset(kind: &'static str, content: &'static str) -> Response {
    let headers = [(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, "no-cache")];
    (headers, content).into_response()
}

/// What every page shows around its content.
#[derive(Debug, Clone)]
struct Frame {
    lang: Lang,
    /// The customer's name, when there is one.
    who: Option<String>,
    /// Whether visitors may choose who they are.
    demo: bool,
}

impl Frame {
    fn new(orders: &Orders, lang: Lang, user_id: Option<i64>) -> Self {
        Self {
            lang,
            who: user_id.map(words::customer_name),
            demo: orders.settings.demo_users,
        }
    }
}

/// A rendered page.
fn page(template: &impl Template) -> Response {
    with_status(StatusCode::OK, template)
}

fn with_status(status: StatusCode, template: &impl Template) -> Response {
    match template.render() {
        Ok(text) => {
            let mut response = (status, Html(text)).into_response();
            let headers = response.headers_mut();
            headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(POLICY));
            headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
            headers.insert(
                header::X_CONTENT_TYPE_OPTIONS,
                HeaderValue::from_static("nosniff"),
            );
            response
        }
        Err(error) => {
            tracing::error!(%error, "a page could not be rendered");
            StatusCode::INTERNAL_SERVER_ERROR.into_response()
        }
    }
}

#[derive(Debug, Template)]
#[template(path = "error.html")]
struct ErrorPage {
    frame: Frame,
    message: String,
    /// Where to go on.
    back: String,
}

/// A failure as a page; who is not signed in is asked to do so.
fn failed(frame: Frame, error: &OrderError, back: impl Into<String>) -> Response {
    if frame.demo && matches!(error, OrderError::NobodySignedIn) {
        return Redirect::to("/sign-in").into_response();
    }
    envelope::log(error, &SystemRandom.nonce());
    let page = ErrorPage {
        message: frame.lang.choose(error.words()),
        back: back.into(),
        frame,
    };
    with_status(error.status(), &page)
}
