//! The book itself: plain data, no clock, no lock.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use super::{
    Entry, EntryKind, LedgerError, NewOrder, Order, OrderKey, OrderState, Payment, Refund, RefundKey,
    Snapshot,
};
use crate::Channel;

/// Orders, refunds and movements of money.
#[derive(Debug, Default)]
pub struct Book {
    pub(super) orders: BTreeMap<OrderKey, Order>,
    pub(super) refunds: BTreeMap<RefundKey, Refund>,
    pub(super) refunds_of: HashMap<OrderKey, Vec<RefundKey>>,
    pub(super) entries: Vec<Entry>,
    /// Every code ever issued, dead ones too.
    codes: HashMap<String, OrderKey>,
    transactions: HashMap<(Channel, String), OrderKey>,
    pub(super) refund_ids: HashMap<(Channel, String), RefundKey>,
    pub(super) deadlines: BTreeSet<(i64, Deadline)>,
}

/// What happens when its time comes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Deadline {
    Close(OrderKey),
    Settle(RefundKey),
}

/// What happened because its time had come.
#[derive(Debug, Clone)]
pub enum Due {
    /// An unpaid order was closed.
    Closed(Order),
    /// A refund ended.
    Settled(Refund),
}

impl Book {
    /// The order of a key.
    #[must_use]
    pub fn order(&self, key: &OrderKey) -> Option<&Order> {
        self.orders.get(key)
    }

    /// The order whose code is, or was, `token`.
    #[must_use]
    pub fn order_by_code(&self, token: &str) -> Option<&Order> {
        self.orders.get(self.codes.get(token)?)
    }

    /// The order whose code is `token`, if the code has not been replaced.
    ///
    /// # Errors
    ///
    /// [`LedgerError::OrderNotFound`], [`LedgerError::CodeDead`].
    pub fn order_by_live_code(&self, token: &str) -> Result<&Order, LedgerError> {
        let order = self
            .order_by_code(token)
            .ok_or_else(|| LedgerError::OrderNotFound(token.to_owned()))?;
        if order.code_token == token {
            Ok(order)
        } else {
            Err(LedgerError::CodeDead(order.key.out_trade_no.clone()))
        }
    }

    /// The order of a channel's own number.
    #[must_use]
    pub fn order_by_transaction(&self, channel: Channel, transaction_id: &str) -> Option<&Order> {
        let key = self.transactions.get(&(channel, transaction_id.to_owned()))?;
        self.orders.get(key)
    }

    /// The order of a merchant's number, whoever the merchant is.
    #[must_use]
    pub fn order_by_number(&self, channel: Channel, out_trade_no: &str) -> Option<&Order> {
        self.orders
            .values()
            .find(|order| order.key.channel == channel && order.key.out_trade_no == out_trade_no)
    }

    /// All orders, by channel and number.
    pub fn orders(&self) -> impl Iterator<Item = &Order> {
        self.orders.values()
    }

    /// All movements of money, oldest first.
    #[must_use]
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }

    /// A copy of everything.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot {
            orders: self.orders.values().cloned().collect(),
            refunds: self.refunds.values().cloned().collect(),
            entries: self.entries.clone(),
        }
    }

    /// Opens an order.
    ///
    /// # Errors
    ///
    /// [`LedgerError::NumberTaken`] when the number is in use.
    pub fn open_order(&mut self, new: NewOrder, now_ms: i64) -> Result<&Order, LedgerError> {
        let key = new.key.clone();
        if self.orders.contains_key(&key) {
            return Err(LedgerError::NumberTaken(key.out_trade_no));
        }
        self.codes.insert(new.code_token.clone(), key.clone());
        self.deadlines
            .insert((new.closes_ms, Deadline::Close(key.clone())));
        let order = Order::open(new, now_ms);
        Ok(self.orders.entry(key).or_insert(order))
    }

    /// Replaces the code of an order; the old one is dead from now on.
    ///
    /// # Errors
    ///
    /// [`LedgerError::OrderNotFound`].
    pub fn replace_code(
        &mut self,
        key: &OrderKey,
        token: String,
        until_ms: i64,
    ) -> Result<&Order, LedgerError> {
        let order = find(&mut self.orders, key)?;
        self.codes.insert(token.clone(), key.clone());
        order.code_token = token;
        order.code_until_ms = until_ms;
        Ok(order)
    }

    /// Somebody scans the code. At Alipay this is when the trade, and its number, come to exist.
    ///
    /// # Errors
    ///
    /// Those of [`Book::pay`].
    pub fn scan(
        &mut self,
        key: &OrderKey,
        transaction_id: Option<String>,
        now_ms: i64,
    ) -> Result<&Order, LedgerError> {
        let order = find(&mut self.orders, key)?;
        payable(order, now_ms)?;
        if order.state == OrderState::Created {
            order.state = OrderState::Scanned;
            order.scanned_ms = Some(now_ms);
        }
        if let (None, Some(id)) = (&order.transaction_id, transaction_id) {
            self.transactions.insert((key.channel, id.clone()), key.clone());
            order.transaction_id = Some(id);
        }
        Ok(order)
    }

    /// Pays an order. `transaction_id` counts unless the scan gave it one.
    ///
    /// # Errors
    ///
    /// [`LedgerError::OrderNotFound`], [`LedgerError::AlreadyPaid`], [`LedgerError::Closed`],
    /// [`LedgerError::Expired`], [`LedgerError::CodeDead`].
    pub fn pay(
        &mut self,
        key: &OrderKey,
        transaction_id: String,
        payment: Payment,
    ) -> Result<&Order, LedgerError> {
        let paid_ms = payment.paid_ms;
        self.scan(key, Some(transaction_id), paid_ms)?;
        let order = find(&mut self.orders, key)?;
        order.state = OrderState::Paid;
        order.payment = Some(payment);
        let entry = Entry {
            seq: next_seq(&self.entries),
            at_ms: paid_ms,
            channel: key.channel,
            merchant: key.merchant.clone(),
            out_trade_no: key.out_trade_no.clone(),
            refund_no: None,
            kind: EntryKind::Payment,
            amount_fen: order.amount_fen,
        };
        self.entries.push(entry);
        Ok(order)
    }

    /// Closes an order, whatever its state; the channel has checked that it may.
    ///
    /// # Errors
    ///
    /// [`LedgerError::OrderNotFound`].
    pub fn close(&mut self, key: &OrderKey, now_ms: i64) -> Result<&Order, LedgerError> {
        self.set_state(key, OrderState::Closed, Some(now_ms))
    }

    /// Lets the deadline of an unpaid order and its code pass at `now_ms`. An order that its channel closes at
    /// the deadline closes when the clock is looked at next.
    ///
    /// # Errors
    ///
    /// [`LedgerError::OrderNotFound`], [`LedgerError::AlreadyPaid`], [`LedgerError::Closed`].
    pub fn expire(&mut self, key: &OrderKey, now_ms: i64) -> Result<&Order, LedgerError> {
        let order = find(&mut self.orders, key)?;
        open(order)?;
        if order.closes_ms <= order.payable_until_ms {
            order.closes_ms = order.closes_ms.min(now_ms);
            self.deadlines
                .insert((order.closes_ms, Deadline::Close(key.clone())));
        }
        order.payable_until_ms = order.payable_until_ms.min(now_ms);
        order.code_until_ms = order.code_until_ms.min(now_ms);
        Ok(order)
    }

    /// Closes an order that is still unpaid.
    ///
    /// # Errors
    ///
    /// Those of [`Book::expire`].
    pub fn close_unpaid(&mut self, key: &OrderKey, now_ms: i64) -> Result<&Order, LedgerError> {
        open(find(&mut self.orders, key)?)?;
        self.close(key, now_ms)
    }

    /// Ends the time in which a paid order can be refunded (Alipay's TRADE_FINISHED).
    ///
    /// # Errors
    ///
    /// [`LedgerError::OrderNotFound`].
    pub fn finish(&mut self, key: &OrderKey) -> Result<&Order, LedgerError> {
        self.set_state(key, OrderState::Finished, None)
    }

    fn set_state(
        &mut self,
        key: &OrderKey,
        state: OrderState,
        closed_ms: Option<i64>,
    ) -> Result<&Order, LedgerError> {
        let order = find(&mut self.orders, key)?;
        order.state = state;
        order.closed_ms = closed_ms.or(order.closed_ms);
        Ok(order)
    }

    /// Does everything whose time has come, in the order of the times.
    pub fn catch_up(&mut self, now_ms: i64) -> Vec<Due> {
        let mut done = Vec::new();
        while let Some((at_ms, _)) = self.deadlines.first()
            && *at_ms <= now_ms
            && let Some((at_ms, deadline)) = self.deadlines.pop_first()
        {
            match deadline {
                Deadline::Close(key) => {
                    if self.orders.get(&key).is_some_and(Order::is_open)
                        && let Ok(order) = self.close(&key, at_ms)
                    {
                        done.push(Due::Closed(order.clone()));
                    }
                }
                Deadline::Settle(key) => {
                    let due = self
                        .refunds
                        .get(&key)
                        .map(|refund| (refund.outcome, refund.settles_ms));
                    if let Some((outcome, settles_ms)) = due
                        && settles_ms == at_ms
                        && let Ok(refund) = self.settle_refund(&key, outcome, at_ms)
                    {
                        done.push(Due::Settled(refund.clone()));
                    }
                }
            }
        }
        done
    }

    /// When something is due next, Unix ms.
    #[must_use]
    pub fn next_due_ms(&self) -> Option<i64> {
        self.deadlines.first().map(|(at_ms, _)| *at_ms)
    }
}

/// Whether an order can be paid at `now_ms` with its present code.
fn payable(order: &Order, now_ms: i64) -> Result<(), LedgerError> {
    let number = || order.key.out_trade_no.clone();
    open(order)?;
    if now_ms >= order.payable_until_ms {
        return Err(LedgerError::Expired(number()));
    }
    // A trade that exists can be finished after its code has died.
    if order.state == OrderState::Created && now_ms >= order.code_until_ms {
        return Err(LedgerError::CodeDead(number()));
    }
    Ok(())
}

/// Whether an order still waits for its payment.
fn open(order: &Order) -> Result<(), LedgerError> {
    let number = order.key.out_trade_no.clone();
    match order.state {
        OrderState::Created | OrderState::Scanned => Ok(()),
        OrderState::Paid | OrderState::Finished => Err(LedgerError::AlreadyPaid(number)),
        OrderState::Closed if order.is_paid() => Err(LedgerError::AlreadyPaid(number)),
        OrderState::Closed => Err(LedgerError::Closed(number)),
    }
}

/// The order of a key, to be changed.
pub(super) fn find<'book>(
    orders: &'book mut BTreeMap<OrderKey, Order>,
    key: &OrderKey,
) -> Result<&'book mut Order, LedgerError> {
    orders
        .get_mut(key)
        .ok_or_else(|| LedgerError::OrderNotFound(key.out_trade_no.clone()))
}

/// The number of the next line.
pub(super) fn next_seq(entries: &[Entry]) -> u64 {
    u64::try_from(entries.len()).unwrap_or(u64::MAX).saturating_add(1)
}
