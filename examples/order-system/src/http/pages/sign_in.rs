//! Choosing who to be, where that is allowed, and in which language to read.

use askama::Template;
use axum::{
    http::{HeaderMap, HeaderValue, header},
    response::{IntoResponse, Redirect, Response},
};

use super::{Frame, Visitor, failed, page};
use crate::{
    error::OrderError,
    http::{
        input::Input,
        language::{self, Lang},
        user,
    },
    places::customer::CUSTOMERS,
};

#[derive(Debug, Template)]
#[template(path = "sign_in.html")]
struct SignInPage {
    frame: Frame,
    customers: [(i64, &'static str); 2],
}

/// `GET /sign-in`
pub(super) async fn show(visitor: Visitor) -> Response {
    let frame = visitor.frame;
    if !frame.demo {
        return failed(frame, &OrderError::NobodySignedIn, "/");
    }
    page(&SignInPage {
        frame,
        customers: CUSTOMERS,
    })
}

/// `POST /sign-in`
pub(super) async fn choose(visitor: Visitor, input: Input) -> Response {
    let frame = visitor.frame;
    let chosen = input.long("userId").ok().flatten();
    let known = chosen.filter(|id| CUSTOMERS.iter().any(|(known, _)| known == id));
    match known {
        Some(id) if frame.demo => keep(user::COOKIE, &id.to_string(), "/"),
        _ => failed(frame, &OrderError::NobodySignedIn, "/"),
    }
}

/// `POST /language`
pub(super) async fn language(headers: HeaderMap, lang: Lang, input: Input) -> Response {
    let chosen = input.text("lang").and_then(Lang::from_code).unwrap_or(lang);
    keep(language::COOKIE, chosen.code(), &came_from(&headers))
}

/// The path of the page the reader came from; never another site.
fn came_from(headers: &HeaderMap) -> String {
    let referer = headers.get(header::REFERER).and_then(|value| value.to_str().ok());
    let url = referer.and_then(|text| url::Url::parse(text).ok());
    url.map_or_else(
        || "/".to_owned(),
        |url| format!("/{}", url.path().trim_start_matches('/')),
    )
}

fn keep(name: &str, value: &str, to: &str) -> Response {
    let cookie = format!("{name}={value}; Path=/; Max-Age=31536000; HttpOnly; SameSite=Lax");
    let mut response = Redirect::to(to).into_response();
    if let Ok(cookie) = HeaderValue::from_str(&cookie) {
        response.headers_mut().insert(header::SET_COOKIE, cookie);
    }
    response
}
