//! The operators' token.

use axum::{
    extract::{Request, State},
    http::{HeaderMap, StatusCode, header},
    middleware::Next,
    response::Response,
};
use sha2::{Digest, Sha256};
use trade_core::Secret;

use super::{App, Problem};

/// For routes that are open while no token is set.
pub(super) async fn asked_for(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    if let Some(token) = &app.admin_token {
        check(request.headers(), token)?;
    }
    Ok(next.run(request).await)
}

/// For routes that are closed while no token is set.
pub(super) async fn required(
    State(app): State<App>,
    request: Request,
    next: Next,
) -> Result<Response, Problem> {
    let Some(token) = &app.admin_token else {
        let detail = "this route is closed until `admin.token` is set in the settings of this server";
        return Err(Problem::new(StatusCode::FORBIDDEN, detail));
    };
    check(request.headers(), token)?;
    Ok(next.run(request).await)
}

fn check(headers: &HeaderMap, token: &Secret) -> Result<(), Problem> {
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, token)| token.trim());
    // Digests are compared, so that the time it takes tells nothing about the token.
    let digest = |text: &str| Sha256::digest(text.as_bytes());
    match given {
        Some(given) if digest(given) == digest(token.expose()) => Ok(()),
        Some(_) => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "the token is not the one of `admin.token` in the settings of this server",
        )),
        None => Err(Problem::new(
            StatusCode::UNAUTHORIZED,
            "send `Authorization: Bearer TOKEN` with the token of `admin.token`",
        )),
    }
}
