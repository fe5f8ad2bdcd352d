//! Whether the process lives, and whether it can serve.

use axum::{extract::State, http::StatusCode};

use super::{App, Problem};

/// `GET /livez`
pub(super) async fn livez() -> &'static str {
    "ok"
}

/// `GET /readyz`: the store takes a write, and the server is not going down.
pub(super) async fn readyz(State(app): State<App>) -> Result<&'static str, Problem> {
    if app.is_draining() {
        return Err(Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "the server is going down",
        ));
    }
    match app.probe.ready().await {
        Ok(()) => Ok("ready"),
        Err(missing) => Err(Problem::new(StatusCode::SERVICE_UNAVAILABLE, missing)),
    }
}
