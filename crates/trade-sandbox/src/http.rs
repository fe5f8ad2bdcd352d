//! The wire: HTTP/1.1 connections that a handler may also cut off without an answer.

use axum::{
    Router,
    body::{Body, to_bytes},
    extract::Request,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use hyper::{body::Incoming, server::conn::http1, service::service_fn};
use hyper_util::rt::TokioIo;
use tokio::{
    net::{TcpListener, TcpStream},
    task::JoinSet,
};
use tower::ServiceExt;

/// The largest request body that is read.
const BODY_BYTES_MAX: usize = 2 * 1024 * 1024;

/// Marks a response that must not be sent: the connection closes instead.
#[derive(Debug, Clone, Copy)]
struct HangUp;

/// The connection was closed on purpose.
#[derive(Debug, thiserror::Error)]
#[error("a fault closes the connection")]
struct HungUp;

/// An answer that is none: the connection closes.
pub(crate) fn hang_up() -> Response {
    let mut response = StatusCode::NO_CONTENT.into_response();
    response.extensions_mut().insert(HangUp);
    response
}

/// Accepts connections until the task is dropped, and closes them all then.
pub(crate) async fn serve(listener: TcpListener, router: Router) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, _peer)) => {
                    connections.spawn(connection(stream, router.clone()));
                }
                // Out of descriptors, most likely: leave others time to close theirs.
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    tokio::time::sleep(std::time::Duration::from_millis(100)).await;
                }
            },
            Some(_ended) = connections.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, router: Router) {
    // Headers are written as the channels write them; clients must not depend on the case.
    let served = http1::Builder::new()
        .title_case_headers(true)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| answer(router.clone(), request)),
        )
        .await;
    if let Err(error) = served {
        tracing::debug!(%error, "a connection ended early");
    }
}

async fn answer(router: Router, request: hyper::Request<Incoming>) -> Result<Response, HungUp> {
    let Ok(response) = router.oneshot(request.map(Body::new)).await;
    if response.extensions().get::<HangUp>().is_some() {
        return Err(HungUp);
    }
    Ok(response)
}

/// The parts of a request and all of its body; an answer when the body is too large or breaks off.
pub(crate) async fn read(request: Request) -> Result<(axum::http::request::Parts, Vec<u8>), Response> {
    let (parts, body) = request.into_parts();
    match to_bytes(body, BODY_BYTES_MAX).await {
        Ok(bytes) => Ok((parts, bytes.to_vec())),
        Err(_error) => Err(StatusCode::PAYLOAD_TOO_LARGE.into_response()),
    }
}
