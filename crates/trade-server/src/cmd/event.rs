//! `trade events` and `trade resend`: events that are not announced, and announcing again.

use std::path::Path;

use clap::Args;
use trade_core::{
    Event, EventId, SystemClock, Timestamp,
    port::{Clock, OrderKey, Outbox, WaitingEvent},
};
use trade_store::SqlStore;

use super::{Failure, order, show, store};
use crate::timeline;

/// The most that is shown or worked on at once.
const MOST: u32 = 200;

/// Which events are announced again.
#[derive(Debug, Args)]
#[group(required = true, multiple = false)]
pub(super) struct Which {
    /// The event's id
    #[arg(value_parser = clap::value_parser!(i64).range(1..))]
    event_id: Option<i64>,
    /// All that are stuck
    #[arg(long)]
    stuck: bool,
    /// All of an order, by its number or by a trading's
    #[arg(long, value_parser = clap::value_parser!(i64).range(1..))]
    order: Option<i64>,
}

pub(super) async fn list(only_stuck: bool, config: Option<&Path>) -> Result<(), Failure> {
    let store = store::open_to_read(config).await?;
    let waiting = store.waiting_events(only_stuck, MOST).await?;
    if waiting.is_empty() {
        let which = if only_stuck { "stuck" } else { "waiting" };
        show::line(format!("no event is {which}"));
    }
    for waiting in &waiting {
        show_waiting(waiting);
    }
    if waiting.len() >= usize::try_from(MOST)? {
        show::line(format!(
            "these are the first {MOST}: there may be more, see /metrics"
        ));
    }
    Ok(())
}

fn show_waiting(waiting: &WaitingEvent) {
    let event = &waiting.event;
    let state = match waiting.next_at {
        None => "stuck".to_owned(),
        Some(_) if event.attempts == 0 => "not offered yet".to_owned(),
        Some(at) => format!("again at {}", timeline::beijing_ms(at)),
    };
    let attempts = event.attempts;
    show::line(format!("{}  {state}, {attempts} times in vain", headline(event)));
    if let Some(since) = event.refused_since {
        show::line(format!("  refused since {}", timeline::beijing_ms(since)));
    }
    if let Some(reason) = &waiting.reason {
        show::line(format!("  {reason}"));
    }
    if waiting.next_at.is_none() {
        show::line(format!(
            "  what to do: remove the cause, then trade resend {}",
            event.event_id
        ));
    }
}

fn headline(event: &Event) -> String {
    let message = &event.message;
    let at = message.occurred_at.map_or_else(String::new, timeline::beijing_ms);
    format!(
        "event {}  {at}  order {} of {}  {} {}",
        event.event_id,
        message.product_order_no,
        message.product_app_id,
        event.routing_key.code(),
        message.status_name
    )
}

pub(super) async fn resend(which: Which, app: Option<&str>, config: Option<&Path>) -> Result<(), Failure> {
    let store = store::open_to_write(config).await?;
    match which {
        Which {
            event_id: Some(id), ..
        } => put_back(&store, EventId::new(id)?).await?,
        Which {
            order: Some(number), ..
        } => {
            let order = one_order(&store, number, app).await?;
            for event in store.events_of(&order).await? {
                put_back(&store, event.event_id).await?;
            }
        }
        Which { .. } => resend_stuck(&store).await?,
    }
    store.close().await?;
    Ok(())
}

async fn resend_stuck(store: &SqlStore) -> Result<(), Failure> {
    let mut count = 0_usize;
    loop {
        // What was put back is not stuck any more: each round has others.
        let stuck = store.waiting_events(true, MOST).await?;
        if stuck.is_empty() {
            show::line(format!("{count} stuck events put back"));
            return Ok(());
        }
        for waiting in stuck {
            put_back(store, waiting.event.event_id).await?;
            count += 1;
        }
    }
}

async fn one_order(store: &SqlStore, number: i64, app: Option<&str>) -> Result<OrderKey, Failure> {
    let mut orders = order::orders_of(store, number).await?;
    orders.retain(|order| app.is_none_or(|app| order.product_app_id.as_str() == app));
    let several = orders.len() > 1;
    match orders.pop() {
        Some(order) if !several => Ok(order),
        Some(_) => Err(format!("several order systems have an order {number}: say which with --app").into()),
        None => Err(format!("there is neither an order nor a trading with the number {number}").into()),
    }
}

async fn put_back(store: &SqlStore, event_id: EventId) -> Result<(), Failure> {
    let now: Timestamp = SystemClock::new().now();
    let Some(event) = store.resend_event(event_id, now).await? else {
        return Err(format!("there is no event {event_id}: `trade show` lists those of an order").into());
    };
    let by = user();
    tracing::info!(%event_id, by, "event put back to be announced again");
    show::line(format!("{}  goes out again, put back by {by}", headline(&event)));
    Ok(())
}

/// Who runs the command, for the log.
fn user() -> String {
    ["SUDO_USER", "USER", "LOGNAME"]
        .into_iter()
        .find_map(|name| std::env::var(name).ok().filter(|user| !user.is_empty()))
        .unwrap_or_else(|| "an unknown user".to_owned())
}
