//! The live stream of events, for order systems without a broker and for watching.

use std::{convert::Infallible, time::Duration};

use axum::{
    extract::{RawQuery, State},
    http::HeaderMap,
    response::sse::{Event as SseEvent, KeepAlive, Sse},
};
use futures_util::stream::{self, Stream, StreamExt};
use trade_core::Event;

use super::{App, Problem, fields::Fields};

const BATCH: u32 = 100;
const KEEP_ALIVE: Duration = Duration::from_secs(15);
/// How often a stream looks for what other instances have announced, of which no signal comes.
const OTHERS: Duration = Duration::from_secs(2);

/// Where a stream stands.
struct Reader {
    app: App,
    /// The position of the last event read.
    after: i64,
    product_app_id: Option<String>,
}

/// `GET /trade/inner/events?productAppId=&after=` (server-sent events). The id of an event is its
/// position; a client that reconnects with `Last-Event-ID` (browsers do) or `after` misses nothing.
/// Without either it begins with what is announced from now on; `after=0` begins at the beginning.
pub(super) async fn stream(
    State(app): State<App>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Result<Sse<impl Stream<Item = Result<SseEvent, Infallible>>>, Problem> {
    let fields = Fields::from_query(query.as_deref());
    let last_id = headers.get("last-event-id").and_then(|value| value.to_str().ok());
    let asked = match last_id.and_then(|text| text.parse().ok()) {
        Some(position) => Some(position),
        None => fields.long("after")?,
    };
    let after = match asked {
        Some(position) => position,
        None => last_position(&app).await?,
    };
    let product_app_id = fields.text("productAppId")?.map(ToOwned::to_owned);
    let reader = Reader {
        app,
        after,
        product_app_id,
    };
    let batches = stream::unfold(reader, |reader| async { reader.next_batch().await });
    Ok(Sse::new(batches.flat_map(stream::iter).map(Ok)).keep_alive(KeepAlive::new().interval(KEEP_ALIVE)))
}

async fn last_position(app: &App) -> Result<i64, Problem> {
    let last = app.service.ports().store.last_position().await;
    last.map_err(|error| Problem::from(trade_core::service::TradeError::from(error)))
}

impl Reader {
    /// The next events, once there are any; ends the stream when the server goes down or the store fails.
    async fn next_batch(mut self) -> Option<(Vec<SseEvent>, Self)> {
        loop {
            if self.app.is_draining() {
                return None;
            }
            // Marked as seen before reading, so that what is announced meanwhile wakes the next wait.
            self.app.announced.borrow_and_update();
            let events = self
                .app
                .service
                .ports()
                .store
                .events_after(self.after, BATCH)
                .await
                .ok()?;
            if let Some(last) = events.last() {
                self.after = last.position;
                let shown: Vec<_> = events
                    .iter()
                    .filter(|event| self.wants(event))
                    .filter_map(show)
                    .collect();
                return Some((shown, self));
            }
            // An error means that the server is gone.
            let goes_on = tokio::select! {
                signal = self.app.announced.changed() => signal.is_ok(),
                signal = self.app.draining.changed() => signal.is_ok(),
                () = tokio::time::sleep(OTHERS) => true,
            };
            if !goes_on {
                return None;
            }
        }
    }

    fn wants(&self, event: &Event) -> bool {
        self.product_app_id
            .as_deref()
            .is_none_or(|wanted| event.message.product_app_id.as_str() == wanted)
    }
}

fn show(event: &Event) -> Option<SseEvent> {
    let body = event.body().ok()?;
    Some(
        SseEvent::default()
            .id(event.position.to_string())
            .event(event.routing_key.code())
            .data(body),
    )
}
