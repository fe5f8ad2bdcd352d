//! All that happened to a trading and its refunds in one list, in time order; for a route and a command.

use trade_core::{
    Event, JournalEntry, Refund, RefundEntry, RefundState, Timestamp, Trading, TradingState,
    port::{CallEntry, NoticeSeen, StoreError, TradeStore},
};

/// One thing that happened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Moment {
    /// When.
    pub at: Timestamp,
    /// What kind of thing.
    pub kind: Kind,
    /// What, in words.
    pub text: String,
    /// The channel's request id or the notice's id, for the channel's support.
    pub request_id: Option<String>,
}

/// The kinds of things that happen, as they are ordered within a millisecond.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// The trading was committed.
    Created,
    /// A call to the channel about the payment.
    Call,
    /// A verified notice of the channel.
    Notice,
    /// A transition of the trading.
    Trading,
    /// A refund was committed.
    RefundAsked,
    /// A call to the channel about a refund.
    RefundCall,
    /// A transition of a refund.
    Refund,
    /// An event for the order systems.
    Event,
}

impl Kind {
    /// The word that answers carry.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Created | Self::Trading => "trading",
            Self::RefundAsked | Self::Refund => "refund",
            Self::Call | Self::RefundCall => "call",
            Self::Notice => "notice",
            Self::Event => "event",
        }
    }
}

/// What happened to the trading, oldest first.
///
/// # Errors
/// The store failed.
pub async fn of(store: &dyn TradeStore, trading: &Trading) -> Result<Vec<Moment>, StoreError> {
    let number = trading.trading_order_no;
    let mut moments = Vec::new();
    let journal = store.journal(number).await?;
    moments.extend(journal.iter().map(of_transition));
    for refund in store.refunds_of(number).await? {
        let entries = store.refund_journal(refund.refund_no).await?;
        moments.extend(entries.iter().map(|entry| of_refund(&refund, entry)));
    }
    moments.extend(store.calls_of(number).await?.iter().map(of_call));
    moments.extend(store.notices_of(number).await?.iter().map(of_notice));
    let events = store.events_of(&trading.order()).await?;
    let of_trading = events
        .iter()
        .filter(|event| event.message.trading_order_no == number);
    moments.extend(of_trading.map(of_event));
    moments.sort_by_key(|moment| (moment.at, moment.kind));
    Ok(moments)
}

/// `yyyy-MM-dd HH:mm:ss.SSS` in Beijing time.
#[must_use]
pub fn beijing_ms(at: Timestamp) -> String {
    format!("{}.{:03}", at.to_beijing_text(), at.ms().rem_euclid(1000))
}

fn of_transition(entry: &JournalEntry) -> Moment {
    let kind = match entry.from_state {
        None => Kind::Created,
        Some(_) => Kind::Trading,
    };
    let step = step(
        entry.from_state.map(TradingState::key),
        entry.to_state.key(),
        entry.cause.key(),
        &entry.detail,
    );
    Moment {
        at: entry.at,
        kind,
        text: step,
        request_id: entry.request_id.clone(),
    }
}

fn of_refund(refund: &Refund, entry: &RefundEntry) -> Moment {
    let kind = match entry.from_state {
        None => Kind::RefundAsked,
        Some(_) => Kind::Refund,
    };
    let step = step(
        entry.from_state.map(RefundState::key),
        entry.to_state.key(),
        entry.cause.key(),
        &entry.detail,
    );
    Moment {
        at: entry.at,
        kind,
        text: format!(
            "{} {} yuan: {step}",
            refund.out_refund_no,
            refund.amount.to_yuan()
        ),
        request_id: entry.request_id.clone(),
    }
}

/// `paying.intended -> paying.placed (place): OK`
fn step(from: Option<&str>, to: &str, cause: &str, detail: &str) -> String {
    let moved = from.map_or_else(|| to.to_owned(), |from| format!("{from} -> {to}"));
    let why = if detail.is_empty() { "" } else { ": " };
    format!("{moved} ({cause}){why}{detail}")
}

fn of_call(call: &CallEntry) -> Moment {
    let (about, kind) = match call.refund_no {
        Some(refund_no) => (format!(" {refund_no}"), Kind::RefundCall),
        None => (String::new(), Kind::Call),
    };
    Moment {
        at: call.at,
        kind,
        text: format!(
            "{}{about}: {} {} in {} ms",
            call.operation,
            call.outcome,
            call.code,
            call.took.as_millis()
        ),
        request_id: call.request_id.clone(),
    }
}

fn of_notice(seen: &NoticeSeen) -> Moment {
    let again = if seen.deliveries > 1 {
        format!(
            ", delivered {} times, last at {}",
            seen.deliveries,
            beijing_ms(seen.last_at)
        )
    } else {
        String::new()
    };
    Moment {
        at: seen.notice.at,
        kind: Kind::Notice,
        text: format!("{}{again}", seen.notice.verdict),
        request_id: Some(seen.notice.notice_id.clone()),
    }
}

fn of_event(event: &Event) -> Moment {
    let message = &event.message;
    let about = message
        .refund_no
        .map_or_else(String::new, |refund_no| format!(" refund {refund_no}"));
    let seq = message.seq.map_or_else(String::new, |seq| format!(" seq {seq}"));
    Moment {
        at: message.occurred_at.unwrap_or(message.created),
        kind: Kind::Event,
        text: format!(
            "{} {}{about}: event {}{seq}, committed",
            event.routing_key.code(),
            message.status_name,
            event.event_id
        ),
        request_id: None,
    }
}
