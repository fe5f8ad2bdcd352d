//! The platform's envelope around every outer answer: `{code, msg, data, requestId}`.

use axum::{
    Json,
    http::{HeaderValue, header},
    response::{IntoResponse, Response},
};
use serde::Serialize;
use trade_core::{SystemRandom, port::Random};

use super::language::Lang;
use crate::error::OrderError;

/// The code of a success.
const OK: u16 = 200;

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Envelope<T> {
    code: u16,
    msg: String,
    data: Option<T>,
    request_id: String,
}

/// A success.
#[derive(Debug)]
pub(super) struct Done<T>(pub(super) T);

/// A failure, in the caller's language.
#[derive(Debug)]
pub(super) struct Failed {
    error: OrderError,
    lang: Lang,
}

impl Failed {
    pub(super) fn new(error: OrderError, lang: Lang) -> Self {
        Self { error, lang }
    }
}

/// What a route answers.
pub(super) type Answer<T> = Result<Done<T>, Failed>;

/// Does the work and puts the envelope around what comes of it.
pub(super) async fn answer<T>(lang: Lang, work: impl Future<Output = Result<T, OrderError>>) -> Answer<T> {
    work.await.map(Done).map_err(|error| Failed::new(error, lang))
}

impl<T: Serialize> IntoResponse for Done<T> {
    fn into_response(self) -> Response {
        Json(Envelope {
            code: OK,
            msg: "OK".to_owned(),
            data: Some(self.0),
            request_id: SystemRandom.nonce(),
        })
        .into_response()
    }
}

impl IntoResponse for Failed {
    fn into_response(self) -> Response {
        let request_id = SystemRandom.nonce();
        log(&self.error, &request_id);
        let body = Json(Envelope::<()> {
            code: self.error.code(),
            msg: self.lang.choose(self.error.words()),
            data: None,
            request_id,
        });
        let status = self.error.status();
        let mut response = (status, body).into_response();
        if status == axum::http::StatusCode::SERVICE_UNAVAILABLE {
            response
                .headers_mut()
                .insert(header::RETRY_AFTER, HeaderValue::from_static("2"));
        }
        response
    }
}

/// A failure of ours is logged once, here, with the number its caller has.
pub(super) fn log(error: &OrderError, request_id: &str) {
    if error.status().is_server_error() {
        let cause = std::error::Error::source(error).map(ToString::to_string);
        tracing::error!(request_id, %error, cause, "a request failed");
    }
}
