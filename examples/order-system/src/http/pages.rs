//! The pages: rendered here, usable without scripts, told of changes by a stream where there are scripts.

mod book;
mod live;
mod operator;
mod order;
mod result;
mod sign_in;
mod words;

use std::convert::Infallible;

use askama::Template;
use axum::{
    Router,
    extract::{FromRequestParts, Path},
    http::{HeaderValue, StatusCode, header, request::Parts},
    response::{Html, IntoResponse, Redirect, Response},
    routing::{get, post},
};

use super::{api::order_id, envelope, language::Lang, user::Customer};
use crate::{error::OrderError, service::Orders, store::table::Order};
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
        .route("/orders/{id}/result", get(result::show))
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

/// Who opens a page or sends one of its forms.
#[derive(Debug)]
struct Visitor {
    frame: Frame,
    customer: Option<i64>,
}

impl FromRequestParts<Orders> for Visitor {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, orders: &Orders) -> Result<Self, Infallible> {
        let Ok(lang) = Lang::from_request_parts(parts, orders).await;
        let customer = Customer::from_request_parts(parts, orders).await.ok();
        let customer = customer.map(|Customer(id)| id);
        let frame = Frame {
            lang,
            who: customer.map(words::customer_name),
            demo: orders.settings.demo_users,
        };
        Ok(Self { frame, customer })
    }
}

impl Visitor {
    /// The customer, where one is needed.
    fn user_id(&self) -> Result<i64, OrderError> {
        self.customer.ok_or(OrderError::NobodySignedIn)
    }

    /// An order of this visitor.
    async fn order(&self, orders: &Orders, id: &Path<String>) -> Result<Order, OrderError> {
        orders.order_of(self.user_id()?, order_id(id)?).await
    }

    /// A page, or why there is none.
    fn page<T: Template>(self, composed: Result<T, OrderError>, back: &str) -> Response {
        match composed {
            Ok(shown) => page(&shown),
            Err(error) => failed(self.frame, &error, back),
        }
    }

    /// Goes on to a page after something was done, or says why it was not.
    fn go_on(self, done: Result<String, OrderError>, back: &str) -> Response {
        match done {
            Ok(to) => Redirect::to(&to).into_response(),
            Err(error) => failed(self.frame, &error, back),
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
