//! The asynchronous messages of the channels: what was sent, when, and what came back.

mod schedule;
mod sender;

use std::sync::{Mutex, PoisonError};

use serde::Serialize;

pub(crate) use self::sender::run;
use crate::{Channel, wechat};

/// What a notice is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum NoticeKind {
    /// A payment, or the end of a trade.
    Payment,
    /// A refund.
    Refund,
}

impl NoticeKind {
    /// The name of the operation in fault rules.
    pub(crate) fn operation(self) -> &'static str {
        match self {
            Self::Payment => "notice.payment",
            Self::Refund => "notice.refund",
        }
    }
}

/// Where a notice stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum NoticeState {
    /// Waits for its next attempt.
    Pending,
    /// Lets the next notice of its channel overtake it.
    Held,
    /// Is being sent.
    Sending,
    /// The merchant confirmed it.
    Acknowledged,
    /// The schedule is used up.
    GivenUp,
}

/// One attempt to deliver a notice.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Attempt {
    /// When, Unix ms of the sandbox's clock.
    pub at_ms: i64,
    /// The HTTP status of the answer.
    pub status: Option<u16>,
    /// The beginning of the answer's body, or why there was none.
    pub answer: String,
    /// Whether that was the acknowledgement the channel wants.
    pub acknowledged: bool,
}

/// A notice and its history.
#[derive(Debug, Clone, Serialize)]
pub struct Notice {
    /// The channel's id of the message, the same in every attempt.
    pub id: String,
    /// The channel.
    pub channel: Channel,
    /// What it is about.
    pub kind: NoticeKind,
    /// The order.
    pub out_trade_no: String,
    /// The refund.
    pub refund_no: Option<String>,
    /// Where it goes.
    pub url: String,
    /// When it was first due, Unix ms.
    pub created_ms: i64,
    /// When it is due next, Unix ms.
    pub next_ms: Option<i64>,
    /// Where it stands.
    pub state: NoticeState,
    /// All attempts, oldest first.
    pub attempts: Vec<Attempt>,
    /// How much of the schedule is used up; copies ordered by a fault do not count.
    #[serde(skip)]
    rounds: usize,
    #[serde(skip)]
    content: NoticeContent,
}

/// What a channel needs to write the message anew for each attempt.
#[derive(Debug, Clone)]
pub(crate) enum NoticeContent {
    /// The event, in plain text.
    Wechat(wechat::notice::Event),
    /// The form's parameters without `notify_time`, `sign` and `sign_type`.
    Alipay(Vec<(String, String)>),
}

/// A notice to be sent.
#[derive(Debug)]
pub(crate) struct NewNotice {
    pub(crate) id: String,
    pub(crate) kind: NoticeKind,
    pub(crate) out_trade_no: String,
    pub(crate) refund_no: Option<String>,
    pub(crate) url: String,
    pub(crate) content: NoticeContent,
}

/// One attempt, ready for the wire.
#[derive(Debug, Default)]
pub(crate) struct Rendered {
    pub(crate) headers: Vec<(&'static str, String)>,
    pub(crate) body: Vec<u8>,
}

/// All notices of a sandbox.
#[derive(Debug, Default)]
pub(crate) struct Notices {
    all: Mutex<Vec<Notice>>,
}

impl Notices {
    /// Takes a notice in; `held` lets the next one of its channel overtake it.
    pub(crate) fn post(&self, channel: Channel, new: NewNotice, now_ms: i64, held: bool) {
        const HELD_MS: i64 = 60_000;
        let (state, next_ms) = if held {
            (NoticeState::Held, now_ms.saturating_add(HELD_MS))
        } else {
            (NoticeState::Pending, now_ms)
        };
        self.lock().push(Notice {
            id: new.id,
            channel,
            kind: new.kind,
            out_trade_no: new.out_trade_no,
            refund_no: new.refund_no,
            url: new.url,
            created_ms: now_ms,
            next_ms: Some(next_ms),
            state,
            attempts: Vec::new(),
            rounds: 0,
            content: new.content,
        });
    }

    /// A copy of all notices, oldest first.
    pub(crate) fn list(&self) -> Vec<Notice> {
        self.lock().clone()
    }

    /// Forgets all notices.
    pub(crate) fn clear(&self) {
        self.lock().clear();
    }

    /// Sends a notice once more at once, whatever its state; tells whether it exists.
    pub(crate) fn resend(&self, id: &str, now_ms: i64) -> bool {
        let mut all = self.lock();
        let Some(notice) = all.iter_mut().find(|notice| notice.id == id) else {
            return false;
        };
        notice.state = NoticeState::Pending;
        notice.next_ms = Some(now_ms);
        true
    }

    /// When the next notice is due, Unix ms.
    fn next_due_ms(&self) -> Option<i64> {
        let waits = |notice: &&Notice| matches!(notice.state, NoticeState::Pending | NoticeState::Held);
        self.lock()
            .iter()
            .filter(waits)
            .filter_map(|notice| notice.next_ms)
            .min()
    }

    /// Whether nothing is being sent and nothing is due.
    pub(crate) fn is_quiet(&self, now_ms: i64) -> bool {
        let sending = self
            .lock()
            .iter()
            .any(|notice| notice.state == NoticeState::Sending);
        !sending && self.next_due_ms().is_none_or(|next_ms| next_ms > now_ms)
    }

    /// Takes the notices that are due; each is marked as being sent.
    fn take_due(&self, now_ms: i64) -> Vec<Notice> {
        let mut due = Vec::new();
        for notice in self.lock().iter_mut() {
            let waits = matches!(notice.state, NoticeState::Pending | NoticeState::Held);
            if waits && notice.next_ms.is_some_and(|next_ms| next_ms <= now_ms) {
                notice.state = NoticeState::Sending;
                due.push(notice.clone());
            }
        }
        due
    }

    /// Writes attempts down and decides what comes next.
    fn record(&self, id: &str, attempts: Vec<Attempt>, speed: u32) {
        let mut all = self.lock();
        let mut overtaken = None;
        if let Some(notice) = all.iter_mut().find(|notice| notice.id == id) {
            let acknowledged = attempts.iter().any(|attempt| attempt.acknowledged);
            let failed_ms = attempts.first().map_or(notice.created_ms, |first| first.at_ms);
            let wait_ms = schedule::wait_ms(notice.channel, notice.rounds, speed);
            notice.rounds = notice.rounds.saturating_add(1);
            notice.attempts.extend(attempts);
            (notice.state, notice.next_ms) = match wait_ms {
                _ if acknowledged => (NoticeState::Acknowledged, None),
                Some(wait_ms) => (NoticeState::Pending, Some(failed_ms.saturating_add(wait_ms))),
                None => (NoticeState::GivenUp, None),
            };
            overtaken = Some(notice.channel);
        }
        for notice in all.iter_mut() {
            if notice.state == NoticeState::Held && Some(notice.channel) == overtaken && notice.id != id {
                notice.state = NoticeState::Pending;
                notice.next_ms = Some(notice.created_ms);
            }
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Notice>> {
        self.all.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
