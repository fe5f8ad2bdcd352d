//! Every request has an id: on its log lines, in its answer, and in its problem if it ends in one. It is
//! counted and, unless it only asks for health or metrics, logged in one line.

use std::{fmt, sync::Arc, time::Duration};

use axum::{
    extract::{MatchedPath, Request, State},
    http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode},
    middleware::Next,
    response::Response,
};
use tokio::task::JoinHandle;
use tracing::Instrument;

use super::App;

/// Taken from whoever asks, when it can be, and given back.
const HEADER: HeaderName = HeaderName::from_static("x-request-id");
const LONGEST: usize = 64;
/// What stands for every path that is no route.
const NO_ROUTE: &str = "unmatched";
/// Asked for all the time, by machines.
const QUIET: [&str; 3] = ["/livez", "/readyz", "/metrics"];

tokio::task_local! {
    static CURRENT: RequestId;
}

/// The id of a request: 1 to 64 letters, digits, `-`, `_` and `.`.
#[derive(Clone)]
pub(super) struct RequestId(Arc<str>);

impl RequestId {
    /// The caller's, if it is one and there is only one.
    fn given(headers: &HeaderMap) -> Option<Self> {
        let mut given = headers.get_all(HEADER).iter();
        let (Some(id), None) = (given.next(), given.next()) else {
            return None;
        };
        let safe = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let id = id.to_str().ok()?;
        let fits = (1..=LONGEST).contains(&id.len()) && id.bytes().all(safe);
        fits.then(|| Self(id.into()))
    }

    /// The id of the request that is being worked on here, if one is.
    pub(super) fn current() -> Option<Self> {
        CURRENT.try_with(Clone::clone).ok()
    }
}

impl fmt::Display for RequestId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Does work of a request in a task of its own, which goes on when the caller hangs up. A server that stops waits for it.
pub(super) fn spawn<T: Send + 'static>(
    app: &App,
    work: impl Future<Output = T> + Send + 'static,
) -> JoinHandle<T> {
    let work = work.in_current_span();
    match RequestId::current() {
        Some(id) => app.works.spawn(CURRENT.scope(id, work)),
        None => app.works.spawn(work),
    }
}

/// Stands around every route.
pub(super) async fn observe(State(app): State<App>, request: Request, next: Next) -> Response {
    let id = RequestId::given(request.headers()).unwrap_or_else(|| RequestId(app.random.nonce().into()));
    let method = method(request.method());
    let route = request.extensions().get::<MatchedPath>();
    let route = route.map_or(NO_ROUTE, MatchedPath::as_str).to_owned();
    // Of the highest level, so that a filter that keeps only errors keeps their ids, too.
    let span = tracing::error_span!("request", request_id = %id);
    let clock = Arc::clone(&app.service.ports().clock);
    let started = clock.monotonic();
    let answered = next.run(request).instrument(span.clone());
    let mut response = CURRENT.scope(id.clone(), answered).await;
    let took = clock.monotonic().saturating_sub(started);
    let status = response.status();
    app.metrics.request(method, &route, status.as_u16(), took);
    span.in_scope(|| log(method, &route, status, took));
    if let Ok(value) = HeaderValue::from_str(&id.0) {
        response.headers_mut().insert(HEADER, value);
    }
    response
}

fn log(method: &str, route: &str, status: StatusCode, took: Duration) {
    let status = status.as_u16();
    // A number in JSON, too: the wider type becomes a text there.
    let duration_ms = u64::try_from(took.as_millis()).unwrap_or(u64::MAX);
    if QUIET.contains(&route) {
        return;
    }
    if status >= 400 || !matches!(method, "GET" | "HEAD" | "OPTIONS") {
        tracing::info!(method, route, status, duration_ms, "answered");
    } else {
        tracing::debug!(method, route, status, duration_ms, "answered");
    }
}

/// A method as a label: anybody can send one that nobody knows.
fn method(method: &Method) -> &'static str {
    let known = ["GET", "POST", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH"];
    let found = known.into_iter().find(|name| *name == method.as_str());
    found.unwrap_or("other")
}
