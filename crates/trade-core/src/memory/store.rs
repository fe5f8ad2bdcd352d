//! The store in memory: tradings, their journal, notices and the high-water marks.

use std::{
    collections::{BTreeMap, BTreeSet, HashMap},
    sync::{Mutex, MutexGuard, PoisonError},
};

use async_trait::async_trait;

use super::from_both_ends;
use crate::{
    Channel, EnterpriseId, Event, EventId, JournalEntry, Refund, RefundEntry, RefundNo, Role, StatusCode,
    Timestamp, Trading, TradingChange, TradingOrderNo,
    guard::{self, Guard},
    port::{
        CallEntry, Claim, Commit, Due, HighWater, IdempotencyKey, Inserted, NoticeSeen, OrderKey, Page, Pick,
        StoreError, TradingFilter, TradingStore,
    },
};

/// The reference store. One mutex makes every method one transaction.
#[derive(Debug, Default)]
pub struct MemoryStore {
    tables: Mutex<Tables>,
}

#[derive(Debug, Default)]
pub(super) struct Tables {
    pub(super) tradings: BTreeMap<TradingOrderNo, Trading>,
    pub(super) refunds: BTreeMap<RefundNo, Refund>,
    journal: Vec<JournalEntry>,
    pub(super) refund_journal: Vec<RefundEntry>,
    pub(super) outbox: BTreeMap<EventId, OutboxRow>,
    pub(super) event_keys: BTreeSet<String>,
    pub(super) notices: BTreeMap<NoticeKey, NoticeSeen>,
    pub(super) calls: Vec<CallEntry>,
    pub(super) keys: BTreeMap<IdempotencyKey, KeyRow>,
    marks: HashMap<i64, Timestamp>,
}

pub(super) type NoticeKey = (Channel, EnterpriseId, String);

#[derive(Debug)]
pub(super) struct KeyRow {
    pub(super) fingerprint: String,
    pub(super) created_at: Timestamp,
    pub(super) lease_until: Timestamp,
    pub(super) answer: Option<crate::port::StoredAnswer>,
}

#[derive(Debug)]
pub(super) struct OutboxRow {
    pub(super) event: Event,
    /// `None` once it was sent.
    pub(super) due_at: Option<Timestamp>,
    pub(super) reason: Option<String>,
}

impl OutboxRow {
    /// When a stuck event is due: it waits, and its time never comes.
    pub(super) const NEVER: Timestamp = Timestamp::from_ms(i64::MAX);

    pub(super) fn is_stuck(&self) -> bool {
        self.due_at == Some(Self::NEVER)
    }
}

impl MemoryStore {
    pub(super) fn tables(&self) -> MutexGuard<'_, Tables> {
        self.tables.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Tables {
    fn of_order(&self, order: &OrderKey) -> impl Iterator<Item = &Trading> {
        self.tradings
            .values()
            .rev()
            .filter(move |trading| trading.order() == *order)
    }

    fn winner_of(&self, order: &OrderKey) -> Option<&Trading> {
        self.of_order(order)
            .find(|trading| trading.role == Some(Role::Winner))
    }

    /// Why the row of a change cannot be written, if it cannot.
    fn conflict(&self, change: &TradingChange) -> Option<Commit> {
        let after = &change.after;
        let current = self.tradings.get(&after.trading_order_no)?;
        if current.version != change.from_version && guard::on(Guard::CompareAndSet) {
            return Some(Commit::Stale);
        }
        let other = |trading: &&Trading| trading.trading_order_no != after.trading_order_no;
        let order = after.order();
        let taken = after.role == Some(Role::Winner) && self.winner_of(&order).is_some_and(|row| other(&row));
        if taken && guard::on(Guard::WinnerSlot) {
            return Some(Commit::WinnerExists);
        }
        let taken = |trading: &Trading| {
            trading.channel == after.channel && trading.transaction_id == after.transaction_id
        };
        let has_id = after.transaction_id.is_some();
        (has_id && self.tradings.values().filter(other).any(taken)).then_some(Commit::TransactionTaken)
    }
}

pub(super) fn broken(operation: &'static str, why: &'static str) -> StoreError {
    StoreError {
        operation,
        source: why.into(),
    }
}

#[async_trait]
impl TradingStore for MemoryStore {
    async fn insert_trading(
        &self,
        trading: &Trading,
        journal: &JournalEntry,
    ) -> Result<Inserted, StoreError> {
        let mut tables = self.tables();
        let order = trading.order();
        if let Some(winner) = tables.winner_of(&order) {
            return Ok(Inserted::OrderPaid(Box::new(winner.clone())));
        }
        let live = tables.of_order(&order).find(|trading| trading.state.is_live());
        if let Some(live) = live.filter(|_| guard::on(Guard::LiveSlot)) {
            return Ok(Inserted::LiveExists(Box::new(live.clone())));
        }
        if tables.tradings.contains_key(&trading.trading_order_no) {
            return Err(broken("insert a trading", "its number exists"));
        }
        tables.tradings.insert(trading.trading_order_no, trading.clone());
        tables.journal.push(journal.clone());
        Ok(Inserted::Done)
    }

    async fn trading(&self, trading_order_no: TradingOrderNo) -> Result<Option<Trading>, StoreError> {
        Ok(self.tables().tradings.get(&trading_order_no).cloned())
    }

    async fn tradings_of(&self, order: &OrderKey) -> Result<Vec<Trading>, StoreError> {
        Ok(self.tables().of_order(order).cloned().collect())
    }

    async fn list_tradings(&self, filter: &TradingFilter, page: Page) -> Result<Vec<Trading>, StoreError> {
        let limit = usize::try_from(page.limit).unwrap_or(usize::MAX);
        let wanted = |trading: &&Trading| {
            page.before
                .is_none_or(|before| trading.trading_order_no.get() < before)
                && matches(filter, trading)
        };
        Ok(self
            .tables()
            .tradings
            .values()
            .rev()
            .filter(wanted)
            .take(limit)
            .cloned()
            .collect())
    }

    async fn commit_trading(&self, change: &TradingChange) -> Result<Commit, StoreError> {
        let mut tables = self.tables();
        let Some(current) = tables.tradings.get(&change.after.trading_order_no) else {
            return Err(broken("commit a transition", "there is no such trading"));
        };
        let after = moved(current, &change.after);
        if let Some(conflict) = tables.conflict(change) {
            return Ok(conflict);
        }
        tables.check_event(change.event.as_ref())?;
        if let Some(refund) = &change.refund {
            tables.check_surplus_refund(&after, refund)?;
        }
        if let Some(event) = &change.event {
            tables.put_event(event);
        }
        tables.tradings.insert(after.trading_order_no, after);
        tables.journal.push(change.journal.clone());
        if let Some(refund) = &change.refund {
            tables.put_refund(refund);
        }
        Ok(Commit::Done)
    }

    async fn claim_trading(
        &self,
        trading_order_no: TradingOrderNo,
        claim: Claim,
    ) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let Some(trading) = tables.tradings.get_mut(&trading_order_no) else {
            return Ok(false);
        };
        if trading.version != claim.version || trading.next_check_at != claim.seen {
            return Ok(false);
        }
        trading.next_check_at = claim.next_check_at;
        trading.checks = claim.checks;
        trading.stuck = claim.stuck;
        Ok(true)
    }

    async fn due_tradings(&self, due: Due, pick: Pick) -> Result<Vec<Trading>, StoreError> {
        let tables = self.tables();
        let wanted = |trading: &&Trading| {
            let expired = trading.state.is_live() && trading.expires_at <= pick.now;
            trading.next_check_at.is_some_and(|at| at <= pick.now)
                && (expired || due == Due::Sync)
                && pick.shard.has(trading.trading_order_no.get())
        };
        let mut rows: Vec<_> = tables.tradings.values().filter(wanted).cloned().collect();
        rows.sort_by_key(|trading| {
            let expired = (due == Due::Expired).then_some(trading.expires_at);
            (trading.next_check_at.max(expired), trading.trading_order_no)
        });
        match due {
            Due::Sync => from_both_ends(&mut rows, pick.limit),
            Due::Expired => rows.truncate(usize::try_from(pick.limit).unwrap_or(usize::MAX)),
        }
        Ok(rows)
    }

    async fn journal(&self, trading_order_no: TradingOrderNo) -> Result<Vec<JournalEntry>, StoreError> {
        let tables = self.tables();
        let entries = tables
            .journal
            .iter()
            .filter(|entry| entry.trading_order_no == trading_order_no);
        Ok(entries.cloned().collect())
    }
}

/// The row after a transition: what was agreed at the insert stays, and the sums are moved by refunds.
fn moved(current: &Trading, after: &Trading) -> Trading {
    let current = current.clone();
    Trading {
        product_app_id: current.product_app_id,
        product_order_no: current.product_order_no,
        enterprise_id: current.enterprise_id,
        channel: current.channel,
        amount: current.amount,
        memo: current.memo,
        content: current.content,
        refund_reserved: current.refund_reserved,
        refunded: current.refunded,
        created_at: current.created_at,
        expires_at: current.expires_at,
        ..after.clone()
    }
}

fn matches(filter: &TradingFilter, trading: &Trading) -> bool {
    let same_code = |code: StatusCode| trading.state.code() == code;
    filter
        .product_app_id
        .as_ref()
        .is_none_or(|app| *app == trading.product_app_id)
        && filter
            .product_order_no
            .is_none_or(|order| order == trading.product_order_no)
        && filter
            .enterprise_id
            .is_none_or(|enterprise| enterprise == trading.enterprise_id)
        && filter.channel.is_none_or(|channel| channel == trading.channel)
        && filter.state.is_none_or(|state| same_code(state.code()))
        && (!filter.stuck || trading.stuck.is_some())
}

#[async_trait]
impl HighWater for MemoryStore {
    async fn load(&self, node: i64) -> Result<Option<Timestamp>, StoreError> {
        Ok(self.tables().marks.get(&node).copied())
    }

    async fn advance(&self, node: i64, seen: Option<Timestamp>, mark: Timestamp) -> Result<bool, StoreError> {
        let mut tables = self.tables();
        let moves = tables.marks.get(&node).copied() == seen && seen < Some(mark);
        if moves {
            tables.marks.insert(node, mark);
        }
        Ok(moves)
    }
}
