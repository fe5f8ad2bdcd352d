//! `Idempotency-Key`: the same key with the same request is answered once, and then with the same answer.

use std::{fmt::Display, time::Duration};

use axum::{
    body::to_bytes,
    http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header},
    response::{IntoResponse, Response},
};
use sha2::{Digest, Sha256};
use trade_core::{
    ProductAppId, Timestamp,
    port::{Begun, IdempotencyKey, StoredAnswer},
    service::{MessageCode, TradeError},
};

use super::{App, Problem, native, problem, request};
use crate::causes::one_line;

/// The caller's header.
const KEY: HeaderName = HeaderName::from_static("idempotency-key");
/// Says that an answer was given before.
const REPLAYED: HeaderName = HeaderName::from_static("idempotency-replayed");
/// So long a request may work before another with its key may take over: its process is gone then.
const LEASE: Duration = Duration::from_secs(60);
const LONGEST_KEY: usize = 255;
/// No answer is larger.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// What makes two requests the same: where they go, and every value as it was understood.
#[derive(Debug, Clone)]
pub(super) struct Content {
    scope: String,
    hash: Sha256,
}

impl Content {
    /// A request to a route, of an order system when it names one.
    pub(super) fn new(route: &str, app: Option<&ProductAppId>) -> Self {
        let scope = app.map_or_else(|| route.to_owned(), |app| format!("{route} {app}"));
        Self {
            scope,
            hash: Sha256::new(),
        }
    }

    /// With a value, in one spelling whatever the caller's. Lengths keep values apart from their
    /// neighbours.
    #[must_use]
    pub(super) fn with(mut self, name: &str, value: &dyn Display) -> Self {
        let value = value.to_string();
        self.hash.update(format!("{name}:{}:{value}\n", value.len()));
        self
    }

    /// With a value that may be left out, which is something else than an empty one.
    #[must_use]
    pub(super) fn with_some(self, name: &str, value: Option<&str>) -> Self {
        match value {
            Some(value) => self.with(name, &value),
            None => self,
        }
    }

    fn fingerprint(self) -> String {
        self.hash
            .finalize()
            .iter()
            .map(|byte| format!("{byte:02x}"))
            .collect()
    }
}

/// Does the work of a request in a task of its own, so that a caller who hangs up does not cut it
/// between two steps; under a key, once.
pub(super) async fn once<T: IntoResponse + 'static>(
    app: &App,
    headers: &HeaderMap,
    content: Content,
    work: impl Future<Output = Result<T, Problem>> + Send + 'static,
) -> Result<Response, Problem> {
    let work = async move { work.await.into_response() };
    let done = match read_key(headers)? {
        None => request::spawn(app, async move { Ok(work.await) }),
        Some(key) => {
            let key = IdempotencyKey {
                scope: content.scope.clone(),
                key,
            };
            request::spawn(app, keyed(app.clone(), key, content.fingerprint(), work))
        }
    };
    done.await.map_err(|_| native::interrupted())?
}

fn read_key(headers: &HeaderMap) -> Result<Option<String>, Problem> {
    let wrong = || {
        Problem::field(
            "Idempotency-Key",
            "must be one key of 1 to 255 visible ASCII characters",
        )
    };
    let mut given = headers.get_all(KEY).iter();
    let Some(key) = given.next() else {
        return Ok(None);
    };
    let visible = |key: &&str| {
        (1..=LONGEST_KEY).contains(&key.len()) && key.bytes().all(|byte| byte.is_ascii_graphic())
    };
    let key = key.to_str().ok().filter(visible).ok_or_else(wrong)?;
    match given.next() {
        None => Ok(Some(key.to_owned())),
        Some(_) => Err(wrong()),
    }
}

async fn keyed(
    app: App,
    key: IdempotencyKey,
    fingerprint: String,
    work: impl Future<Output = Response> + Send,
) -> Result<Response, Problem> {
    let ports = app.service.ports();
    let now = ports.clock.now();
    let lease_until = now.plus(LEASE);
    let begun = ports.store.begin(&key, &fingerprint, now, lease_until).await;
    match begun.map_err(TradeError::from)? {
        Begun::Yours => kept(&app, &key, lease_until, work.await).await,
        Begun::Done(answer) => Ok(replay(answer)),
        Begun::InFlight(_) => Err(Problem::new(
            StatusCode::CONFLICT,
            "a request with this Idempotency-Key is at work: send the same again in a moment for its answer",
        )
        .with_code(MessageCode::TryLockTradingFail)
        .worth_retrying()),
        Begun::Other => Err(Problem::new(
            StatusCode::UNPROCESSABLE_ENTITY,
            "this Idempotency-Key was used for a request with other content: use a new key for a new request",
        )),
    }
}

/// Keeps the answer. After a failure of ours or of the channel the key is free instead, so that a repeat
/// goes on with the work.
async fn kept(
    app: &App,
    key: &IdempotencyKey,
    lease_until: Timestamp,
    response: Response,
) -> Result<Response, Problem> {
    let store = &app.service.ports().store;
    if response.status().is_server_error() {
        if let Err(error) = store.release(key, lease_until).await {
            tracing::warn!(error = one_line(&error), "a key stays taken until its lease ends");
        }
        return Ok(response);
    }
    let (parts, body) = response.into_parts();
    let body = to_bytes(body, LONGEST_ANSWER)
        .await
        .map_err(|_| native::interrupted())?;
    let answer = StoredAnswer {
        status: parts.status.as_u16(),
        body: String::from_utf8_lossy(&body).into_owned(),
    };
    if let Err(error) = store.finish(key, &answer).await {
        tracing::warn!(
            error = one_line(&error),
            "an answer is not kept: a repeat does the work again, which is harmless"
        );
    }
    Ok(Response::from_parts(parts, body.into()))
}

fn replay(answer: StoredAnswer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::OK);
    let mut response = if status.is_success() {
        let json = HeaderValue::from_static("application/json");
        (status, [(header::CONTENT_TYPE, json)], answer.body).into_response()
    } else {
        problem::again(status, answer.body)
    };
    response
        .headers_mut()
        .insert(REPLAYED, HeaderValue::from_static("true"));
    response
}
