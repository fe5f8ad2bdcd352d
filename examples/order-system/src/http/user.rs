//! Who asks: the platform's gateway says so; in a trial, a cookie does.

use axum::{extract::FromRequestParts, http::request::Parts};

use super::{
    envelope::Failed,
    language::{Lang, cookie},
};
use crate::{error::OrderError, service::Orders};

/// The gateway's header.
const HEADER: &str = "x-user-id";
/// The cookie of somebody who chose who to be.
pub(super) const COOKIE: &str = "user";

/// The customer who asks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Customer(pub(super) i64);

/// The worker or operator who asks, when the gateway says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Staff(pub(super) Option<i64>);

impl FromRequestParts<Orders> for Customer {
    type Rejection = Failed;

    async fn from_request_parts(parts: &mut Parts, orders: &Orders) -> Result<Self, Failed> {
        let by_cookie = || {
            let chosen = cookie(&parts.headers, COOKIE).filter(|_| orders.settings.demo_users);
            chosen.and_then(|id| id.parse().ok())
        };
        match header(parts).or_else(by_cookie) {
            Some(id) => Ok(Self(id)),
            None => {
                let Ok(lang) = Lang::from_request_parts(parts, orders).await;
                Err(Failed::new(OrderError::NobodySignedIn, lang))
            }
        }
    }
}

impl<S: Send + Sync> FromRequestParts<S> for Staff {
    type Rejection = std::convert::Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Self::Rejection> {
        Ok(Self(header(parts)))
    }
}

fn header(parts: &Parts) -> Option<i64> {
    parts.headers.get(HEADER)?.to_str().ok()?.parse().ok()
}
