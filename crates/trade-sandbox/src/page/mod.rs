//! The pay page: what a phone shows after scanning a code, at `/pay/{token}`.
//!
//! Plain HTML without scripts or anything from elsewhere. Whatever the buttons do also works as a bare POST,
//! which implies the scan, and answers JSON to those who ask for it.

pub(crate) mod html;
mod screen;
pub(crate) mod serve;
pub(crate) mod text;
mod view;

use std::sync::Arc;

use axum::{
    Router,
    http::Method,
    routing::{MethodRouter, get, post},
};

use crate::world::World;

/// Everything this part serves.
pub(crate) fn routes() -> Vec<(Method, &'static str, MethodRouter<Arc<World>>)> {
    vec![
        (Method::GET, "/pay/{token}", get(serve::show)),
        (Method::POST, "/pay/{token}/pay", post(serve::pay)),
        (Method::POST, "/pay/{token}/cancel", post(serve::cancel)),
        (Method::POST, "/pay/{token}/expire", post(serve::expire)),
    ]
}

/// The routes.
pub(crate) fn router(world: Arc<World>) -> Router {
    let add = |router: Router<_>, (_, path, handler)| router.route(path, handler);
    routes().into_iter().fold(Router::new(), add).with_state(world)
}
