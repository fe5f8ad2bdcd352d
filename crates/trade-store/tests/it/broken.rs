//! A store at the end of a line that breaks, and what must be true afterwards.

use std::time::Duration;

use tokio::time::Instant;

use sea_orm::DatabaseConnection;
use trade_core::{
    Refund, Role, Trading, TradingChange,
    port::{Outbox, RefundStore, StoreError, TradingStore},
};
use trade_store::{Settings, SqlStore};
use trade_testkit::{
    fixture,
    proxy::{Break, Fault, Line, Proxy},
};

use super::{
    chain,
    server::{Fresh, Server},
};

/// No wait is longer, be the machine ever so busy.
const PATIENCE: Duration = Duration::from_secs(60);

/// A database that is reached in two ways: straight, and over a line.
pub(crate) struct Rig {
    pub(crate) fresh: Fresh,
    pub(crate) proxy: Proxy,
    /// Over the line, on one connection.
    pub(crate) store: SqlStore,
    raw: DatabaseConnection,
    next: i64,
}

/// What is written in the face of a break: a payment from its beginning to a refund, on rows of its own.
#[derive(Debug, Clone)]
pub(crate) struct Payment {
    trading: Trading,
    paid: TradingChange,
    refund: Refund,
}

/// How far it is known to have come.
#[derive(Debug, Default)]
pub(crate) struct Told {
    /// How many writes were said to be done.
    pub(crate) done: usize,
    /// The error that ended it.
    pub(crate) error: Option<String>,
}

impl Told {
    fn found_none(&self) -> bool {
        let error = self.error.as_deref().unwrap_or_default();
        error.contains("no connection became free in time")
    }

    fn was_cut_off(&self) -> bool {
        let error = self.error.as_deref().unwrap_or_default();
        error.contains("cannot be reached, or has gone")
    }

    pub(crate) fn is_unknown(&self) -> bool {
        let error = self.error.as_deref().unwrap_or_default();
        error.contains("whether the write was committed is not known")
    }
}

impl Rig {
    /// A line to a database of its own, over which it takes `answer` until a call is given up.
    pub(crate) async fn on(server: &Server, answer: Duration) -> Self {
        let fresh = server.fresh().await;
        let proxy = Proxy::start(server.host()).await;
        let settings = Settings {
            connections: 1,
            answer_timeout: answer,
            acquire_timeout: answer / 2,
            ..Settings::default()
        };
        let store = SqlStore::connect_with(&fresh.by_way_of(proxy.address()), &settings).await;
        let raw = fresh.outsider().await;
        Self {
            store: store.unwrap(),
            proxy,
            raw,
            next: 1001,
            fresh,
        }
    }

    pub(crate) fn payment(&mut self) -> Payment {
        let number = self.next;
        self.next += 1;
        Payment::of(number)
    }

    /// Has a payment go well, so that a connection is there and knows every statement.
    pub(crate) async fn warm(&mut self) {
        let payment = self.payment();
        let told = payment.write(&self.store).await;
        assert_eq!(told.error, None, "nothing is broken");
    }

    /// Waits until the server has no transaction open: what was begun is done or undone, its locks are gone.
    pub(crate) async fn no_transaction_is_left(&self, after: Break) {
        let since = Instant::now();
        loop {
            let open = self.fresh.open_transactions(&self.raw).await;
            if open.is_empty() {
                return;
            }
            assert!(
                since.elapsed() < PATIENCE,
                "{after:?}: a transaction is left open: {open:?}"
            );
            // MariaDB takes a new look only when nobody has asked for a tenth of a second.
            tokio::time::sleep(Duration::from_millis(150)).await;
        }
    }

    /// Writes a payment while the line breaks, and again once it is whole: each write is there or is not,
    /// what was said is true, nobody has to mend anything, and nothing is there twice.
    pub(crate) async fn survives(&mut self, fault: Break) -> Told {
        let payment = self.payment();
        let told = payment.write(&self.store).await;
        self.no_transaction_is_left(fault).await;
        let there = payment.there(&self.fresh.store).await;
        // An error that does not leave it open says that the write was not made.
        let may_be_more = usize::from(told.is_unknown());
        assert!(
            (told.done..=told.done + may_be_more).contains(&there),
            "{fault:?}: {there} writes are there, and we were told {told:?}"
        );
        self.is_well(&payment, fault).await;
        assert_eq!(payment.there(&self.fresh.store).await, 3, "{fault:?}");
        Told { done: there, ..told }
    }

    /// The line is whole again, and so is the store: the next write is made. Only when the line broke just as its
    /// connection went back to the pool, one call may find that out, and when it fell silent then, calls find no
    /// connection until that is noticed.
    pub(crate) async fn is_well(&self, payment: &Payment, after: Break) {
        let mut again = payment.write(&self.store).await;
        if again.was_cut_off() {
            again = payment.write(&self.store).await;
        }
        let since = Instant::now();
        while after.fault == Fault::Stall && again.found_none() && since.elapsed() < PATIENCE {
            again = payment.write(&self.store).await;
        }
        assert_eq!(again.error, None, "{after:?}: the line is whole again");
    }

    pub(crate) async fn end(self) {
        self.proxy.set(Line::Cut).await;
        self.store.close().await.unwrap();
        sea_orm::DatabaseConnection::close(self.raw).await.unwrap();
        self.fresh.end().await;
    }
}

impl Payment {
    /// That of a number, with the event under the key that the services give it.
    pub(crate) fn of(number: i64) -> Self {
        let trading = fixture::trading(number);
        let mut paid = fixture::paid(&trading, Role::Winner, &format!("42{number}"));
        if let Some(event) = &mut paid.event {
            event.event_key = format!("trading:{number}:YJS");
        }
        let refund = fixture::refund(&paid.after, number, 100);
        Self {
            trading,
            paid,
            refund,
        }
    }

    /// Writes all of it, as somebody who may have done so before, up to the first error.
    pub(crate) async fn write(&self, store: &SqlStore) -> Told {
        let mut told = Told::default();
        if let Err(error) = self.try_write(store, &mut told.done).await {
            told.error = Some(chain(&error));
        }
        told
    }

    async fn try_write(&self, store: &SqlStore, done: &mut usize) -> Result<(), StoreError> {
        let entry = fixture::first_entry(&self.trading);
        store.insert_trading(&self.trading, &entry).await?;
        *done += 1;
        store.commit_trading(&self.paid).await?;
        *done += 1;
        store.insert_refund(&fixture::new_refund(&self.refund)).await?;
        *done += 1;
        Ok(())
    }

    /// How many of its writes are there, each as a whole and once.
    pub(crate) async fn there(&self, store: &SqlStore) -> usize {
        let number = self.trading.trading_order_no;
        let row = store.trading(number).await.unwrap();
        let journal = store.journal(number).await.unwrap().len();
        let events = store.events_of(&self.trading.order()).await.unwrap().len();
        let refunds = store.refunds_of(number).await.unwrap();
        let history = store.refund_journal(self.refund.refund_no).await.unwrap().len();
        let reserved = row.as_ref().map_or(0, |row| row.refund_reserved.get());
        let version = row.map_or(0, |row| row.version);
        match (version, journal, events, refunds.len(), history, reserved) {
            (0, 0, 0, 0, 0, 0) => 0,
            (1, 1, 0, 0, 0, 0) => 1,
            (2, 2, 1, 0, 0, 0) => 2,
            (2, 2, 1, 1, 1, 100) => 3,
            halves => panic!("{number} was written by halves: {halves:?}"),
        }
    }
}
