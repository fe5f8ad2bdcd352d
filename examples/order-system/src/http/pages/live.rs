//! The part of an order's page that changes, sent again whenever it does.

use std::{convert::Infallible, time::Duration};

use askama::Template;
use axum::{
    extract::{Path, State},
    response::{
        IntoResponse, Response,
        sse::{Event, KeepAlive, Sse},
    },
};
use futures_util::stream;
use tokio::sync::watch;

use super::{Visitor, order::state_of};
use crate::{
    error::OrderError,
    http::{envelope::Failed, language::Lang},
    service::Orders,
    store::table::{Order, Returned},
};

/// Another instance may have made the change; it is seen this late at the most.
const LOOK_AGAIN: Duration = Duration::from_secs(2);

/// Where a stream stands.
struct Viewer {
    orders: Orders,
    lang: Lang,
    id: i64,
    changes: watch::Receiver<u64>,
    /// What was sent last. Times tell too little: two changes may come within one millisecond.
    shown: Option<(Order, Vec<Returned>)>,
}

/// `GET /orders/{id}/live`
pub(super) async fn stream(State(orders): State<Orders>, visitor: Visitor, id: Path<String>) -> Response {
    let lang = visitor.frame.lang;
    let order = match visitor.order(&orders, &id).await {
        Ok(order) => order,
        Err(error) => return Failed::new(error, lang).into_response(),
    };
    let viewer = Viewer {
        changes: orders.changes(),
        orders,
        lang,
        id: order.id,
        shown: None,
    };
    let parts = stream::unfold(viewer, |viewer| async { viewer.next().await });
    Sse::new(parts).keep_alive(KeepAlive::default()).into_response()
}

impl Viewer {
    /// The next state that differs from what was sent; ends with the database.
    async fn next(mut self) -> Option<(Result<Event, Infallible>, Self)> {
        loop {
            self.changes.borrow_and_update();
            match self.look().await {
                Ok(Some(text)) => return Some((Ok(Event::default().event("state").data(text)), self)),
                Ok(None) => {}
                Err(error) => {
                    tracing::warn!(order = self.id, %error, "a page is not told of changes");
                    return None;
                }
            }
            // Both outcomes mean: look again.
            let _ = tokio::time::timeout(LOOK_AGAIN, self.changes.changed()).await;
        }
    }

    async fn look(&mut self) -> Result<Option<String>, OrderError> {
        let order = self.orders.fresh(self.orders.any_order(self.id).await?).await?;
        let now = (order, self.orders.store.returned(self.id).await?);
        if self.shown.as_ref() == Some(&now) {
            return Ok(None);
        }
        let order = now.0.clone();
        self.shown = Some(now);
        let state = state_of(&self.orders, self.lang, order).await?;
        state.render().map(Some).map_err(|error| {
            tracing::error!(%error, "a page could not be rendered");
            OrderError::Interrupted
        })
    }
}
